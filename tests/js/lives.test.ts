// @vitest-environment jsdom
// A client that was closed is used again. The double reports what the wasm would; the real one is
// in `user-real.test.ts`.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Client, type ClientOptions, createClient, type LogEntry } from '../../js/index.js';
import { Double, doubles } from './support/double.js';

vi.mock('../../js/loader/wasm.js', () => ({ loadWasm: async () => doubles }));

let clients: Client[] = [];
const make = (more: Partial<ClientOptions> = {}) => {
  const client = createClient({ url: '/events', ...more });
  clients.push(client);
  return client;
};
const made = (count: number) => vi.waitFor(() => expect(Double.made).toHaveLength(count));

beforeEach(() => {
  vi.stubGlobal('EventSource', class {});
  sessionStorage.clear();
  Double.made = [];
});

afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});

test('closed twice and begun three times, each life has its own wasm, subscriptions and signal', async () => {
  const client = make({ closeDelay: 0 });
  const heard: string[] = [];
  const signals: AbortSignal[] = [];
  for (let life = 1; life <= 3; life++) {
    client.subscribe('a', ({ id }) => heard.push(`${life} ${id}`));
    client.onStatus(({ status }) => heard.push(`${life} ${status}`));
    client.acquire();
    await made(life);
    signals.push(client.signal);
    expect(Double.last.subscriptions.size).toBe(1);
    Double.last.say({ status: 'open' });
    Double.last.update({ id: `e.${life}` });
    client.close();
    Double.last.say({ status: 'reconnecting' });
    Double.last.update({ id: 'unheard' });
  }
  const each = (life: number) => [`${life} connecting`, `${life} open`, `${life} e.${life}`];
  expect(heard).toEqual([1, 2, 3].flatMap(each));
  expect(new Set(signals).size).toBe(3);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
  await vi.waitFor(() => expect(Double.last.calls).toEqual(['start', 'close', 'free']));
});

test('a release of a former life does not let go of the connection of this one', async () => {
  const client = make({ closeDelay: 0 });
  const old = client.acquire();
  await made(1);
  client.close();
  client.acquire();
  await made(2);
  old();
  await new Promise((done) => setTimeout(done, 20));
  expect(Double.last.calls).toEqual(['start']);
});

test('a user who was named stays named, and a pause is over', async () => {
  const client = make();
  client.acquire();
  client.setUser('bob');
  client.pause();
  await made(1);
  client.close();
  client.acquire();
  await made(2);
  expect(Double.last.given.user).toBe('bob');
  expect(Double.last.calls).toEqual(['start']);
});

test('the cursor of the former life, given or reached, is not used again', async () => {
  const client = make({ lastEventId: 'e.1' });
  client.acquire();
  await made(1);
  expect(Double.last.given.lastEventId).toBe('e.1');
  Double.last.say({ status: 'open', lastEventId: 'e.7' });
  client.close();
  client.acquire();
  await made(2);
  expect(Double.last.given.lastEventId).toBeUndefined();
  expect(client.getSnapshot().lastEventId).toBe('');
});

test('log and persist begin anew: nothing is logged or written twice, and the provider is asked once for a token', async () => {
  const entries: LogEntry[] = [];
  const set = vi.spyOn(Storage.prototype, 'setItem');
  let asked = 0;
  const token = () => {
    asked += 1;
    return { token: 'opaque', user: 'ada' };
  };
  const client = make({ token, persist: true, log: (entry) => entries.push(entry) });
  for (let life = 1; life <= 3; life++) {
    client.acquire();
    await made(life);
    entries.length = 0;
    asked = 0;
    set.mockClear();
    await Double.last.ask();
    Double.last.say({ status: 'open', user: 'ada', lastEventId: `e.${life}` });
    dispatchEvent(new Event('pagehide'));
    expect(asked).toBe(1);
    expect(entries.map(({ what }) => what)).toEqual(['token', 'status']);
    expect(set).toHaveBeenCalledOnce();
    client.close();
  }
  set.mockClear();
  dispatchEvent(new Event('pagehide'));
  expect(set).not.toHaveBeenCalled();
});

test('a cursor that was persisted is resumed from by the next life', async () => {
  const client = make({ token: () => 'opaque', persist: true });
  client.acquire();
  await made(1);
  Double.last.say({ status: 'open', user: 'ada', lastEventId: 'e.7' });
  client.close();
  client.acquire();
  await made(2);
  expect(Double.last.given).toMatchObject({ lastEventId: 'e.7', cursorUser: 'ada' });
});

test('closed before log and persist were there, they are not begun, and nothing is left on page or signal', async () => {
  const page = new AbortController();
  const added = vi.spyOn(page.signal, 'addEventListener');
  const removed = vi.spyOn(page.signal, 'removeEventListener');
  const listening = vi.spyOn(window, 'addEventListener');
  const entries: LogEntry[] = [];
  const client = make({
    token: () => 'opaque',
    persist: true,
    log: (entry) => entries.push(entry),
    signal: page.signal,
  });
  client.acquire();
  client.close();
  // The lazy part is there, and what waits for it has had its turn.
  await import('../../js/plugins/index.js');
  await new Promise((done) => setTimeout(done, 20));
  expect(entries).toEqual([]);
  expect(client.signal.aborted).toBe(true);
  expect(added.mock.calls.length).toBe(removed.mock.calls.length);
  expect(listening.mock.calls.filter(([type]) => type === 'pagehide')).toEqual([]);
  client.acquire();
  await made(1);
  Double.last.say({ status: 'open', user: 'ada' });
  expect(entries.map(({ detail }) => (detail as { status: string }).status)).toEqual(['connecting', 'open']);
});
