// How things end: by the function that began them, by a signal, with the client.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Client, createClient, type SubscribeOptions, type Unsubscribe } from '../../js/index.js';
import { Double, doubles } from './support/double.js';

vi.mock('../../js/loader/wasm.js', () => ({ loadWasm: async () => doubles }));

/** A signal that knows how many listen to it. */
class Counted {
  readonly controller = new AbortController();
  listeners = 0;

  constructor() {
    const { signal } = this.controller;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: unknown[]) => {
      this.listeners += 1;
      Reflect.apply(addEventListener, signal, args);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      this.listeners -= 1;
      Reflect.apply(removeEventListener, signal, args);
    };
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }
}

const open = async (more: object = {}) => {
  const client = createClient({ url: '/events', closeDelay: 10, ...more });
  const release = client.acquire();
  await vi.advanceTimersByTimeAsync(0);
  return { client, release, wasm: Double.last };
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', class {});
  Double.made = [];
});

afterEach(() => void vi.useRealTimers());

type Begin = (client: Client, heard: string[], until?: SubscribeOptions) => Unsubscribe;

/** Each with what makes it receive something. */
const kinds: [string, Begin, (wasm: Double) => void][] = [
  ['subscribe', (client, heard, until) => client.subscribe('a', () => heard.push('x'), until), (wasm) => wasm.update()],
  [
    'onStatus',
    (client, heard, until) => client.onStatus(() => heard.push('x'), until),
    (wasm) => wasm.say({ clientId: `c${Math.random()}` }),
  ],
  [
    'onResync',
    (client, heard, until) => client.onResync(() => heard.push('x'), until),
    (wasm) => wasm.resync?.({ gap: 'epoch', types: null }),
  ],
  [
    'onError',
    (client, heard, until) => client.onError(() => heard.push('x'), until),
    (wasm) => wasm.say({ error: new Error('cut'), attempt: wasm.raw.attempt + 1 }),
  ],
  [
    'onUser',
    (client, heard, until) => client.onUser(() => heard.push('x'), until),
    (wasm) => {
      // The first user of a client is no change.
      wasm.say({ user: 'ada' });
      wasm.say({ user: 'bob' });
    },
  ],
];

describe.each(kinds)('%s', (_, begin, make) => {
  test('ends by its function, once, and by `using`', async () => {
    const { client, wasm } = await open();
    const heard: string[] = [];
    const off = begin(client, heard);
    make(wasm);
    off();
    off();
    make(wasm);
    expect(heard).toEqual(['x']);
    begin(client, heard)[Symbol.dispose]();
    make(wasm);
    expect(heard).toEqual(['x']);
  });

  test('ends by its signal', async () => {
    const { client, wasm } = await open();
    const heard: string[] = [];
    const page = new Counted();
    begin(client, heard, { signal: page.signal });
    make(wasm);
    expect(page.listeners).toBe(1);
    page.controller.abort();
    make(wasm);
    expect(heard).toEqual(['x']);
    expect(page.listeners).toBe(0);
  });

  test('does not begin with a signal that is aborted', async () => {
    const { client, wasm } = await open();
    const heard: string[] = [];
    begin(client, heard, { signal: AbortSignal.abort() })();
    make(wasm);
    expect(heard).toEqual([]);
    expect(wasm.subscriptions.size).toBe(0);
  });

  test('leaves nothing on a signal that lives longer', async () => {
    const { client } = await open();
    const page = new Counted();
    for (let i = 0; i < 100; i++) begin(client, [], { signal: page.signal })();
    expect(page.listeners).toBe(0);
    begin(client, [], { signal: page.signal });
    begin(client, [], { signal: page.signal });
    expect(page.listeners).toBe(2);
    client.close();
    expect(page.listeners).toBe(0);
    // What is begun after that belongs to the next life of the client, and ends with it.
    begin(client, [], { signal: page.signal });
    expect(page.listeners).toBe(1);
    client.close();
    expect(page.listeners).toBe(0);
  });
});

