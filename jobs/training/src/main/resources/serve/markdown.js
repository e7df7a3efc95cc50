/**
 * Markdown as nodes of the page. Every text stays text, nothing is loaded, and the time is linear in the text's
 * length: no pattern looks further than the next bracket, and lists and quotes lie in each other so deep and no deeper.
 */
const markdown = (() => {
'use strict';
const DEPTH = 12; // of lists and quotes in each other
const SCHEMES = new Set(['http:', 'https:', 'mailto:']);
const FENCE = /^( *)(`{3,}|~{3,})(.*)$/;
const HEADING = /^ {0,3}(#{1,6})(?=[ \t]|$)/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|(\d{1,9})[.)])(?: +|$)/;
const COLUMN = /^:?-+:?$/;
const TARGET = /\(([^\s()[\]<>]*(?:\([^\s()[\]<>]*\)[^\s()[\]<>]*)?)(?:[ \t]{1,9}"[^"\n]{0,200}")?\)/y;
const ANGLED = /<((?:https?:\/\/|mailto:)[^\s<>]+)>/y;
const BARE = /https?:\/\/[^\s<>"`[\]]+/y;
const PLAIN = /[^\\\n`*_~![\]<h]+/y;

const element = (tag, ...children) => {
  const node = document.createElement(tag);
  node.append(...children);
  return node;
};
/** An element with any number of children. */
const around = (tag, children) => {
  const node = document.createElement(tag);
  children.forEach(one => node.append(one));
  return node;
};
/** A block whose direction is that of its own text; a browser looks for it whenever a child comes. */
const block = (tag, text) => {
  const node = element(tag);
  inline(text, node);
  node.dir = 'auto';
  return node;
};
const isBlank = line => line.trim() === '';
const indent = line => line.length - line.trimStart().length;

// Blocks: each reads from a line on and says where it ends.

const isFence = line => {
  const found = FENCE.exec(line);
  return found && !(found[2][0] === '`' && found[3].includes('`')) ? found : null;
};
const fenced = (lines, at, [, before, mark, info]) => {
  const code = [];
  let end = at + 1;
  for (; end < lines.length; end++) {
    const line = lines[end].trim();
    if (line.length >= mark.length && line === mark[0].repeat(line.length)) {
      end++;
      break;
    }
    code.push(lines[end].slice(Math.min(before.length, indent(lines[end]))));
  }
  const text = code.join('\n');
  const copy = element('button', 'Copy');
  copy.type = 'button';
  copy.dataset.copy = text;
  copy.setAttribute('aria-label', 'Copy the code');
  const shown = element('pre', element('code', text));
  shown.tabIndex = 0;
  shown.setAttribute('role', 'group');
  shown.setAttribute('aria-label', 'Code');
  const name = element('span', info.trim().split(/\s/)[0].slice(0, 40));
  const node = element('div', element('div', name, copy), shown);
  node.className = 'code';
  return [node, end];
};

const heading = (line, level) => {
  let text = line.trim().slice(level).trim();
  let end = text.length;
  while (text[end - 1] === '#') {
    end--;
  }
  text = end === 0 || /\s/.test(text[end - 1]) ? text.slice(0, end).trim() : text;
  return block('h' + Math.min(6, level + 2), text);
};

const cells = line => {
  const row = line.trim().replace(/^\|/, '');
  const found = [];
  let cell = '';
  for (let i = 0; i < row.length; i++) {
    if (row[i] === '\\' && row[i + 1] === '|') {
      cell += row[++i];
    } else if (row[i] === '|') {
      found.push(cell.trim());
      cell = '';
    } else {
      cell += row[i];
    }
  }
  if (cell.trim()) {
    found.push(cell.trim());
  }
  return found;
};
const isTable = (lines, at) => {
  if (!lines[at].includes('|') || !(lines[at + 1] || '').includes('-')) {
    return false;
  }
  const columns = cells(lines[at + 1]);
  return columns.every(one => COLUMN.test(one)) && columns.length === cells(lines[at]).length;
};
const table = (lines, at) => {
  const row = (line, tag) => around('tr', cells(line).map(text => block(tag, text)));
  const body = element('tbody');
  let end = at + 2;
  for (; end < lines.length && lines[end].includes('|'); end++) {
    body.append(row(lines[end], 'td'));
  }
  const node = element('div', element('table', element('thead', row(lines[at], 'th')), body));
  node.className = 'table';
  node.tabIndex = 0;
  node.setAttribute('role', 'group');
  node.setAttribute('aria-label', 'Table');
  return [node, end];
};

const quote = (lines, at, depth) => {
  const inner = [];
  let end = at;
  for (; end < lines.length && QUOTE.test(lines[end]); end++) {
    inner.push(lines[end].replace(QUOTE, ''));
  }
  return [around('blockquote', blocks(inner, depth + 1).map(one => one.node)), end];
};

const isItem = line => !RULE.test(line) && ITEM.exec(line);
const list = (lines, at, depth) => {
  const first = ITEM.exec(lines[at]);
  const ordered = first[3] !== undefined;
  const node = element(ordered ? 'ol' : 'ul');
  if (ordered) {
    node.start = +first[3];
  }
  let end = at;
  for (;;) {
    const mark = end < lines.length && isItem(lines[end]);
    if (!mark || (mark[3] !== undefined) !== ordered) {
      node.dir = 'auto';
      return [node, end];
    }
    const width = Math.min(mark[0].length, mark[1].length + mark[2].length + 4);
    const inner = [lines[end].slice(mark[0].length)];
    let blanks = 0;
    let lazy = !isFence(inner[0]); // whether a line that is not indented may go on with a paragraph
    for (end++; end < lines.length; end++) {
      const line = lines[end];
      const inside = indent(line) >= Math.min(width, first[1].length + 2);
      if (isBlank(line)) {
        blanks++;
        continue;
      }
      if (!inside && (!lazy || blanks > 0 || isItem(line) || begins(lines, end, depth))) {
        break;
      }
      for (; blanks > 0; blanks--) {
        inner.push('');
      }
      lazy = lazy && !isFence(line.trim());
      inner.push(line.slice(Math.min(width, indent(line))));
    }
    node.append(around('li', blocks(inner, depth + 1).map(one => one.node)));
  }
};

/** Whether a block begins at a line that would else go on with a paragraph. */
const begins = (lines, at, depth) => {
  const line = lines[at];
  const item = depth < DEPTH && isItem(line);
  return isFence(line) || HEADING.test(line) || RULE.test(line) || isTable(lines, at)
    || depth < DEPTH && QUOTE.test(line)
    || item && item[0].length < line.length && (item[3] === undefined || +item[3] === 1);
};

const next = (lines, at, depth) => {
  const line = lines[at];
  const fence = isFence(line);
  if (fence) {
    return fenced(lines, at, fence);
  }
  const level = HEADING.exec(line);
  if (level) {
    return [heading(line, level[1].length), at + 1];
  }
  if (RULE.test(line)) {
    return [element('hr'), at + 1];
  }
  if (isTable(lines, at)) {
    return table(lines, at);
  }
  if (depth < DEPTH && QUOTE.test(line)) {
    return quote(lines, at, depth);
  }
  if (depth < DEPTH && ITEM.test(line)) {
    return list(lines, at, depth);
  }
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]) && !begins(lines, end, depth)) {
    end++;
  }
  return [block('p', lines.slice(at, end).map(one => one.trim()).join('\n')), end];
};

/** The blocks of some lines, each with the line where it begins. */
const blocks = (lines, depth) => {
  const found = [];
  for (let at = 0; at < lines.length;) {
    if (isBlank(lines[at])) {
      at++;
    } else {
      const [node, end] = next(lines, at, depth);
      found.push({line: at, node});
      at = end;
    }
  }
  return found;
};

// What stands in a line: a stack of marks that are open, each kind once, so that a node moves but a few times.

const isSpace = c => c === undefined || /\s/.test(c);
const isWord = c => c !== undefined && /[\p{L}\p{N}_]/u.test(c);
/** An address that may be followed, or none. */
const address = text => {
  try {
    const url = new URL(text);
    return SCHEMES.has(url.protocol) ? url : null;
  } catch (e) {
    return null;
  }
};
/** A link and, where its text is another, where it leads. */
const link = (url, given, content) => {
  const node = element('a', content);
  node.href = url.href;
  node.rel = 'noopener noreferrer';
  node.target = '_blank';
  const found = document.createDocumentFragment();
  found.append(node);
  if (![given, url.href, url.pathname].includes(node.textContent)) {
    const host = element('bdi', ' (' + (url.host || url.pathname) + ')');
    host.className = 'host';
    found.append(host);
  }
  return found;
};
/** The end of a bare address is no mark of the sentence, nor a bracket that it has not opened. */
const trimmed = text => {
  let open = 0;
  for (const c of text) {
    open += c === '(' ? 1 : c === ')' ? -1 : 0;
  }
  let end = text.length;
  while (end > 0 && ('.,;:!?*_~\''.includes(text[end - 1]) || text[end - 1] === ')' && open < 0)) {
    open += text[--end] === ')' ? 1 : 0;
  }
  return text.slice(0, end);
};

const inline = (text, into) => {
  const open = [{mark: '', node: into}];
  let plain = '';
  const put = (...nodes) => {
    if (plain) {
      open[open.length - 1].node.append(plain);
      plain = '';
    }
    open[open.length - 1].node.append(...nodes);
  };
  /** Marks from a place of the stack on were none. */
  const abandon = from => {
    put();
    while (open.length > from) {
      const {mark, node} = open.pop();
      open[open.length - 1].node.append(mark, node);
    }
  };
  const last = test => open.findLastIndex(one => one.mark && test(one.mark));
  const push = mark => {
    const same = last(one => one === mark);
    if (same > 0) {
      abandon(same);
    }
    put();
    open.push({mark, node: document.createDocumentFragment()});
  };
  const close = (from, wrapped) => {
    abandon(from + 1);
    const {node} = open.pop();
    put(wrapped(node));
  };
  const match = (pattern, at) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };

  let runs = null; // of backticks: their places by their length, and how many lie behind
  const codeEnd = (at, length) => {
    if (!runs) {
      runs = new Map();
      for (const run of text.matchAll(/`+/g)) {
        const same = runs.get(run[0].length) || {places: [], past: 0};
        same.places.push(run.index);
        runs.set(run[0].length, same);
      }
    }
    const same = runs.get(length);
    while (same.places[same.past] <= at) {
      same.past++;
    }
    return same.places[same.past];
  };
  const code = (from, to) => {
    const shown = text.slice(from, to).replaceAll('\n', ' ');
    const padded = shown.startsWith(' ') && shown.endsWith(' ') && !isBlank(shown);
    put(element('code', padded ? shown.slice(1, -1) : shown));
  };
  const runAt = at => {
    let end = at + 1;
    while (text[end] === text[at]) {
      end++;
    }
    return end - at;
  };
  const emphasis = (at, length) => {
    const c = text[at];
    const [before, after] = [text[at - 1], text[at + length]];
    const inWord = c === '_' && isWord(before) && isWord(after);
    let rest = length > 3 || c === '~' && length !== 2 || inWord ? 0 : length;
    const left = rest === 0 ? length : 0;
    while (rest > 0 && !isSpace(before)) {
      const from = last(mark => mark[0] === c && mark.length <= rest);
      if (from < 0) {
        break;
      }
      const width = open[from].mark.length;
      close(from, node => element(c === '~' ? 'del' : width === 2 ? 'strong' : 'em', node));
      rest -= width;
    }
    while (rest > 0 && !isSpace(after)) {
      const width = Math.min(rest, 2);
      push(c.repeat(width));
      rest -= width;
    }
    plain += c.repeat(left + rest);
  };
  /** Ends a link's text; where no address follows that may be followed, it was none. */
  const target = at => {
    const from = last(mark => mark.endsWith('['));
    const found = from > 0 && match(TARGET, at + 1);
    const url = found && address(found[1]);
    if (!url) {
      if (from > 0) {
        abandon(from);
      }
      plain += ']';
      return at + 1;
    }
    const picture = open[from].mark[0] === '!';
    close(from, node => picture
      ? element('span', node, ' ', link(url, url.href, url.href))
      : link(url, found[1], node));
    return at + 1 + found[0].length;
  };

  for (let at = 0; at < text.length;) {
    const c = text[at];
    if (c === '\\' && /[!-/:-@[-`{-~]/.test(text[at + 1] || '')) {
      plain += text[at + 1];
      at += 2;
    } else if (c === '\n') {
      put(element('br'));
      at++;
    } else if (c === '`') {
      const length = runAt(at);
      const end = codeEnd(at, length);
      if (end === undefined) {
        plain += '`'.repeat(length);
        at += length;
      } else {
        code(at + length, end);
        at = end + length;
      }
    } else if (c === '*' || c === '_' || c === '~') {
      const length = runAt(at);
      emphasis(at, length);
      at += length;
    } else if (c === '[' || c === '!' && text[at + 1] === '[') {
      const same = last(mark => mark.endsWith('['));
      if (same > 0) {
        abandon(same);
      }
      push(c === '!' ? '![' : '[');
      at += c === '!' ? 2 : 1;
    } else if (c === ']') {
      at = target(at);
    } else if (c === '<' || c === 'h' && !isWord(text[at - 1])) {
      const found = match(c === '<' ? ANGLED : BARE, at);
      const given = found && (c === '<' ? found[1] : trimmed(found[0]));
      const url = found && last(mark => mark.endsWith('[')) < 0 && address(given);
      if (url) {
        put(link(url, given, given));
      } else {
        plain += found ? found[0] : c;
      }
      at += url && c !== '<' ? given.length : found ? found[0].length : 1;
    } else {
      const found = match(PLAIN, at);
      plain += found ? found[0] : c;
      at += found ? found[0].length : 1;
    }
  }
  abandon(1);
  put();
};

/**
 * Shows a text in an element, again and again as it grows. Blocks that no further text can change are not built again:
 * what begins a block is known two lines on.
 */
const shown = into => {
  let settled = 0; // characters
  let kept = 0;    // nodes
  return text => {
    const lines = text.slice(settled).split('\n');
    const found = blocks(lines.map(line =>
      line.replace(/\r$/, '').replace(/^[ \t]+/, space => space.replaceAll('\t', '    '))), 0);
    while (into.childNodes.length > kept) {
      into.lastChild.remove();
    }
    found.forEach(one => into.append(one.node));
    const at = found.findLastIndex(one => one.line + 2 < lines.length);
    if (at > 0) {
      kept += at;
      settled += lines.slice(0, found[at].line).reduce((sum, line) => sum + line.length + 1, 0);
    }
  };
};
return {shown};
})();
