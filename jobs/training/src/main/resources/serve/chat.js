(() => {
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const NUMBERS = [
  ['temperature', 'Temperature', {min: 0, max: 2, step: 'any'}],
  ['top_p', 'Top p', {min: 0, max: 1, step: 'any'}],
  ['max_tokens', 'Tokens of an answer at most', {min: 1, max: 2147483647, step: 1}],
  ['seed', 'Seed', {min: -9007199254740991, max: 9007199254740991, step: 1}]];
const VERDICTS = [['a', 'A is better'], ['b', 'B is better'], ['tie', 'A tie'], ['both_bad', 'Both are bad']];
const SIDES = ['A', 'B'];
const BROKEN = 'The answer broke off: the connection has ended.';
const NEAR_END = 80; // pixels
const TOLD = 2000;   // characters of an answer that a screen reader is told at its end
const SVG = 'http://www.w3.org/2000/svg';
const THUMB = 'M3 11h4v9H3zm6 9V11l4-8c1.6 0 2.6 1.1 2.4 2.6L14.8 9h4.7c1.3 0 2.2 1.1 2 2.3l-1.3 7c-.2 1-1 1.7-2 1.7z';

const make = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) {
      node.addEventListener(name.slice(2), value);
    } else if (value !== false && value !== undefined) {
      node.setAttribute(name, value === true ? '' : value);
    }
  }
  node.append(...children);
  return node;
};
const button = (label, act, attributes) => make('button', {type: 'button', onclick: act, ...attributes}, label);
const labelled = (text, field) => make('label', {}, make('span', {}, text), field);

// What the browser keeps: settings for good, the conversation and the key as long as the tab.
const shelf = kept => ({
  read(name) {
    try {
      return JSON.parse(kept().getItem('chat/' + name));
    } catch (e) {
      return null;
    }
  },
  write(name, value) {
    try {
      kept().setItem('chat/' + name, JSON.stringify(value));
    } catch (e) { /* It is forgotten with the page. */ }
  }});
const forGood = shelf(() => localStorage);
const forTab = shelf(() => sessionStorage);

const settings = {system: '', name: '', ...forGood.read('settings')};
const judge = forGood.read('judge')
  || 'browser-' + [...crypto.getRandomValues(new Uint8Array(8))].map(b => b.toString(16).padStart(2, '0')).join('');
forGood.write('judge', judge);

/** Turns: what was said, and an answer in each column. */
let turns = forTab.read('turns') || [];
let key = forTab.read('key') || '';
let models = [];
const work = new Map();   // answers that are being written, and what stops them
const views = new Map();  // turns and answers: their nodes, and what draws them
const drawn = new Set();  // what waits for the next frame

// The page.

const choice = (id, label) => make('select', {id, 'aria-label': label,
  onchange: () => { remember(); draw(); }});
const modelA = choice('model', 'Model');
const modelB = choice('compared', 'Compare with');
const log = make('main', {tabindex: 0, 'aria-label': 'Conversation'});
const told = make('p', {role: 'status', class: 'told'});
const notice = make('div', {id: 'notice', role: 'alert'});
const area = make('textarea', {id: 'said', rows: 1, dir: 'auto', placeholder: 'Write a message', 'aria-label': 'Message',
  'aria-describedby': 'keys'});
const sendButton = make('button', {type: 'submit', class: 'first'}, 'Send');
const stopButton = button('Stop', () => stop(), {'aria-keyshortcuts': 'Escape', class: 'first', hidden: true});
const form = make('form', {class: 'composer', 'aria-label': 'New message', onsubmit: event => { event.preventDefault(); send(); }},
  area, sendButton, stopButton,
  make('p', {id: 'keys'}, 'Enter sends, Shift and Enter begins a line, Escape stops.'));
const dialog = make('dialog', {'aria-labelledby': 'settings'});
document.body.append(
  make('header', {}, make('h1', {}, 'Chat'),
    labelled('Model', modelA), labelled('Compare with', modelB),
    make('div', {class: 'row'}, button('New chat', () => begin(), {id: 'new'}),
      button('Settings', () => openSettings(), {id: 'open'}))),
  notice, log, form, dialog, told);

