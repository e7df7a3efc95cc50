(() => {
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const served = !data.items;
const QUESTIONS = [
  ['instruction_valid', 'Does the instruction describe a valid task?'],
  ['input_fitting', 'Is the input appropriate for the instruction?'],
  ['output_right', 'Is the output a correct and acceptable response to the instruction and input?']];
const LEVELS = [
  ['a', 'Correct and satisfying'],
  ['b', 'Acceptable, with minor errors or imperfections'],
  ['c', 'Responds to the instruction, but has significant errors'],
  ['d', 'Irrelevant or invalid']];
const HEADS = {
  pairwise: 'Which answer is better?', ranking: 'Rank the answers, best first',
  audit: 'Is this right?', rating: 'How good is the answer?',
  demonstration: 'Write the answer, or correct the one there is'};
const HELP = {
  pairwise: 'Keys: 1 or ← the first answer, 2 or → the second, T a tie, B both bad, U undo, E export.',
  ranking: 'Keys: the numbers of the answers, best first; = before a number puts it beside the one before;'
    + ' Backspace takes the last back; Enter when all have a place. U undo, E export.',
  audit: 'Keys: Y or N for each question in turn; ↑ and ↓ change the question; Enter when all are answered.'
    + ' U undo, E export.',
  rating: 'Keys: A, B, C, D. U undo, E export.',
  demonstration: 'Keys: Ctrl and Enter keeps the answer. Outside the text: U undo, E export.'};

const AGAIN = 20000; // milliseconds between looks for an item
const DAY = 86400; // seconds; a vote says no more

// CounterRandom of the library, on 64 bits.
const ALL = (1n << 64n) - 1n;
const finalise = z => {
  z = ((z ^ (z >> 30n)) * 0xBF58476D1CE4E5B9n) & ALL;
  z = ((z ^ (z >> 27n)) * 0x94D049BB133111EBn) & ALL;
  return z ^ (z >> 31n);
};
const key = (of, coordinate) => finalise((of + 0x9E3779B97F4A7C15n * (coordinate + 1n)) & ALL);
const hash = text => { // FNV-1a over UTF-16 units
  let h = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    h = ((h ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n) & ALL;
  }
  return h;
};
/** Whether a rater sees the second answer of a pair first. */
const flipped = (rater, item) => key(key(BigInt(data.sides), hash(rater)), hash(item)) >> 63n === 1n;

const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'onclick') {
      element.addEventListener('click', value);
    } else if (value !== false) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...children);
  return element;
};
const shortcut = (label, keys, act) =>
  make('button', {type: 'button', 'aria-keyshortcuts': keys, onclick: act},
    make('kbd', {'aria-hidden': true}, keys.split(' ')[0]), ' ' + label);
const box = (name, text) => make('section', {class: 'text'},
  make('h2', {class: 'part'}, name),
  make('div', {class: 'shown', dir: 'auto', tabindex: 0, role: 'region', 'aria-label': name}, text));

let rater = '';
let item = null;      // what is shown
let state = null;     // what is chosen of it so far
let keys = () => false;
let busy = false;
let since = null;     // when the item came into sight
let again = 0;        // the timer of the next look
let seconds = 0;      // for how long it was in sight before

const heading = make('h1', {tabindex: -1}, HEADS[data.form]);
const progress = make('p', {role: 'status', id: 'progress'});
const notice = make('p', {role: 'alert', id: 'notice'});
const main = make('main', {});
const undoButton = shortcut('undo', 'U', () => undo());
const exportButton = shortcut('export', 'E', () => exported());
const controls = make('nav', {'aria-label': 'Votes'}, undoButton);
if (!served) {
  controls.append(exportButton);
}
const guide = make('details', {}, make('summary', {}, 'Guidelines'),
  make('div', {class: 'shown', dir: 'auto'}, data.guidelines || ''));
document.body.append(make('header', {}, heading, progress, make('p', {id: 'help'}, HELP[data.form])),
  ...(data.guidelines ? [guide] : []), notice, main, controls);
let unkept = ''; // said until the browser keeps things again
const say = text => {
  const all = [text, unkept].filter(Boolean).join(' ');
  if (notice.textContent !== all) {
    notice.textContent = all;
  }
};

