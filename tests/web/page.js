// What the tests need of the page itself: a clock that can be sped up, and counts of what is left behind.
// It is loaded with the test's wasm, so before any client exists; the originals serve the tests' own waiting.
const real = {
  setTimeout: globalThis.setTimeout.bind(globalThis),
  clearTimeout: globalThis.clearTimeout.bind(globalThis),
  now: performance.now.bind(performance),
  wall: Date.now.bind(Date),
};

const clock = { scale: 1, base: real.now(), since: real.now(), slept: 0 };
const now = () => clock.base + (real.now() - clock.since) * clock.scale;
performance.now = now;
Date.now = () => real.wall() + now() - real.now() + clock.slept;

/** Lets the client's time run `scale` times as fast from now on; it never goes back. */
export function hurry(scale) {
  clock.base = now();
  clock.since = real.now();
  clock.scale = scale;
}

/** The machine sleeps for this many milliseconds: the wall clock goes on, the monotonic one stops. */
export function sleep_machine(ms) {
  clock.slept += ms;
}

export const wait = (ms) => new Promise((resolve) => real.setTimeout(resolve, ms));

const pending = new Map();
globalThis.setTimeout = (call, ms = 0, ...args) => {
  const id = real.setTimeout(
    () => {
      pending.delete(id);
      call(...args);
    },
    Math.ceil(ms / clock.scale),
  );
  const { stack } = new Error('set');
  // Each look of WebKit's driver at the page sets one, which it clears in a moment.
  if (!/\bevaluateJavaScriptFunction\b/.test(stack)) pending.set(id, stack);
  return id;
};
globalThis.clearTimeout = (id) => {
  pending.delete(id);
  real.clearTimeout(id);
};

/** How many timers are set that nobody cleared and that did not ring. */
export const timers = () => pending.size;
/** Where they were set. */
export const timers_set = () => [...pending.values()].join('\n\n');

const kept = new Map();
const { addEventListener, removeEventListener } = EventTarget.prototype;
const place = (target) =>
  target === document ? document : target === globalThis || target == null ? globalThis : null;
EventTarget.prototype.addEventListener = function (type, call, ...rest) {
  const target = place(this);
  if (target && call) {
    if (!kept.has(call)) kept.set(call, new Set());
    kept.get(call).add(`${target === document ? 'document' : 'window'} ${type}`);
  }
  return addEventListener.call(this ?? globalThis, type, call, ...rest);
};
EventTarget.prototype.removeEventListener = function (type, call, ...rest) {
  const target = place(this);
  const names = target && kept.get(call);
  if (names) {
    names.delete(`${target === document ? 'document' : 'window'} ${type}`);
    if (names.size === 0) kept.delete(call);
  }
  return removeEventListener.call(this ?? globalThis, type, call, ...rest);
};

/** The listeners on window and document, sorted: `['document freeze', ...]`. */
export const listeners = () => [...kept.values()].flatMap((names) => [...names]).sort();

const streams = new Set();
const Native = globalThis.EventSource;
globalThis.EventSource = class EventSource extends Native {
  constructor(...args) {
    super(...args);
    streams.add(this);
  }
};

/** Streams that were opened and not closed. */
export function streams_open() {
  for (const stream of streams) if (stream.readyState === Native.CLOSED) streams.delete(stream);
  return streams.size;
}

const reported = [];
addEventListener.call(globalThis, 'error', (event) => {
  reported.push(String(event.error?.message ?? event.error ?? event.message));
  event.preventDefault();
  event.stopImmediatePropagation();
});
const rejected = [];
addEventListener.call(globalThis, 'unhandledrejection', (event) => rejected.push(String(event.reason)));

/** Takes the errors that the window received since the last call. */
export const take_reported = () => reported.splice(0);
/** Takes the rejections that nobody handled. */
export const take_rejected = () => rejected.splice(0);

/** Fires a plain event at window or document. */
export function fire(target, type) {
  const at = target === 'document' ? document : globalThis;
  const event = type.startsWith('page') ? new PageTransitionEvent(type, { persisted: true }) : new Event(type);
  at.dispatchEvent(event);
}

/** Makes the document report that it is visible or hidden, and fire the event. */
export function show(visible) {
  const define = (name, value) => Object.defineProperty(document, name, { configurable: true, get: () => value });
  define('visibilityState', visible ? 'visible' : 'hidden');
  define('hidden', !visible);
  fire('document', 'visibilitychange');
}

export function set_online(online) {
  Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => online });
}

export async function get(url, credentials) {
  const response = await fetch(url, { credentials: credentials ? 'include' : 'omit', cache: 'no-store' });
  return response.text();
}

/** A token provider as the README has it. */
export function fetching(url) {
  return async ({ signal }) => {
    const response = await fetch(url, { method: 'POST', signal });
    if (!response.ok) throw Object.assign(new Error('no token'), { status: response.status });
    return response.json();
  };
}

/** Forbids the streams of some path from now on; everything that the tests need stays allowed. */
export function forbid(policy) {
  const meta = document.createElement('meta');
  meta.httpEquiv = 'Content-Security-Policy';
  meta.content = policy;
  document.head.append(meta);
}

/** Deferred promises: [promise, resolve, reject]. */
export function deferred() {
  let settle;
  const promise = new Promise((resolve, reject) => {
    settle = [resolve, reject];
  });
  return [promise, ...settle];
}

/** `new Error(message)` with a status. */
export const failure = (message, status) => Object.assign(new Error(message), status ? { status } : {});

/** Options with a getter that throws. */
export const throwing = (name) =>
  Object.defineProperty({ url: '/events' }, name, {
    enumerable: true,
    get: () => {
      throw new Error(`${name} is none of your business`);
    },
  });

export const json = (value) => JSON.stringify(value) ?? 'undefined';
export const parse = (text) => JSON.parse(text);
export const read = (value, path) => path.split('.').reduce((at, name) => at?.[name], value);
