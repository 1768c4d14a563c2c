// Wasm gives no memory back: after a warm-up with the worst that this load can make, each wasm that
// ships must live with what it has, through a hundred thousand updates, cuts in the middle of
// events, replays and new tokens.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MemoryHub } from './support/memory-hub.js';
import { seeded, VirtualWorld } from './support/world.js';

const url = 'http://hub/events';
const updates = 100_000;
const largest = 16_384;

let hub: MemoryHub;
let world: VirtualWorld;
/** Of the wasm that was instantiated. */
let memory: () => ArrayBuffer;
const heard = { last: 0, wrong: 0, tokens: 0 };

const { Instance } = WebAssembly;

beforeEach(() => {
  vi.resetModules(); // a wasm of its own for each test
  hub = new MemoryHub();
  world = new VirtualWorld();
  Object.assign(heard, { last: 0, wrong: 0, tokens: 0 });
  vi.stubGlobal('setTimeout', world.setTimeout);
  vi.stubGlobal('clearTimeout', world.clearTimeout);
  vi.spyOn(performance, 'now').mockImplementation(world.now);
  vi.spyOn(Date, 'now').mockImplementation(world.now);
  vi.stubGlobal('EventSource', hub.EventSource);
  vi.stubGlobal('fetch', hub.fetch);
  const instances: WebAssembly.Instance[] = [];
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      instances.push(this);
    }
  };
  memory = () => {
    expect(instances).toHaveLength(1);
    const all = Object.values(instances[0]?.exports ?? {});
    return all.find((value) => value instanceof WebAssembly.Memory)?.buffer ?? new ArrayBuffer();
  };
});

afterEach(() => {
  WebAssembly.Instance = Instance;
});

const take = ({ n }: { n: number }) => {
  heard.wrong += Number(n !== heard.last + 1);
  heard.last = n;
};

async function token() {
  heard.tokens += 1;
  return { token: `token ${heard.tokens}`, expires_in: 30 };
}

/** One of the forms in which the package reads a stream; answers what ends it. */
type Form = () => Promise<() => void>;

const client =
  (transport: 'eventsource' | 'fetch'): Form =>
  async () => {
    const { createClient } = await import('../../js/index.js');
    const sse = createClient<{ tick: { n: number } }>({ url, transport, token, share: 'off' });
    sse.subscribe('tick', ({ data }) => take(data));
    sse.onError((error) => expect(error.retryable).toBe(true));
    sse.acquire();
    return () => sse.close();
  };

const source: Form = async () => {
  const { EventSource } = await import('../../js/eventsource/index.js');
  const one = new EventSource(url, { token, fetch: hub.fetch });
  one.addEventListener('tick', ({ data }) => take(JSON.parse(data).data));
  return () => one.close();
};

/** Lets every client receive what was published. */
async function settle(): Promise<void> {
  for (let rounds = 0; hub.open === 0 || heard.last < hub.last; rounds++) {
    expect(rounds, `${heard.last} of ${hub.last} updates`).toBeLessThan(10_000);
    // The class of the package dispatches each event by a task.
    await new Promise<void>((done) => setImmediate(done));
    await world.run(hub.open === 0 ? 50 : 0);
  }
}

/**
 * A stream that ends inside of an event, and what was missed is replayed in chunks that are as
 * large as they can be.
 */
async function replay(sizes: number[]): Promise<void> {
  await settle();
  hub.cut(largest);
  hub.publish(...sizes);
  await settle();
}

/**
 * The worst for each buffer there is: many updates at once, and large ones behind a beginning of
 * any size.
 */
async function worst(): Promise<void> {
  for (let first = 0; first <= largest; first += 512) {
    await replay([first, ...Array<number>(40).fill(largest)]);
    await replay([first, ...Array<number>(1_000).fill(0)]);
  }
}

/**
 * The load of the soak: alone and in bursts, from nothing to 16 KiB; the hub is cut again and
 * again.
 */
async function load(until: number): Promise<void> {
  const random = seeded(7);
  const size = () => Math.floor(random() * (random() < 0.02 ? largest : 512));
  const some = (most: number) => Array.from({ length: 1 + Math.floor(random() * most) }, size);
  while (hub.last < until) {
    for (let bursts = random() * 40; bursts > 0; bursts--) {
      hub.publish(...some(5));
      await world.run(50);
    }
    await settle();
    hub.cut(Math.floor(random() * largest));
    hub.publish(...some(random() < 0.1 ? 1_000 : 50));
  }
  await settle();
}

// The most, in KiB, is what pieces of 64 KiB need, however much a page finds at once.
test.each<[string, Form, most: number]>([
  ['the client by EventSource', client('eventsource'), 1_216],
  ['the client by fetch', client('fetch'), 1_472],
  ['the class EventSource', source, 512],
])('%s: flat, and no more than it needs', { timeout: 60_000 }, async (_, form, most) => {
  const end = await form();
  await settle();
  await worst();
  const warm = memory().byteLength;
  expect(warm / 1024).toBeLessThanOrEqual(most);
  const before = { opened: hub.opened, tokens: heard.tokens };
  await load(hub.last + updates);
  end();
  expect(memory().byteLength).toBe(warm);
  // No stack came near its end: `wasm-opt --low-memory-unused` relies on it, see
  // `scripts/lib/layout.mjs`.
  expect(new Uint8Array(memory(), 0, 1024).every((byte) => byte === 0)).toBe(true);
  expect(heard).toMatchObject({ last: hub.last, wrong: 0 });
  // It was a load.
  expect(hub.opened - before.opened).toBeGreaterThan(500);
  expect(heard.tokens - before.tokens).toBeGreaterThan(100);
});
