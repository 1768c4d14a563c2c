// @vitest-environment jsdom
// When the cursor is written, read and erased. The double reports what the wasm would; the real one
// is in reload.test.ts. Whether a cursor fits a user is judged by the session:
// `src/proto/session/user.rs` and `tests/transcripts`.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ClientOptions, createClient, type StorageLike } from '../../js/index.js';
import { Double, doubles, jwt } from './support/double.js';

vi.mock('../../js/loader/wasm.js', () => ({ loadWasm: async () => doubles }));

const key = 'tinysse:http://localhost:3000/events';
const entry = (user: string, cursor: string) =>
  JSON.stringify({ stream: 'http://localhost:3000/events', user, cursor });
const kept = () => sessionStorage.getItem(key);
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const warnings: unknown[] = [];
let clients: { close(): void }[] = [];

async function connect(more: Partial<ClientOptions> = {}) {
  const client = createClient({
    url: '/events',
    persist: true,
    closeDelay: 0,
    token: () => jwt({ sub: 'ada' }),
    ...more,
  });
  clients.push(client);
  client.acquire();
  // The first import of the lazy part reads files, which fake timers do not wait for.
  const before = Double.made.length;
  await vi.waitFor(() => expect(Double.made.length).toBeGreaterThan(before));
  return { client, wasm: Double.last };
}

/** A client that is open for this user, at a cursor. */
async function open(cursor: string, more: Partial<ClientOptions> = {}, user: string | null = 'ada') {
  const all = await connect(more);
  all.wasm.say({ status: 'open', lastEventId: cursor, user });
  return all;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  vi.stubGlobal('EventSource', class {});
  vi.spyOn(console, 'warn').mockImplementation((text) => void warnings.push(text));
  sessionStorage.clear();
  Double.made = [];
  warnings.length = 0;
});

afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
  vi.useRealTimers();
});

describe('writing', () => {
  test('at most once a second, whatever comes, and not at all while nothing moves', async () => {
    const set = vi.spyOn(Storage.prototype, 'setItem');
    const { wasm } = await open('e.1');
    for (let i = 2; i <= 40; i++) {
      wasm.say({ lastEventId: `e.${i}` });
      await pass(100);
    }
    expect(set.mock.calls.length).toBe(3);
    await pass(10_000);
    expect(set.mock.calls.length).toBe(4);
    expect(kept()).toBe(entry('ada', 'e.40'));
  });

  test('when the page is hidden or left, and when the client closes, at once', async () => {
    const { client, wasm } = await open('e.1');
    dispatchEvent(new Event('pagehide'));
    expect(kept()).toBe(entry('ada', 'e.1'));
    wasm.say({ lastEventId: 'e.2' });
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    document.dispatchEvent(new Event('visibilitychange'));
    expect(kept()).toBe(entry('ada', 'e.2'));
    wasm.raw = { ...wasm.raw, lastEventId: 'e.3' };
    client.close();
    expect(kept()).toBe(entry('ada', 'e.3'));
    const look = vi.spyOn(client, 'getSnapshot');
    dispatchEvent(new Event('pagehide'));
    document.dispatchEvent(new Event('visibilitychange'));
    await pass(5000);
    expect(look).not.toHaveBeenCalled();
  });

  test('once more after the stream is gone, and then no timer runs', async () => {
    const { client, wasm } = await open('e.1');
    wasm.say({ status: 'idle', lastEventId: 'e.9' });
    await pass(1000);
    expect(kept()).toBe(entry('ada', 'e.9'));
    const look = vi.spyOn(client, 'getSnapshot');
    await pass(5000);
    expect(look).not.toHaveBeenCalled();
  });

  test.each<[string, StorageLike]>([
    [
      'full',
      {
        getItem: () => null,
        setItem: () => {
          throw new DOMException('full', 'QuotaExceededError');
        },
        removeItem: () => {},
      },
    ],
    [
      'denied',
      {
        getItem: () => {
          throw new DOMException('no', 'SecurityError');
        },
        setItem: () => {
          throw new DOMException('no', 'SecurityError');
        },
        removeItem: () => {
          throw new DOMException('no', 'SecurityError');
        },
      },
    ],
  ])('a storage that is %s breaks nothing', async (_, storage) => {
    const reported: unknown[] = [];
    vi.stubGlobal('reportError', (thrown: unknown) => reported.push(thrown));
    const { client, wasm } = await open('e.1', { persist: { storage } });
    await pass(1000);
    await client.forget();
    expect(wasm.calls).toEqual(['start', 'forget']);
    expect(reported).toEqual([]);
  });

  test('no storage at all breaks nothing either', async () => {
    vi.spyOn(window, 'sessionStorage', 'get').mockImplementation(() => {
      throw new DOMException('no', 'SecurityError');
    });
    const { wasm } = await open('e.1');
    await pass(1000);
    expect(wasm.calls).toEqual(['start']);
  });

  test('goes to the storage given, under the key given', async () => {
    const map = new Map<string, string>();
    const storage = {
      getItem: (name: string) => map.get(name) ?? null,
      setItem: (name: string, value: string) => void map.set(name, value),
      removeItem: (name: string) => void map.delete(name),
    };
    await open('e.1', { persist: { key: 'mine', storage } });
    await pass(1000);
    expect([...map]).toEqual([['mine', entry('ada', 'e.1')]]);
    expect(sessionStorage).toHaveLength(0);
  });
});

