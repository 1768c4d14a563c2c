// The page of the soak: the shipped package in each of its forms, and the size of every wasm memory that it makes. Nothing of its own grows.
const query = new URLSearchParams(location.search);
const url = `${query.get('events')}/events`;
/** As the application's own session: the cookie of the server. */
const post = (path, init) => fetch(query.get('server') + path, { method: 'POST', credentials: 'include', ...init });

// Before the package is loaded: whatever it instantiates is seen, and nothing is kept alive.
const memories = [];
const note = (instance) => {
  for (const value of Object.values(instance.exports)) {
    if (value instanceof WebAssembly.Memory) memories.push(new WeakRef(value));
  }
  return instance;
};
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct: (target, args) => note(Reflect.construct(target, args)),
});
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (...args) => {
  const made = await instantiate(...args);
  note(made.instance ?? made);
  return made;
};
window.wasmBytes = () => memories.map((memory) => memory.deref()?.buffer.byteLength ?? 0);

const user = query.get('user');
await post('/auth/login', { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user }) });

const all = {};
window.told = () => all;

/** What one client received: the numbers must be consecutive. */
function ledger(name) {
  const mine = { heard: 0, lost: 0, doubled: 0, tokens: 0, broken: null };
  all[name] = mine;
  return {
    take(n) {
      if (n <= mine.heard) mine.doubled += 1;
      else mine.lost += n - mine.heard - 1;
      mine.heard = Math.max(mine.heard, n);
    },
    async token({ signal }) {
      mine.tokens += 1;
      const response = await post('/auth/sse-token', { signal });
      if (!response.ok) throw Object.assign(new Error(response.statusText), { status: response.status });
      return response.json();
    },
    broke(why) {
      mine.broken ??= String(why);
    },
  };
}

const { createClient } = await import('./pkg/index.js');
const { EventSource } = await import('./pkg/eventsource/index.js');

function client(transport) {
  const { take, token, broke } = ledger(transport);
  // Each its own connection: they are one user's, and would share one.
  const sse = createClient({ url, transport, token, share: 'off' });
  sse.subscribe('tick', ({ data }) => take(data.n));
  // The first one is no loss; any other is.
  sse.onResync(({ gap }) => gap !== 'first' && broke(`resync: ${gap}`));
  sse.onError((error) => !error.retryable && broke(error));
  sse.acquire();
  return new Promise((open) => sse.onStatus(({ status }) => status === 'open' && open()));
}

function source() {
  const { take, token, broke } = ledger('class');
  const one = new EventSource(url, { token });
  one.addEventListener('tick', ({ data }) => take(JSON.parse(data).data.n));
  one.addEventListener('error', ({ message }) => one.readyState === EventSource.CLOSED && broke(message));
  return new Promise((open) => one.addEventListener('open', open, { once: true }));
}

await Promise.all([client('eventsource'), client('fetch'), source()]);
document.title = 'all open';