// Where votes are kept: in this browser, or by the server that gave the page.
const shelf = name => 'rate/' + (data.page || '') + (name === undefined ? '' : '/' + name);
const remember = (name, value) => {
  try {
    localStorage.setItem(name, value);
    unkept = '';
  } catch (e) {
    unkept = 'This browser keeps nothing (' + e.name + '): '
      + (served ? 'keep the page open while you write.' : 'export before you close the page.');
    say('');
  }
  return !unkept;
};
const recall = name => {
  try {
    return localStorage.getItem(name);
  } catch (e) {
    return null;
  }
};
const forget = name => {
  try {
    localStorage.removeItem(name);
  } catch (e) { /* nothing was kept */ }
};

const browser = {
  votes: [],
  kept: true, // false: the shelf lacks votes that are here
  /** Takes what is on the shelf, which the page in another tab fills too. */
  open() {
    if (this.kept) {
      this.votes = JSON.parse(recall(shelf(rater)) || '[]');
    }
  },
  keep() {
    this.kept = remember(shelf(rater), JSON.stringify(this.votes));
  },
  async next() {
    const done = new Set(this.votes.map(vote => vote.id));
    const item = data.items.find(one => !done.has(one.id)) || null;
    return {item, done: done.size, total: data.items.length};
  },
  async vote(vote) {
    this.open();
    this.votes = [...this.votes.filter(one => one.id !== vote.id), vote];
    this.keep();
  },
  async undo() {
    this.open();
    const last = this.votes.pop();
    if (!last) {
      return null;
    }
    this.keep();
    return {item: data.items.find(one => one.id === last.id), done: this.votes.length,
      total: data.items.length, text: last.text};
  }};

const server = {
  before: [],
  last: null,
  async ask(path, body) {
    const reply = await fetch(path, {method: 'POST', body: JSON.stringify(body),
      headers: {'Authorization': 'Bearer ' + location.hash.slice(1), 'Content-Type': 'application/json'}});
    if (!reply.ok) {
      throw new Error((await reply.json().catch(() => ({}))).error || 'The server says ' + reply.status);
    }
    return reply.json();
  },
  async next() {
    this.last = await this.ask('next', {});
    data.sides = this.last.sides;
    rater = this.last.judge;
    return this.last;
  },
  async vote(vote) {
    await this.ask('vote', vote);
    this.before.push({...this.last, text: vote.text});
  },
  async undo() {
    const before = this.before.pop() || null;
    this.last = before || this.last;
    return before;
  }};
const store = served ? server : browser;

const sight = () => {
  if (document.hidden && since !== null) {
    seconds += (performance.now() - since) / 1000;
    since = null;
  } else if (!document.hidden && since === null) {
    since = performance.now();
  }
};
document.addEventListener('visibilitychange', sight);

/** Says what it means that something failed. */
const meaning = (before, promise, after) => promise.catch(e => {
  throw new Error(before + ': ' + e.message + '. ' + after);
});
const next = before => meaning(before, store.next(), 'Reload the page.');

/** Runs what talks to the store; keys wait. */
const alone = async work => {
  if (busy) {
    return;
  }
  busy = true;
  document.body.setAttribute('aria-busy', 'true');
  try {
    await work();
  } catch (e) {
    say(e.message);
  } finally {
    busy = false;
    document.body.removeAttribute('aria-busy');
  }
};

const counted = ({done, total}) => {
  progress.textContent = done + ' of ' + total;
  undoButton.disabled = served ? server.before.length === 0 : browser.votes.length === 0;
};

const show = ({item: shown, done, total, waiting, text}) => {
  if (waiting && again) {
    counted({done, total});
    return;
  }
  clearInterval(again);
  again = 0;
  item = shown;
  state = null;
  keys = () => false;
  counted({done, total});
  main.textContent = '';
  if (!item) {
    heading.textContent = waiting ? 'Please wait' : 'Thank you, ' + rater;
    if (waiting) {
      again = setInterval(begin, AGAIN);
    }
    main.append(make('p', {}, waiting
      ? 'Others have open what is left to rate. This page looks again by itself; you may also close it.'
      : served ? 'Nothing is left to rate. You may close the page.'
      : 'All items are rated. Export your ratings and send the file back.'));
    (served ? heading : exportButton).focus();
    return;
  }
  heading.textContent = HEADS[data.form];
  for (const part of item.parts) {
    main.append(box(part.name, part.text));
  }
  forms[data.form](text);
  seconds = 0;
  since = document.hidden ? null : performance.now();
  if (data.form !== 'demonstration') {
    heading.focus();
  }
  scrollTo(0, 0);
};

