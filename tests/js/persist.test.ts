// @vitest-environment jsdom
// When the cursor is written, read and forgotten. The double says what the wasm would; the real one is in reload.test.ts.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ClientOptions, createClient, type StorageLike, type TokenAnswer } from '../../js/index.js';
import { Double, doubles, jwt } from './support/double.js';

vi.mock('../../js/wasm.js', () => ({ loadWasm: async () => doubles }));

const key = 'tinysse:http://localhost:3000/events';
const entry = (user: string, cursor: string) =>
  JSON.stringify({ stream: 'http://localhost:3000/events', user, cursor });
const kept = () => sessionStorage.getItem(key);
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const warnings: unknown[] = [];
let clients: { close(): void }[] = [];

async function connect(more: Partial<ClientOptions> = {}) {
  const client = createClient({ url: '/events', persist: true, linger: 0, token: () => jwt({ sub: 'ada' }), ...more });
  clients.push(client);
  client.acquire();
  // The first import of the lazy part reads files, which fake timers do not wait for.
  const before = Double.made.length;
  await vi.waitFor(() => expect(Double.made.length).toBeGreaterThan(before));
  return { client, wasm: Double.last };
}

/** A client that is open for the user of its token, at a cursor. */
async function open(cursor: string, more: Partial<ClientOptions> = {}) {
  const all = await connect(more);
  await all.wasm.ask();
  const { last } = Double;
  last.say({ status: 'open', lastEventId: cursor });
  return { ...all, wasm: last };
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
    expect(wasm.calls).toEqual(['start']);
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

  test('goes where it is told, under the name it is told', async () => {
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
  test('the same user goes on from there', async () => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    const { wasm } = await connect();
    expect(wasm.given.lastEventId).toBe('e.5');
    expect(await wasm.ask()).toBe(jwt({ sub: 'ada' }));
    expect(Double.made).toHaveLength(1);
  });

  test.each<[string, TokenAnswer]>([
    ['sub', jwt({ sub: 'bob' })],
    ['user, which beats sub', { token: jwt({ sub: 'ada' }), user: 'bob' }],
    ['no name', 'opaque'],
  ])('for a token of another (%s) it begins anew, before the token is shown to anybody', async (_, answer) => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    let asked = 0;
    const { client, wasm } = await connect({
      token: () => {
        asked += 1;
        return answer;
      },
    });
    const heard: unknown[] = [];
    client.subscribe('a', (update) => heard.push(update.id));
    await wasm.ask();
    const { last } = Double;
    expect(wasm.calls).toEqual(['start', 'close', 'free']);
    expect(last).not.toBe(wasm);
    expect(last.given.lastEventId).toBeUndefined();
    expect(last.calls).toEqual(['start']);
    expect(kept()).toBeNull();
    // The answer is not asked for again, and the subscriptions have moved.
    expect(await last.ask()).toEqual(answer);
    expect(asked).toBe(1);
    last.update({ id: 'e.1' });
    expect(heard).toEqual(['e.1']);
    expect(Double.made).toHaveLength(2);
  });

  test('a user who comes later in the same page gets nothing of the one before, and is kept in turn', async () => {
    let user = 'ada';
    const { client, wasm } = await open('e.5', { token: () => ({ token: 'opaque', user }) });
    await pass(1000);
    expect(kept()).toBe(entry('ada', 'e.5'));
    user = 'bob';
    await wasm.ask('expired');
    expect(kept()).toBeNull();
    expect(client.getSnapshot().lastEventId).toBe('');
    const { last } = Double;
    expect(last.given.lastEventId).toBeUndefined();
    await last.ask();
    last.say({ status: 'open', lastEventId: 'e.9' });
    await pass(1000);
    expect(kept()).toBe(entry('bob', 'e.9'));
  });

  test('`user` speaks for the token, and without a token', async () => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    expect((await connect({ user: 'ada', token: () => 'opaque' })).wasm.given.lastEventId).toBe('e.5');
    expect((await connect({ user: 'bob', token: () => 'opaque' })).wasm.given.lastEventId).toBeUndefined();
    expect((await connect({ user: 'ada', token: undefined })).wasm.given.lastEventId).toBe('e.5');
    expect((await connect({ user: 'bob', token: undefined })).wasm.given.lastEventId).toBeUndefined();
    expect(warnings).toEqual([]);
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

  test('what the app says is newer', async () => {
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

describe('forgetting', () => {
  test('forget() clears, and nothing is written before the next token', async () => {
    const { client, wasm } = await open('e.5');
    await pass(1000);
    expect(kept()).toBe(entry('ada', 'e.5'));
    await client.forget();
    wasm.say({ lastEventId: 'e.6' });
    await pass(5000);
    expect(kept()).toBeNull();
    await wasm.ask('expired');
    await pass(1000);
    expect(kept()).toBe(entry('ada', 'e.6'));
  });

  test('forget() of a client that never connected clears too; of one that keeps nothing it does nothing', async () => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    await createClient({ url: '/events' }).forget();
    expect(kept()).not.toBeNull();
    await createClient({ url: '/events', persist: true }).forget();
    expect(kept()).toBeNull();
  });

  test.each([401, 403])('a provider that says %i clears', async (status) => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    const { wasm } = await connect({ token: () => Promise.reject(Object.assign(new Error('no'), { status })) });
    await expect(wasm.ask()).rejects.toThrow('no');
    expect(kept()).toBeNull();
  });

  test('a provider that fails otherwise does not', async () => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    const { wasm } = await connect({ token: () => Promise.reject(new Error('offline')) });
    await expect(wasm.ask()).rejects.toThrow('offline');
    expect(kept()).toBe(entry('ada', 'e.5'));
  });

  test('an answer that nobody waits for changes nothing', async () => {
    sessionStorage.setItem(key, entry('ada', 'e.5'));
    const { wasm } = await connect({ token: () => jwt({ sub: 'bob' }) });
    await wasm.ask('initial', AbortSignal.abort());
    expect(Double.made).toHaveLength(1);
    expect(kept()).toBe(entry('ada', 'e.5'));
  });
});

test('where the user stays unknown nothing is kept, and the console says so once', async () => {
  const { wasm } = await open('e.1', { token: () => 'opaque' });
  await wasm.ask('expired');
  await pass(2000);
  expect(sessionStorage).toHaveLength(0);
  expect(warnings).toEqual([expect.stringContaining('the user is unknown')]);
  await open('e.1', { token: undefined });
  await pass(2000);
  expect(sessionStorage).toHaveLength(0);
  expect(warnings).toHaveLength(2);
});
