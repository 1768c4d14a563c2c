// What happens in the hub: asked for every two seconds while the page is shown; less often while there is no answer.

import { ago, date, fill, number, time } from './table.js';

/** Milliseconds between questions, and the most of them while there is no answer. */
const EVERY = 2000;
const RARELY = 30_000;
const STEP = 50;
const MOST = 1000;
const KEPT = 'tinysse.admin';

const at = (id) => document.getElementById(id);

let key = sessionStorage.getItem(KEPT);
let limit = STEP;
let timer;
let pause = EVERY;
/** Counts questions, so that an answer that comes late, or behind the lock, changes nothing. */
let asked = 0;

at('open').addEventListener('submit', (event) => {
  event.preventDefault();
  key = at('key').value;
  look();
});

at('lock').addEventListener('click', () => lock('Locked.'));

at('filter').addEventListener('submit', (event) => event.preventDefault());

at('user').addEventListener('input', () => {
  limit = STEP;
  look();
});

at('more').addEventListener('click', () => {
  limit = Math.min(limit + STEP, MOST);
  look();
});

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && key) {
    look();
  }
});

at('publish').addEventListener('submit', async (event) => {
  event.preventDefault();
  const update = { type: at('type').value.trim() };
  const to = at('to').value.split(',');
  const audiences = to.map((one) => one.trim()).filter((one) => one !== '');
  if (audiences.length > 0) {
    update.to = audiences;
  }
  if (at('data').value.trim() !== '') {
    try {
      update.data = JSON.parse(at('data').value);
    } catch (error) {
      say(`The data is no JSON: ${error.message}`, 'bad');
      return;
    }
  }
  try {
    const { ids } = await ask('publish', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(update),
    });
    say(`Published as ${ids[0]}.`, 'good');
    look();
  } catch (error) {
    say(error.message, 'bad');
  }
});

/** Asks everything, shows it, and asks again. */
async function look() {
  clearTimeout(timer);
  asked += 1;
  const mine = asked;
  try {
    const query = new URLSearchParams({ limit: String(limit) });
    if (at('user').value.trim() !== '') {
      query.set('user', at('user').value.trim());
    }
    const [now, clients] = await Promise.all([ask('now'), ask(`../clients?${query}`)]);
    if (mine !== asked) {
      return;
    }
    sessionStorage.setItem(KEPT, key);
    pause = EVERY;
    unlock();
    show(now, clients);
  } catch (error) {
    if (mine !== asked) {
      return;
    }
    if (error.status === 401) {
      lock('This is not the admin key.');
      return;
    }
    pause = Math.min(pause * 2, RARELY);
    state('lost', 'No answer');
    if (document.body.dataset.locked === 'true') {
      at('refusal').textContent = error.message;
    }
  }
  if (!document.hidden) {
    // Pages that lost a server together do not come back to it together.
    timer = setTimeout(look, pause * (1 + Math.random() / 4));
  }
}

async function ask(path, init = {}) {
  const headers = { ...init.headers, authorization: `Bearer ${key}` };
  const response = await fetch(path, { ...init, headers, credentials: 'omit', cache: 'no-store' });
  const answer = await response.json();
  if (!response.ok) {
    throw Object.assign(new Error(answer.detail ?? `Status ${response.status}.`), { status: response.status });
  }
  return answer;
}

function show(now, { clients, total }) {
  if (now.draining) {
    state('busy', 'Shutting down');
  } else if (now.writable) {
    state('open', 'Running');
  } else {
    state('lost', 'Log not writable');
  }
  at('streams').textContent = number(now.streams);
  at('kept').textContent = number(now.log[0]);
  at('frames').textContent = number(now.frames);
  at('resyncs').textContent = number(now.resyncs);
  at('cursor').textContent = `cursor ${now.cursor}`;
  at('total').textContent = number(total);
  at('kinds').textContent = number(now.types.length);
  at('more').hidden = clients.length >= total || limit >= MOST;

  const today = Date.now();
  const place = (id) => id.slice(id.lastIndexOf('.') + 1);
  const key = ({ client }) => client;
  fill(at('clients'), clients, key, (one) => [
    { text: one.user, small: one.role, look: 'name' },
    { text: one.channels.join(', ') || 'none', look: one.channels.length > 0 ? 'channels' : 'channels soft' },
    { text: one.types ? one.types.join(', ') || 'none' : 'all', look: one.types ? 'kinds' : 'kinds soft' },
    {
      text: one.transport,
      small: one.address ?? '',
      look: 'from',
      title: `${one.client} from ${one.address ?? 'an unknown address'}`,
    },
    { text: ago(one.since, today), look: 'since soft', title: date(one.since) },
    { text: place(one.cursor), look: 'number place code', title: one.cursor },
    { text: number(one.lag), look: one.lag > 0 ? 'number lag late' : 'number lag soft' },
  ]);
  fill(
    at('types'),
    now.types,
    ({ type }) => type,
    (one) => [
      { text: one.type, look: 'name' },
      { text: number(one.updates), look: 'number' },
      { text: place(one.id), small: `${ago(one.at, today)} ago`, look: 'newest', title: date(one.at) },
    ],
  );
  fill(
    at('tail'),
    now.tail,
    ({ id }) => id,
    (one) => [
      { text: time(one.at), look: 'when code soft', title: date(one.at) },
      { text: place(one.id), look: 'number place code', title: one.id },
      { text: one.type, look: 'name' },
      { text: one.to.join(', ') || 'everybody', look: one.to.length > 0 ? 'to' : 'to soft' },
      { text: data(one), look: 'data code soft', title: one.data },
    ],
  );
  at('no-clients').hidden = clients.length > 0;
  at('no-types').hidden = now.types.length > 0;
  at('no-tail').hidden = now.tail.length > 0;
}

/** What an update carries, without what other columns show. */
function data({ data: text, cut }) {
  if (cut) {
    return `${text} (and more)`;
  }
  try {
    const inner = JSON.parse(text).data;
    return inner === undefined ? '' : JSON.stringify(inner);
  } catch {
    return text;
  }
}

function state(name, text) {
  at('state').dataset.state = name;
  if (at('state').lastElementChild.textContent !== text) {
    at('state').lastElementChild.textContent = text;
  }
}

function say(text, look) {
  at('said').textContent = text;
  at('said').dataset.look = look;
}

function unlock() {
  if (document.body.dataset.locked === 'true') {
    document.body.dataset.locked = 'false';
    at('key').value = '';
    at('inside').focus({ preventScroll: true });
  }
}

/** Forgets the key, and whatever it opened. */
function lock(why) {
  clearTimeout(timer);
  asked += 1;
  key = null;
  sessionStorage.removeItem(KEPT);
  document.body.dataset.locked = 'true';
  for (const id of ['clients', 'types', 'tail']) {
    at(id).replaceChildren();
  }
  state('locked', 'Locked');
  at('refusal').textContent = why;
  at('key').focus();
}

if (key) {
  look();
} else {
  at('key').focus();
}