// The server.

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}
const api = async (path, body, signal) => {
  let reply;
  try {
    reply = await fetch(path, {method: body ? 'POST' : 'GET', signal,
      headers: {...(key && {Authorization: 'Bearer ' + key}), ...(body && {'Content-Type': 'application/json'})},
      body: body && JSON.stringify(body)});
  } catch (e) {
    throw e.name === 'AbortError' ? e : new Refused(0, 'The server cannot be reached.');
  }
  if (reply.ok) {
    return reply;
  }
  const said = await reply.json().then(one => one.error.message).catch(() => 'The server says ' + reply.status);
  const wait = reply.headers.get('Retry-After');
  if (reply.status === 401) {
    askKey();
  }
  throw new Refused(reply.status, said + (/[.!?]$/.test(said) ? '' : '.')
    + (/^\d+$/.test(wait || '') ? ' It asks to wait ' + wait + (wait === '1' ? ' second.' : ' seconds.') : ''));
};
/** Gives the events of a stream; says whether it came to its end. */
const events = async (body, take) => {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const {done, value} = await reader.read().catch(e => {
      throw e.name === 'AbortError' ? e : new Refused(0, BROKEN);
    });
    if (done) {
      throw new Refused(0, BROKEN);
    }
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.trim() === 'data: [DONE]') {
        return;
      }
      if (line.startsWith('data: ')) {
        take(JSON.parse(line.slice(6)));
      }
    }
  }
};

const load = async () => {
  try {
    const reply = await api('v1/models');
    models = (await reply.json()).data.map(one => one.id);
    notice.textContent = '';
  } catch (e) {
    if (e.status !== 401) {
      notice.replaceChildren(make('p', {}, e.message + ' '), button('Try again', () => load()));
    }
    return;
  }
  const fill = (select, options, chosen) => {
    select.replaceChildren(...options.map(([value, text]) => make('option', {value}, text)));
    select.value = options.some(one => one[0] === chosen) ? chosen : options[0][0];
  };
  const named = models.map(name => [name, name]);
  fill(modelA, named, settings.model);
  fill(modelB, [['', 'nobody'], ...named], settings.compared);
  draw();
};
const askKey = () => {
  if (document.getElementById('key')) {
    return;
  }
  const field = make('input', {id: 'key', type: 'password', autocomplete: 'off', required: true});
  notice.replaceChildren(make('form', {class: 'row', onsubmit: event => {
    event.preventDefault();
    key = field.value.trim();
    forTab.write('key', key);
    notice.textContent = '';
    load().then(() => models.length > 0 && area.focus());
  }}, labelled(key ? 'The server wants another key' : 'The server wants its key', field),
  make('button', {type: 'submit'}, 'Use it')));
  field.focus();
};

// Turns.

const isOver = answer => answer.state === 'done' || answer.state === 'stopped' && answer.text !== '';
/** What a column is asked in a turn; before two are compared both have one dialogue. */
const dialogue = (turn, side) => {
  const messages = turn.system ? [{role: 'system', content: turn.system}] : [];
  for (const one of turns.slice(0, turns.indexOf(turn))) {
    const answer = one.answers[side] || one.answers[0];
    if (isOver(answer)) {
      messages.push({role: 'user', content: one.said}, {role: 'assistant', content: answer.text});
    }
  }
  return [...messages, {role: 'user', content: turn.said}];
};
const keep = () => forTab.write('turns', turns);

const ask = async (turn, side) => {
  const answer = turn.answers[side];
  const stopper = new AbortController();
  Object.assign(answer, {text: '', state: 'busy', notes: '', thumb: undefined});
  turn.verdict = undefined;
  work.set(answer, stopper);
  draw();
  const begun = performance.now();
  let [finish, tokens] = ['', 0];
  const values = Object.fromEntries(NUMBERS.map(([name]) => [name, settings[name]]));
  try {
    const reply = await api('v1/chat/completions', {model: answer.model, messages: dialogue(turn, side), stream: true,
      stream_options: {include_usage: true}, ...values}, stopper.signal);
    await events(reply.body, event => {
      if (event.error) {
        throw new Refused(0, event.error.message);
      }
      const choice = event.choices[0] || {};
      answer.text += (choice.delta && choice.delta.content) || '';
      finish = choice.finish_reason || finish;
      tokens = event.usage ? event.usage.completion_tokens : tokens;
      later(answer);
    });
    answer.state = 'done';
    const seconds = (performance.now() - begun) / 1000;
    answer.notes = tokens + (tokens === 1 ? ' token in ' : ' tokens in ') + seconds.toFixed(1) + ' s'
      + (finish === 'length' ? '; cut at the limit of tokens' : '');
  } catch (e) {
    answer.state = stopper.signal.aborted ? 'stopped' : 'failed';
    answer.notes = stopper.signal.aborted ? 'Stopped.' : e.message;
  }
  work.delete(answer);
  told.textContent = (answer.text ? answer.model + ': ' + answer.text.slice(0, TOLD) : '')
    + (answer.state === 'done' ? '' : ' ' + answer.notes);
  keep();
  draw();
};