const vote = said => alone(async () => {
  const inSight = seconds + (since === null ? 0 : (performance.now() - since) / 1000);
  say('');
  await meaning('Not kept', store.vote({id: item.id, judge: rater, form: data.form, ...said,
    seconds: Math.round(Math.min(inSight, DAY) * 1000) / 1000, voted_at: new Date().toISOString()}),
  'Try again.');
  forget(shelf('draft/' + rater + '/' + item.id));
  show(await next('Your vote is kept, but no other item comes'));
});

const undo = () => alone(async () => {
  const before = await store.undo();
  if (before) {
    show(before);
    say(served ? 'Rate it again: until then the earlier vote counts.' : 'The last vote is taken back.');
  }
});

const exported = () => {
  if (served) {
    return;
  }
  const lines = browser.votes.map(one => JSON.stringify(one) + '\n').join('');
  const url = URL.createObjectURL(new Blob([lines], {type: 'application/x-ndjson'}));
  const link = make('a', {href: url,
    download: 'ratings-' + rater.replace(/[^\p{L}\p{N}_-]+/gu, '_') + '.jsonl'});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
  say(browser.votes.length + ' ratings are exported.');
};

const forms = {
  pairwise() {
    const order = flipped(rater, item.id) ? ['2', '1'] : ['1', '2'];
    const choose = verdict => vote({verdict, shown_first: order[0]});
    main.append(make('div', {class: 'pair'},
      box('Answer 1', item.answers[order[0] - 1]), box('Answer 2', item.answers[order[1] - 1])));
    main.append(make('div', {class: 'choices', role: 'group', 'aria-label': HEADS.pairwise},
      shortcut('Answer 1 is better', '1 ArrowLeft', () => choose(order[0])),
      shortcut('Answer 2 is better', '2 ArrowRight', () => choose(order[1])),
      shortcut('A tie', 'T', () => choose('tie')),
      shortcut('Both are bad', 'B', () => choose('both_bad'))));
    const means = {1: order[0], arrowleft: order[0], 2: order[1], arrowright: order[1], t: 'tie', b: 'both_bad'};
    keys = pressed => pressed in means && (choose(means[pressed]), true);
  },

  ranking() {
    state = {places: [], beside: false};
    const list = make('ol', {'aria-label': 'Your ranking', 'aria-live': 'polite'});
    const boxes = item.answers.map((text, i) => box('Answer ' + (i + 1), text));
    const left = () => item.answers.length - state.places.flat().length;
    const draw = () => {
      list.textContent = '';
      state.places.forEach(place => list.append(make('li', {}, place.map(n => 'Answer ' + n).join(' = '))));
      boxes.forEach((one, i) => one.classList.toggle('placed', state.places.flat().includes('' + (i + 1))));
      confirm.disabled = left() > 0;
      equal.setAttribute('aria-pressed', state.beside);
    };
    const place = n => {
      if (state.places.flat().includes(n)) {
        return;
      }
      if (state.beside && state.places.length) {
        state.places[state.places.length - 1].push(n);
      } else {
        state.places.push([n]);
      }
      say('');
      state.beside = false;
      draw();
    };
    const back = () => {
      const last = state.places[state.places.length - 1];
      if (last) {
        last.pop();
        if (!last.length) {
          state.places.pop();
        }
      }
      state.beside = false;
      draw();
    };
    const beside = () => { state.beside = !state.beside; draw(); };
    const confirm = shortcut('keep this ranking', 'Enter', () => vote({ranking: state.places}));
    const equal = shortcut('beside the one before', '=', beside);
    boxes.forEach((one, i) => one.append(shortcut('next', '' + (i + 1), () => place('' + (i + 1)))));
    main.append(make('div', {class: 'many'}, ...boxes), make('h2', {}, 'Your ranking'), list,
      make('div', {class: 'choices'}, equal, shortcut('take the last back', 'Backspace', back), confirm));
    draw();
    keys = pressed => {
      if (/^[1-9]$/.test(pressed) && pressed <= item.answers.length) {
        place(pressed);
      } else if (pressed === '=') {
        beside();
      } else if (pressed === 'backspace') {
        back();
      } else if (pressed === 'enter') {
        if (left()) {
          say('Each answer wants a place.');
        } else {
          vote({ranking: state.places});
        }
      } else {
        return false;
      }
      return true;
    };
  },

  audit() {
    state = {};
    let at = 0;
    main.append(box('Output', item.answers[0]));
    const sets = QUESTIONS.map(([name, text]) => {
      const set = make('fieldset', {}, make('legend', {}, text));
      for (const value of ['yes', 'no']) {
        const radio = make('input', {type: 'radio', name, value});
        radio.addEventListener('change', () => answer(name, value));
        set.append(make('label', {}, radio, ' ' + value));
      }
      return set;
    });
    const answer = (name, value) => {
      state[name] = value;
      const index = QUESTIONS.findIndex(one => one[0] === name);
      sets[index].querySelector('[value=' + value + ']').checked = true;
      at = Math.min(index + 1, QUESTIONS.length - 1);
      draw();
    };
    const confirm = () => QUESTIONS.every(one => state[one[0]]) ? vote({label: state})
      : say('Each question wants an answer.');
    const draw = () => sets.forEach((set, i) => set.classList.toggle('current', i === at));
    main.append(...sets, make('div', {class: 'choices'}, shortcut('keep these answers', 'Enter', confirm)));
    draw();
    keys = pressed => {
      if (pressed === 'y' || pressed === 'n') {
        answer(QUESTIONS[at][0], pressed === 'y' ? 'yes' : 'no');
      } else if (pressed === 'arrowup' || pressed === 'arrowdown') {
        at = Math.min(Math.max(at + (pressed === 'arrowup' ? -1 : 1), 0), QUESTIONS.length - 1);
        draw();
      } else if (pressed === 'enter') {
        confirm();
      } else {
        return false;
      }
      return true;
    };
  },

  rating() {
    main.append(box('Answer', item.answers[0]));
    const choose = level => vote({label: {level}});
    main.append(make('div', {class: 'choices', role: 'group', 'aria-label': HEADS.rating},
      ...LEVELS.map(([level, text]) => shortcut(text, level.toUpperCase(), () => choose(level)))));
    keys = pressed => LEVELS.some(one => one[0] === pressed) && (choose(pressed), true);
  },

  demonstration(before) {
    const draft = shelf('draft/' + rater + '/' + item.id);
    const area = make('textarea', {id: 'answer', dir: 'auto', rows: 12, maxlength: 1 << 20});
    if (before) {
      remember(draft, before);
    }
    area.value = before || recall(draft) || item.answers[0] || '';
    area.addEventListener('input', () => remember(draft, area.value));
    const confirm = () => area.value.trim() ? vote({text: area.value}) : say('The answer is empty.');
    area.addEventListener('keydown', event => {
      if (event.key === 'Enter' && event.ctrlKey) {
        event.preventDefault();
        confirm();
      }
    });
    main.append(make('label', {for: 'answer'}, 'Your answer'), area,
      make('div', {class: 'choices'}, shortcut('keep the answer', 'Control+Enter', confirm)));
    area.focus();
  }};