describe('acquire', () => {
  test('lets go by its signal, after the close delay', async () => {
    const { client, release, wasm } = await open();
    const page = new Counted();
    const held = client.acquire({ signal: page.signal });
    release();
    await vi.advanceTimersByTimeAsync(50);
    expect(wasm.calls).not.toContain('stop');
    page.controller.abort();
    held();
    await vi.advanceTimersByTimeAsync(50);
    expect(wasm.calls.at(-1)).toBe('stop');
    expect(page.listeners).toBe(0);
    client.acquire({ signal: AbortSignal.abort() });
    await vi.advanceTimersByTimeAsync(50);
    expect(wasm.calls.at(-1)).toBe('stop');
  });

  test('of a listener that ends it at once, nothing is held', async () => {
    const client = createClient({ url: '/events', closeDelay: 10 });
    const page = new Counted();
    const off = client.onStatus(() => page.controller.abort());
    client.acquire({ signal: page.signal });
    off();
    await vi.advanceTimersByTimeAsync(50);
    expect(client.getSnapshot().status).toBe('idle');
    expect(Double.last.calls).toEqual(['start', 'stop']);
    expect(page.listeners).toBe(0);
  });

  test('of a listener that closes the client at once, nothing is left', () => {
    const client = createClient({ url: '/events' });
    const page = new Counted();
    client.onStatus(() => client.close());
    client.acquire({ signal: page.signal });
    expect(page.listeners).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the client', () => {
  test('closes by the signal it was made with, and takes itself off', async () => {
    const page = new Counted();
    const { client, wasm } = await open({ signal: page.signal });
    expect(page.listeners).toBe(1);
    page.controller.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(wasm.calls.slice(-2)).toEqual(['close', 'free']);
    expect(client.signal.aborted).toBe(true);
    expect(page.listeners).toBe(0);
    const other = new Counted();
    createClient({ url: '/events', signal: other.signal }).close();
    expect(other.listeners).toBe(0);
  });

  test('is over for good with that signal: nothing can be begun after it', async () => {
    const page = new Counted();
    const { client, wasm } = await open({ signal: page.signal });
    page.controller.abort();
    const heard: unknown[] = [];
    client.subscribe('a', () => heard.push('update'));
    client.onStatus(() => heard.push('status'));
    client.acquire();
    client.reconnect();
    client.setUser('ada');
    await vi.advanceTimersByTimeAsync(1000);
    expect(client.signal.aborted).toBe(true);
    expect(client.getSnapshot().status).toBe('idle');
    expect(Double.made).toEqual([wasm]);
    expect([heard, page.listeners]).toEqual([[], 0]);
  });

  test('made with a signal that is aborted, it is closed', async () => {
    const client = createClient({ url: '/events', signal: AbortSignal.abort() });
    client.acquire();
    await vi.advanceTimersByTimeAsync(0);
    expect(client.signal.aborted).toBe(true);
    expect(Double.made).toEqual([]);
  });

  test('its end is reported with the last snapshot to be seen, and then it is idle', async () => {
    const { client, wasm } = await open();
    wasm.say({ status: 'open', lastEventId: '1.1' });
    wasm.raw = { ...wasm.raw, lastEventId: '1.7' };
    const seen: unknown[] = [];
    client.signal.addEventListener('abort', () => {
      seen.push(client.getSnapshot().lastEventId);
      client.reconnect();
      client.close();
    });
    client.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(seen).toEqual(['1.7']);
    expect(client.getSnapshot().status).toBe('idle');
    expect(Double.made).toHaveLength(1);
    expect(wasm.calls).toEqual(['start', 'close', 'free']);
  });

  test('what a listener of its end begins is the next life, whole', async () => {
    const { client, wasm } = await open();
    wasm.say({ status: 'open', lastEventId: '1.1' });
    const heard: string[] = [];
    let release = () => {};
    client.onStatus(({ status }) => heard.push(`old ${status}`));
    client.signal.addEventListener('abort', () => {
      client.subscribe('a', ({ id }) => heard.push(id));
      client.onStatus(({ status }) => heard.push(`new ${status}`));
      release = client.acquire();
    });
    client.close();
    expect(client.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(wasm.calls).toEqual(['start', 'close', 'free']);
    const { last } = Double;
    expect(last.calls).toEqual(['start']);
    last.update({ id: '2.1' });
    expect(heard).toEqual(['new connecting', '2.1']);
    release();
    await vi.advanceTimersByTimeAsync(20);
    expect(last.calls).toEqual(['start', 'stop']);
  });
});