const send = async () => {
  const said = area.value;
  if (said.trim() === '' || work.size > 0) {
    return;
  }
  if (models.length === 0) {
    await load();
    if (models.length === 0) {
      return;
    }
  }
  const names = modelB.value ? [modelA.value, modelB.value] : [modelA.value];
  const turn = {said, system: settings.system, answers: names.map(model => ({model, text: '', state: 'busy', notes: ''}))};
  turns.push(turn);
  area.value = '';
  grow();
  told.textContent = 'Asked.';
  turn.answers.forEach((answer, side) => ask(turn, side));
  log.scrollTop = log.scrollHeight;
};
const stop = () => {
  work.forEach(one => one.abort());
  area.focus();
};
const begin = () => {
  stop();
  turns = [];
  views.clear();
  keep();
  draw();
};
/** Takes the last turn back, and gives what was said to be written again. */
const edit = turn => {
  turns.pop();
  area.value = turn.said;
  grow();
  keep();
  draw();
  area.focus();
};

/** A vote that the server keeps before it is shown; one that is given again is taken back. */
const vote = async (turn, said, place, name, value) => {
  const given = place[name] === value ? null : value;
  try {
    await api('v1/judgements', {prompt: dialogue(turn, 0), judge: settings.name.trim() || judge, ...said(given)});
    place[name] = given === null ? undefined : given;
    told.textContent = given === null ? 'Your vote is taken back.' : 'Your vote is kept.';
    turn.refused = '';
  } catch (e) {
    turn.refused = 'Your vote is not kept: ' + e.message;
  }
  keep();
  draw();
};
const thumb = (turn, side, score) => {
  const answer = turn.answers[side];
  return vote(turn, given => ({prompt: dialogue(turn, side), model_a: answer.model, answer_a: answer.text,
    criterion: 'thumb', score: given}), answer, 'thumb', score);
};
const compare = (turn, verdict) => {
  const [a, b] = turn.answers;
  return vote(turn, given => ({model_a: a.model, answer_a: a.text, model_b: b.model, answer_b: b.text,
    verdict: given, shown_first: 'a'}), turn, 'verdict', verdict);
};

// Drawing: at most once a frame while answers come.

const following = (change) => {
  const near = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
  change();
  if (near) {
    log.scrollTop = log.scrollHeight;
  }
};
const later = answer => {
  if (drawn.size === 0) {
    requestAnimationFrame(() => following(() => {
      drawn.forEach(one => views.has(one) && views.get(one).draw());
      drawn.clear();
    }));
  }
  drawn.add(answer);
};

const copied = async (text, from) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch (e) {
    // Over plain HTTP a browser has no clipboard, but the older way.
    const field = make('textarea', {class: 'told', 'aria-hidden': true}, text);
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
    from.focus();
  }
  told.textContent = 'Copied.';
  from.textContent = 'Copied';
  setTimeout(() => { from.textContent = 'Copy'; }, 1500);
};
log.addEventListener('click', event => {
  const from = event.target.closest('button[data-copy]');
  if (from) {
    copied(from.dataset.copy, from);
  }
});

const thumbButton = (label, turned, act) => {
  const picture = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', THUMB);
  picture.setAttribute('viewBox', '0 0 24 24');
  picture.setAttribute('aria-hidden', 'true');
  picture.append(path);
  return make('button', {type: 'button', class: turned ? 'thumb turned' : 'thumb', 'aria-label': label, title: label,
    onclick: act}, picture);
};

const answerView = (turn, side) => {
  const answer = turn.answers[side];
  const text = make('div', {class: 'text'});
  let shown = markdown.shown(text);
  let last = '';
  const notes = make('span', {class: 'notes', dir: 'auto'});
  const again = button('Again', () => ask(turn, side));
  const copy = button('Copy', event => copied(answer.text, event.currentTarget), {'aria-label': 'Copy the answer'});
  const thumbs = data.judgements
    ? [thumbButton('Good answer', false, () => thumb(turn, side, 1)),
      thumbButton('Bad answer', true, () => thumb(turn, side, 0))] : [];
  const name = make('bdi', {}, answer.model);
  const node = make('article', {class: 'answer'},
    make('h2', {}, ...(turn.answers.length > 1 ? [SIDES[side] + ': '] : []), name),
    text, make('div', {class: 'row'}, notes, copy, again, ...thumbs));
  const draw = () => {
    if (!answer.text.startsWith(last) || answer.text === '' && last !== '') {
      text.replaceChildren();
      shown = markdown.shown(text);
      last = '';
    }
    if (answer.text !== last) {
      shown(answer.text);
      last = answer.text;
    }
    const busy = answer.state === 'busy';
    node.setAttribute('aria-busy', busy);
    node.classList.toggle('waits', busy && answer.text === '');
    notes.textContent = answer.notes || (answer.text || busy ? '' : 'An empty answer.');
    notes.classList.toggle('failed', answer.state === 'failed');
    copy.hidden = busy || answer.text === '';
    again.hidden = work.size > 0 || turn !== turns[turns.length - 1];
    again.textContent = answer.state === 'failed' ? 'Try again' : 'Again';
    thumbs.forEach((one, i) => {
      one.hidden = !isOver(answer);
      one.setAttribute('aria-pressed', answer.thumb === 1 - i);
    });
  };
  views.set(answer, {node, draw});
  return node;
};