document.addEventListener('keydown', event => {
  const pressed = event.key.toLowerCase();
  const inText = /^(TEXTAREA|INPUT)$/.test(event.target.tagName) && event.target.type !== 'radio';
  const onButton = event.target.tagName === 'BUTTON' && pressed === 'enter';
  if (inText || onButton || event.ctrlKey || event.metaKey || event.altKey || event.repeat || !rater || busy) {
    return;
  }
  let taken = true;
  if (item && keys(pressed)) {
    // done
  } else if (pressed === 'u') {
    undo();
  } else if (pressed === 'e') {
    exported();
  } else {
    taken = false;
  }
  if (taken) {
    event.preventDefault();
  }
});

const begin = () => alone(async () => {
  browser.open();
  const now = await next('No item comes');
  say('');
  show(now);
});

/** Goes on where the page in another tab is; what is being written stays. */
addEventListener('storage', event => {
  if (served || !rater || event.key !== shelf(rater)) {
    return;
  }
  alone(async () => {
    browser.open();
    const now = await store.next();
    const rated = item === null || browser.votes.some(one => one.id === item.id);
    if (rated && data.form !== 'demonstration') {
      show(now);
    } else {
      counted(now);
    }
  });
});

if (served) {
  begin();
} else if (recall(shelf())) {
  rater = recall(shelf());
  begin();
} else {
  const name = make('input', {id: 'rater', autocomplete: 'off', required: true, maxlength: 100});
  const form = make('form', {}, make('label', {for: 'rater'}, 'Your name, or what you are called here'), name,
    make('button', {type: 'submit'}, 'Begin'));
  form.addEventListener('submit', event => {
    event.preventDefault();
    if (name.value.trim()) {
      rater = name.value.trim();
      remember(shelf(), rater);
      begin();
    }
  });
  guide.open = true;
  main.append(form);
  name.focus();
}
})();
