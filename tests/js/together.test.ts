// Updates that come in one piece of a stream, by the real wasm of the fetch transport.
import { afterEach, expect, test, vi } from 'vitest';
import type { Update } from '../../js/index.js';
import { loadWasm, type WasmClient } from '../../js/loader/wasm.js';

const clients: WasmClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

/** A client whose stream sends this in one piece, once it is started. */
async function hearing(text: string): Promise<WasmClient> {
  const headers = { 'content-type': 'text/event-stream' };
  let streams = 0;
  vi.stubGlobal('fetch', async () => {
    streams += 1;
    return streams > 1 ? new Promise(() => {}) : new Response(new TextEncoder().encode(text), { headers });
  });
  const { SseClient } = await loadWasm(undefined, 'fetch');
  const client = new SseClient({ url: 'http://server/events', transport: 'fetch' });
  clients.push(client);
  return client;
}

const hello = 'id: a1.0\nevent: tinysse.hello\ndata: client=c1&after=a1.0&head=a1.0&beat=600000&gap=first\n\n';
const event = (type: string, n: number, data: unknown) =>
  `id: a1.${n}\nevent: ${type}\ndata: ${JSON.stringify({ data, key: `k${n}` })}\n\n`;
const told = (type: string, n: number, data: unknown) => ({ type, data, id: `a1.${n}`, replayed: false, key: `k${n}` });
const until = (client: WasmClient) => vi.waitFor(() => expect(client.snapshot().status).toBe('reconnecting'));

test('each is delivered as it came, whatever its letters and its length', async () => {
  const types = ['a', 'é', '\u{1f600}\u20ac', 'ab.c'];
  const texts = ['', 'plain', 'ü\u{1f4a9}'.repeat(30), 'x'.repeat(511), '\u20ac'.repeat(5000), '\u{10ffff}'];
  const all = Array.from({ length: 200 }, (_, n): [string, number, string] => {
    return [types[n % types.length] ?? '', n + 1, texts[n % texts.length] ?? ''];
  });
  const client = await hearing(hello + all.map((one) => event(...one)).join(''));
  const updates: Update[] = [];
  client.subscribe('*', (update) => updates.push(update));
  client.start();
  await until(client);
  expect(updates).toEqual(all.map((one) => told(...one)));
});

test('data that is no JSON, and events without an id, are delivered side by side', async () => {
  const client = await hearing('data: a\u00e9\n\nevent: x\ndata: {"n":1}\n\nid: 7\ndata: {\ndata: b\n\ndata: last\n\n');
  const updates: Update[] = [];
  client.subscribe('*', (update) => updates.push(update));
  client.start();
  await until(client);
  expect(updates).toEqual([
    { type: 'message', data: 'a\u00e9', id: '', replayed: false },
    { type: 'x', data: { n: 1 }, id: '', replayed: false },
    { type: 'message', data: '{\nb', id: '7', replayed: false },
    { type: 'message', data: 'last', id: '7', replayed: false },
  ]);
});

test('who is called may subscribe others and end himself: it counts from the next one on', async () => {
  const client = await hearing(hello + [1, 2, 3, 4].map((n) => event(n % 2 ? 'odd' : 'even', n, n)).join(''));
  const calls: string[] = [];
  client.subscribe('even', () => {}); // what has no listener is not read
  const first = client.subscribe('odd', ({ data }) => {
    calls.push(`first ${data}`);
    if (data !== 1) return;
    client.subscribe('*', ({ data }) => calls.push(`late ${data}`));
    client.unsubscribe(first);
  });
  client.start();
  await until(client);
  expect(calls).toEqual(['first 1', 'late 2', 'late 3', 'late 4']);
});

test('no listener is called any more when one of them closed', async () => {
  const client = await hearing(hello + [1, 2, 3].map((n) => event('a', n, n)).join(''));
  const calls: unknown[] = [];
  for (let n = 0; n < 2; n++) {
    client.subscribe('*', ({ data }) => {
      calls.push(data);
      if (data === 2) client.close();
    });
  }
  client.start();
  await vi.waitFor(() => expect(calls.length).toBe(3));
  await new Promise((done) => setTimeout(done));
  expect(calls).toEqual([1, 1, 2]);
});

test.each<[string, (client: WasmClient) => void]>([
  ['setUser', (client) => client.setUser('bob')],
  ['forget', (client) => client.forget()],
])('a subscriber that calls %s gets no more of what came with it, nor do the others', async (_, act) => {
  const client = await hearing(hello + [1, 2, 3].map((n) => event('a', n, n)).join(''));
  const calls: unknown[] = [];
  for (const name of ['first', 'second']) {
    client.subscribe('*', ({ data }) => {
      calls.push(`${name} ${data}`);
      if (data === 2) act(client);
    });
  }
  client.start();
  await vi.waitFor(() => expect(calls).toContain('first 2'));
  await new Promise((done) => setTimeout(done));
  expect(calls).toEqual(['first 1', 'second 1', 'first 2']);
  expect(client.snapshot()).toMatchObject({ lastEventId: '' });
});

test('what else happens keeps its place between them', async () => {
  const resync = 'id: a1.2\nevent: tinysse.resync\ndata: gap=overflow&at=a1.2&types=b\n\n';
  const client = await hearing(hello + event('a', 1, 1) + resync + event('a', 3, 3) + event('a', 4, 4));
  const told: unknown[] = [];
  client.subscribe('a', ({ data }) => told.push(data));
  client.onResync(({ gap }) => told.push(gap));
  client.onStatus(({ status }) => told.push(status));
  client.start();
  await until(client);
  expect(told).toEqual(['connecting', 'open', 'first', 1, 'overflow', 3, 4, 'reconnecting']);
});