describe('reading', () => {
  test('the kept cursor is given to the session with its user, and there is one client', async () => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    const token = () => jwt({ sub: 'ada' });
    const { wasm } = await connect({ token });
    expect(wasm.given).toMatchObject({ lastEventId: 'e.5', cursorUser: 'ada' });
    expect(Double.made).toHaveLength(1);
  });

  test('a user whom the application names is given besides, and the kept one is not taken for him', async () => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    const { wasm } = await connect({ user: 'bob', token: undefined });
    expect(wasm.given).toMatchObject({ lastEventId: 'e.5', cursorUser: 'ada', user: 'bob' });
  });

  test('where nothing can name a user, nothing is read', async () => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    const { wasm } = await connect({ token: undefined });
    expect(wasm.given.lastEventId).toBeUndefined();
    expect(wasm.given.cursorUser).toBeUndefined();
  });

  test.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['no object', '7'],
    ['another stream', entry('ada', 'e.5').replace('/events', '/other')],
    ['no user', entry('', 'e.5')],
    ['a user that is no text', JSON.stringify({ stream: key.slice(8), user: 7, cursor: 'e.5' })],
    ['no cursor', entry('ada', '')],
    ['a cursor that is no text', JSON.stringify({ stream: key.slice(8), user: 'ada', cursor: 5 })],
    ['a line end in it', entry('ada', 'e.5\r\nX-Evil: 1')],
    ['a cursor without end', entry('ada', 'e'.repeat(2000))],
  ])('%s is not believed', async (_, value) => {
    sessionStorage.setItem(key, value);
    expect((await connect()).wasm.given.lastEventId).toBeUndefined();
  });

  test('what the app gives is newer', async () => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    expect((await connect({ lastEventId: 'e.7' })).wasm.given.lastEventId).toBe('e.7');
  });

  test('a stream of some types has a place of its own', async () => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    expect((await connect({ types: ['b', 'a'] })).wasm.given.lastEventId).toBeUndefined();
    await open('e.6', { types: ['b', 'a'] });
    await pass(1000);
    expect((await connect({ types: ['a', 'b'] })).wasm.given.lastEventId).toBe('e.6');
  });
});

describe('erasing', () => {
  test('forget() erases at once, and the next user is kept again', async () => {
    const { client, wasm } = await open('e.5');
    await pass(1000);
    expect(kept()).toBe(entry('ada', 'e.5'));
    const forgotten = client.forget();
    wasm.say({ status: 'idle', user: null, lastEventId: '' });
    await forgotten;
    expect(kept()).toBeNull();
    await pass(5000);
    dispatchEvent(new Event('pagehide'));
    expect(kept()).toBeNull();
    client.setUser('bob');
    wasm.say({ status: 'open', user: 'bob', lastEventId: 'e.6' });
    await pass(1000);
    expect(kept()).toBe(entry('bob', 'e.6'));
  });

  test('forget() of a client that never connected clears too; of one that keeps nothing it does nothing', async () => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    await createClient({ url: '/events' }).forget();
    expect(kept()).not.toBeNull();
    await createClient({ url: '/events', persist: true }).forget();
    expect(kept()).toBeNull();
  });

  const refused = { name: 'SseError', code: 'unauthorized', message: 'no', retryable: false };

  test.each([401, 403])('a token provider that answers %i erases', async (status) => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    const { wasm } = await connect();
    wasm.say({ status: 'failed', error: { ...refused, status } });
    expect(kept()).toBeNull();
  });

  test.each([
    ['a provider that failed', { ...refused, code: 'token', retryable: true }],
    ['a token that was refused once', { ...refused, status: 401, retryable: true }],
    ['a stream that does not exist', { ...refused, code: 'http', status: 404 }],
  ])('%s erases nothing', async (_, error) => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    const { wasm } = await connect();
    wasm.say({ status: error.retryable ? 'reconnecting' : 'failed', error });
    expect(kept()).toBe(entry('ada', 'e.5'));
  });

  test('another user by setUser erases at once', async () => {
    const { client } = await open('e.5');
    await pass(1000);
    client.setUser('ada');
    expect(kept()).toBe(entry('ada', 'e.5'));
    client.setUser('bob');
    expect(kept()).toBeNull();
    client.setUser('ada');
    client.setUser(null);
    expect(kept()).toBeNull();
  });

  test.each([
    ['another user', 'bob'],
    ['nobody in particular', null],
  ])('a token of %s erases what was kept for the first, before anything is delivered', async (_, user) => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    const { wasm } = await connect();
    wasm.say({ status: 'connecting' });
    wasm.say({ user, lastEventId: '' });
    expect(kept()).toBeNull();
    wasm.say({ status: 'open', lastEventId: 'e.9' });
    await pass(1000);
    expect(kept()).toBe(user && entry(user, 'e.9'));
  });
});

test('where the user stays unknown nothing is kept, and the console reports it once', async () => {
  await open('e.1', { token: () => 'opaque' }, null);
  await pass(2000);
  expect(sessionStorage).toHaveLength(0);
  expect(warnings).toEqual([expect.stringContaining('the user is unknown')]);
  await open('e.1', { token: undefined }, null);
  await pass(2000);
  expect(sessionStorage).toHaveLength(0);
  expect(warnings).toHaveLength(2);
});
