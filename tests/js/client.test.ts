// What the facade does while the wasm is on its way, or does not come. The double replaces the
// module alone; the module itself is in real.test.tsx.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { idle } from '../../js/client/snapshot.js';
import { createClient, type Snapshot, SseError } from '../../js/index.js';
import type { Wasm, WasmClient, WasmSnapshot } from '../../js/loader/wasm.js';

const { load } = vi.hoisted(() => ({ load: vi.fn<() => Promise<Wasm>>() }));
vi.mock('../../js/loader/wasm.js', () => ({ loadWasm: load }));

const calls: string[] = [];
let raw: WasmSnapshot;
let status: ((snapshot: WasmSnapshot) => void) | undefined;
let free = 0;

class Double implements WasmClient {
  constructor(options: object) {
    calls.push(`new ${JSON.stringify(options)}`);
  }
  start = () => void calls.push('start');
  stop = () => void calls.push('stop');
  close = () => void calls.push('close');
  pause = () => void calls.push('pause');
  resume = () => void calls.push('resume');
  reconnect = () => void calls.push('reconnect');
  setUser = (user: string) => void calls.push(`user ${user}`);
  forget = () => void calls.push('forget');
  subscribe = (types: string | readonly string[]) => calls.push(`subscribe ${types}`);
  unsubscribe = () => calls.push('unsubscribe') > 0;
  onStatus = (fn: typeof status) => {
    status = fn;
  };
  onResync = () => {};
  snapshot = () => raw;
  free = () => {
    free += 1;
  };
}

function say(over: Partial<WasmSnapshot>): void {
  raw = { ...raw, ...over };
  status?.(raw);
}

/** A load that the test ends. */
function loading() {
  let come = () => {};
  let fail = (_: unknown) => {};
  load.mockImplementationOnce(
    () =>
      new Promise((resolve, reject) => {
        come = () => resolve({ SseClient: Double });
        fail = reject;
      }),
  );
  const settled = async (act: () => void) => {
    act();
    await vi.advanceTimersByTimeAsync(0);
  };
  return { come: () => settled(() => come()), fail: (thrown: unknown) => settled(() => fail(thrown)) };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', class {});
  calls.length = 0;
  free = 0;
  raw = { ...idle, error: null };
  load.mockReset();
});

afterEach(() => void vi.useRealTimers());

test('making a client and subscribing loads nothing; acquire loads once', async () => {
  const wasm = loading();
  const client = createClient({ url: '/events', token: undefined, closeDelay: 5 });
  client.subscribe('a', () => {});
  expect(load).not.toHaveBeenCalled();
  client.acquire();
  client.acquire();
  expect(load).toHaveBeenCalledOnce();
  expect(client.getSnapshot().status).toBe('connecting');
  await wasm.come();
  expect(calls).toEqual(['new {"url":"/events"}', 'subscribe a', 'start']);
});

test('what is called before the wasm is there takes effect in order', async () => {
  const wasm = loading();
  const client = createClient({ url: '/events' });
  client.acquire();
  client.subscribe(['b', 'b', 'c.*'], () => {});
  const off = client.subscribe('gone', () => {});
  client.subscribe('*', () => {});
  off();
  client.pause();
  client.reconnect();
  await wasm.come();
  expect(calls).toEqual(['new {"url":"/events"}', 'subscribe b,c.*', 'subscribe *', 'pause', 'start']);
});

test('the stream is closed `closeDelay` after the last release, not if there is a new holder meanwhile', async () => {
  const wasm = loading();
  const client = createClient({ url: '/events', closeDelay: 1000 });
  const release = client.acquire();
  await wasm.come();
  release();
  release();
  await vi.advanceTimersByTimeAsync(999);
  const again = client.acquire();
  await vi.advanceTimersByTimeAsync(5000);
  expect(calls).not.toContain('stop');
  again();
  await vi.advanceTimersByTimeAsync(1000);
  expect(calls.at(-1)).toBe('stop');
  client.acquire();
  expect(calls.at(-1)).toBe('start');
  expect(load).toHaveBeenCalledOnce();
});

test('released while it loads, nothing is made; acquired again, it is', async () => {
  const wasm = loading();
  const client = createClient({ url: '/events', closeDelay: 10 });
  client.acquire()();
  await vi.advanceTimersByTimeAsync(10);
  expect(client.getSnapshot().status).toBe('idle');
  await wasm.come();
  expect(calls).toEqual([]);
  const second = loading();
  client.acquire();
  await second.come();
  expect(calls).toEqual(['new {"url":"/events"}', 'start']);
});

test('closed while it loads, nothing is made or called', async () => {
  const wasm = loading();
  const client = createClient({ url: '/events' });
  const heard: unknown[] = [];
  client.onStatus((snapshot) => heard.push(snapshot.status));
  client.onError((error) => heard.push(error));
  client.acquire();
  client.close();
  client.reconnect();
  await wasm.come();
  expect(heard).toEqual(['connecting']);
  expect(calls).toEqual([]);
  expect(client.getSnapshot()).toBe(idle);
  expect(vi.getTimerCount()).toBe(0);
});