const turnView = turn => {
  const text = make('div', {dir: 'auto', class: 'shown'}, turn.said);
  const change = button('Edit', () => edit(turn), {'aria-label': 'Edit your message'});
  const buttons = VERDICTS.map(([verdict, label]) => button(label, () => compare(turn, verdict)));
  const group = make('div', {class: 'row verdict', role: 'group', 'aria-label': 'Which answer is better?'}, ...buttons);
  const differ = make('p', {class: 'notes'}, 'A and B have had different dialogues: begin a new chat to compare them.');
  const refused = make('p', {class: 'notes failed', role: 'alert'});
  const node = make('section', {class: 'turn'},
    make('div', {class: 'said'}, make('h2', {class: 'told'}, 'You'), text, change),
    make('div', {class: turn.answers.length > 1 ? 'pair' : ''}, ...turn.answers.map((one, side) => answerView(turn, side))),
    group, differ, refused);
  const draw = () => {
    change.hidden = work.size > 0 || turn !== turns[turns.length - 1];
    const both = data.judgements && turn.answers.length > 1 && turn.answers.every(isOver);
    const alike = both && JSON.stringify(dialogue(turn, 0)) === JSON.stringify(dialogue(turn, 1));
    group.hidden = !alike;
    differ.hidden = !both || alike;
    buttons.forEach((one, i) => one.setAttribute('aria-pressed', turn.verdict === VERDICTS[i][0]));
    refused.textContent = turn.refused || '';
    turn.answers.forEach(one => views.get(one).draw());
  };
  views.set(turn, {node, draw});
};

const draw = () => following(() => {
  const active = document.activeElement;
  turns.forEach(turn => views.has(turn) || turnView(turn));
  const wanted = turns.map(turn => views.get(turn).node);
  [...log.children].forEach(one => wanted.includes(one) || one.remove());
  log.append(...wanted.filter(one => one.parentNode !== log));
  if (turns.length === 0) {
    log.append(make('p', {class: 'empty'}, modelB.value
      ? 'Both answer what you write, side by side.' : 'Write a message to begin.'));
  }
  turns.forEach(turn => views.get(turn).draw());
  sendButton.hidden = work.size > 0;
  stopButton.hidden = work.size === 0;
  if (active && active.hidden) {
    (work.size > 0 ? stopButton : area).focus();
  }
});

const remember = () => {
  settings.model = modelA.value;
  settings.compared = modelB.value;
  forGood.write('settings', settings);
};
const openSettings = () => {
  const system = make('textarea', {rows: 4, dir: 'auto'}, settings.system);
  const numbers = NUMBERS.map(([name, , bounds]) => make('input', {type: 'number', inputmode: 'decimal', ...bounds,
    placeholder: 'as the server has it', value: settings[name]}));
  const name = make('input', {maxlength: 100, autocomplete: 'off', placeholder: judge, value: settings.name});
  dialog.replaceChildren(make('form', {onsubmit: event => {
    event.preventDefault();
    settings.system = system.value.trim() === '' ? '' : system.value;
    settings.name = name.value;
    NUMBERS.forEach(([one], i) => { settings[one] = numbers[i].value === '' ? undefined : +numbers[i].value; });
    remember();
    dialog.close();
  }}, make('h2', {id: 'settings'}, 'Settings'), labelled('System prompt', system),
  ...NUMBERS.map(([, label], i) => labelled(label, numbers[i])),
  ...(data.judgements ? [labelled('Your name in judgements', name)] : []),
  make('div', {class: 'row'}, make('button', {type: 'submit', class: 'first'}, 'Keep'),
    button('Cancel', () => dialog.close()))));
  dialog.showModal();
};
const grow = () => {
  forTab.write('draft', area.value);
  area.style.height = 'auto';
  area.style.height = Math.min(area.scrollHeight + 2, innerHeight * 0.4) + 'px';
};

area.addEventListener('input', grow);
area.addEventListener('keydown', event => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
});
document.addEventListener('keydown', event => {
  if (event.key === 'Escape' && !dialog.open && work.size > 0) {
    stop();
  }
});

turns.flatMap(turn => turn.answers).filter(one => one.state === 'busy').forEach(one => {
  Object.assign(one, {state: 'stopped', notes: 'Stopped: the page was loaded again.'});
});
area.value = forTab.read('draft') || '';
grow();
draw();
log.scrollTop = log.scrollHeight;
if (!matchMedia('(pointer: coarse)').matches) {
  area.focus();
}
load();
})();