test('closed and acquired again while it loads, one is made, for the subscriptions of the new life', async () => {
  const first = loading();
  const client = createClient({ url: '/events' });
  const heard: unknown[] = [];
  client.subscribe('old', () => {});
  client.onStatus((snapshot) => heard.push(snapshot.status));
  client.acquire();
  client.close();
  client.subscribe('new', () => {});
  client.acquire();
  expect(client.getSnapshot().status).toBe('connecting');
  const second = loading();
  await first.come();
  await second.come();
  expect(calls).toEqual(['new {"url":"/events"}', 'subscribe new', 'start']);
  expect(heard).toEqual(['connecting']);
});

test('close ends the wasm client, frees it once, and is what `using` calls', async () => {
  const wasm = loading();
  const client = createClient({ url: '/events' });
  client.acquire();
  await wasm.come();
  client[Symbol.dispose]();
  client.close();
  await vi.advanceTimersByTimeAsync(0);
  expect(calls.at(-1)).toBe('close');
  expect(free).toBe(1);
});

test('a load that fails is a typed failure; reconnect tries again', async () => {
  const first = loading();
  const client = createClient({ url: '/events' });
  const errors: SseError[] = [];
  client.onError((error) => errors.push(error));
  client.acquire();
  await first.fail(new SseError('csp', 'refused'));
  expect(client.getSnapshot()).toMatchObject({ status: 'failed', error: { code: 'csp' } });
  expect(errors).toHaveLength(1);
  const second = loading();
  client.reconnect();
  expect(client.getSnapshot()).toMatchObject({ status: 'connecting', error: null });
  await second.come();
  expect(calls.at(-1)).toBe('start');
});

test('the snapshot is frozen and the same while the wasm reports the same, though its wait runs down', async () => {
  const wasm = loading();
  const client = createClient({ url: '/events' });
  client.acquire();
  await wasm.come();
  const seen: Snapshot[] = [];
  client.onStatus((snapshot) => seen.push(snapshot));
  const error = { name: 'SseError', code: 'network', message: 'cut', retryable: true };
  say({ status: 'reconnecting', error, attempt: 1, retryAt: 500 });
  const snapshot = client.getSnapshot();
  expect(seen).toEqual([snapshot]);
  expect(Object.isFrozen(snapshot)).toBe(true);
  expect(snapshot.error).toBeInstanceOf(SseError);
  expect(snapshot.retryAt).toBe(Date.now() + 500);
  await vi.advanceTimersByTimeAsync(200);
  raw = { ...raw, error: { ...error }, retryAt: 300 };
  expect(client.getSnapshot()).toBe(snapshot);
  raw = { ...raw, retryAt: 0 };
  expect(client.getSnapshot()).not.toBe(snapshot);
});

test('an error that comes again with the next attempt is reported again; counters are not', async () => {
  const wasm = loading();
  const client = createClient({ url: '/events' });
  const errors: string[] = [];
  let news = 0;
  client.onError((error) => errors.push(error.code));
  client.acquire();
  await wasm.come();
  client.onStatus(() => {
    news += 1;
  });
  const error = { name: 'SseError', code: 'network', message: 'cut', retryable: true };
  say({ status: 'reconnecting', error, attempt: 1 });
  say({ events: 5 });
  say({ attempt: 2 });
  say({ status: 'open', error: null, attempt: 0 });
  expect(errors).toEqual(['network', 'network']);
  expect(news).toBe(3);
});

test('reconnect starts a client that gave up, and leaves alone one without a holder', async () => {
  const wasm = loading();
  const client = createClient({ url: '/events' });
  client.reconnect();
  expect(load).not.toHaveBeenCalled();
  client.acquire();
  await wasm.come();
  client.reconnect();
  expect(calls.at(-1)).toBe('reconnect');
  say({ status: 'failed' });
  client.reconnect();
  expect(calls.at(-1)).toBe('start');
});

test('a listener that throws is reported, the others are called; one that is gone is not', async () => {
  const reported: unknown[] = [];
  vi.stubGlobal('reportError', (thrown: unknown) => reported.push(thrown));
  loading();
  const client = createClient({ url: '/events' });
  const heard: string[] = [];
  client.onStatus(() => {
    throw new Error('mine');
  });
  client.onStatus(() => offLast());
  client.onStatus(() => heard.push('third'));
  const offLast = client.onStatus(() => heard.push('last'));
  client.acquire();
  expect(heard).toEqual(['third']);
  expect(reported).toEqual([new Error('mine')]);
});

test('what is no pattern or no close delay is refused where it is written', () => {
  const client = createClient({ url: '/events' });
  for (const bad of ['', 'a*', '*a', '.*', 'a.**', 7 as unknown as string]) {
    expect(() => client.subscribe(bad, () => {}), String(bad)).toThrow(SseError);
  }
  expect(() => createClient({ url: '/events', closeDelay: -1 })).toThrow('closeDelay');
  expect(() => createClient({ url: '/events', closeDelay: Number.NaN })).toThrow('closeDelay');
});

test('the origin is one for the tab', () => {
  expect(createClient({ url: '/a' }).origin).toBe(createClient({ url: '/b' }).origin);
});
