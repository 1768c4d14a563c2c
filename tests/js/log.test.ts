// @vitest-environment jsdom
// What is logged, and that no token ever is. With the double for reports of the wasm, with the real
// one for what really happens.
import { EventSource } from 'eventsource';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Client, type ClientOptions, createClient, type LogEntry } from '../../js/index.js';
import type { Wasm } from '../../js/loader/wasm.js';
import { redact } from '../../js/model/redact.js';
import { Double, doubles, jwt } from './support/double.js';
import { SseServer } from './support/sse-server.js';

const { load } = vi.hoisted(() => ({ load: vi.fn<(source?: never) => Promise<Wasm>>() }));
vi.mock('../../js/loader/wasm.js', () => ({ loadWasm: load }));

const real = async () =>
  (await vi.importActual<typeof import('../../js/loader/wasm.js')>('../../js/loader/wasm.js')).loadWasm();
const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 10 });
let entries: LogEntry[] = [];
let clients: Client[] = [];

async function open(more: Partial<ClientOptions> = {}) {
  const client = createClient({ url: '/events', log: (entry) => entries.push(entry), ...more });
  clients.push(client);
  const made = Double.made.length;
  client.acquire();
  await until(() => expect(Double.made.length).toBe(made + 1));
  return { client, wasm: Double.last };
}

const lines = () => entries.map(({ level, what, detail }) => [level, what, detail]);

beforeEach(() => {
  vi.stubGlobal('EventSource', EventSource);
  load.mockImplementation(async () => doubles);
  localStorage.clear();
  Double.made = [];
  entries = [];
});

afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});

test('logs the status, questions for a token, transitions, gaps and errors, as frozen plain data with a time', async () => {
  const before = Date.now();
  const { wasm } = await open({ token: () => 'opaque-1' });
  await wasm.ask('rejected');
  wasm.transition('Authorizing -> Connecting: token');
  wasm.say({ status: 'open', clientId: 'c1', lastEventId: 'e.1' });
  wasm.resync?.({ gap: 'first', types: null });
  wasm.resync?.({ gap: 'trimmed', types: ['a'] });
  const cause = new Error('outer', { cause: new Error('inner') });
  const error = { name: 'SseError', code: 'network', message: 'cut', retryable: true, cause };
  wasm.say({ status: 'reconnecting', error, attempt: 1 });
  wasm.say({ status: 'failed', error: { ...error, code: 'http', retryable: false, status: 404 }, attempt: 2 });
  const plain = { code: 'network', message: 'cut', status: undefined, retryable: true, causes: ['outer', 'inner'] };
  expect(lines()).toEqual([
    ['info', 'status', expect.objectContaining({ status: 'connecting' })],
    ['debug', 'token', 'rejected'],
    ['debug', 'transition', 'Authorizing -> Connecting: token'],
    ['info', 'status', expect.objectContaining({ status: 'open', clientId: 'c1', lastEventId: 'e.1' })],
    ['info', 'resync', { gap: 'first', types: null }],
    ['warn', 'resync', { gap: 'trimmed', types: ['a'] }],
    ['info', 'status', expect.objectContaining({ status: 'reconnecting', attempt: 1 })],
    ['warn', 'error', plain],
    ['info', 'status', expect.objectContaining({ status: 'failed' })],
    ['error', 'error', { ...plain, code: 'http', retryable: false, status: 404 }],
  ]);
  for (const entry of entries) {
    expect(Object.isFrozen(entry)).toBe(true);
    expect(entry.at).toBeGreaterThanOrEqual(before);
    expect(structuredClone(entry)).toEqual(entry);
  }
});

test('a failure to load is logged too, and a second try does not double the log', async () => {
  load.mockRejectedValueOnce(Object.assign(new Error('refused'), { name: 'SseError', code: 'csp' }));
  const client = createClient({ url: '/events', log: (entry) => entries.push(entry) });
  clients.push(client);
  client.acquire();
  await until(() => expect(entries.at(-1)).toMatchObject({ level: 'error', what: 'error', detail: { code: 'csp' } }));
  client.reconnect();
  await until(() => expect(Double.made).toHaveLength(1));
  Double.last.say({ status: 'open' });
  expect(lines().filter(([, , detail]) => (detail as { status?: string }).status === 'open')).toHaveLength(1);
});

test('a log that throws is reported and breaks nothing', async () => {
  const reported: unknown[] = [];
  vi.stubGlobal('reportError', (thrown: unknown) => reported.push(thrown));
  const { client, wasm } = await open({
    log: () => {
      throw new Error('mine');
    },
  });
  wasm.say({ status: 'open' });
  expect(client.getSnapshot().status).toBe('open');
  expect(reported).toEqual([new Error('mine'), new Error('mine')]);
});

describe('localStorage[tinysse.debug]', () => {
  const spoken = () => {
    const debug = vi.spyOn(console, 'debug').mockImplementation(() => {});
    return () => debug.mock.calls;
  };

  test('makes every client speak to the console, without code', async () => {
    const calls = spoken();
    localStorage['tinysse.debug'] = '1';
    const { wasm } = await open({ log: undefined });
    wasm.say({ status: 'open' });
    wasm.update({ id: 'e.1', data: 'secret' });
    expect(calls()).toEqual([
      ['tinysse', 'info', 'status', expect.objectContaining({ status: 'connecting' })],
      ['tinysse', 'info', 'status', expect.objectContaining({ status: 'open' })],
    ]);
    expect(wasm.subscriptions.size).toBe(0);
  });

  test('verbose logs every update, by name and not by content, and only there', async () => {
    const calls = spoken();
    localStorage['tinysse.debug'] = 'verbose';
    const { wasm } = await open();
    wasm.update({ id: 'e.1', data: 'secret' });
    expect(calls().at(-1)).toEqual(['tinysse', 'debug', 'update', { type: 'a', id: 'e.1', replayed: false }]);
    expect(entries.map(({ what }) => what)).toEqual(['status']);
  });

  test('is silent without it, and where storage is denied', async () => {
    const calls = spoken();
    await open({ log: undefined });
    vi.spyOn(window, 'localStorage', 'get').mockImplementation(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    await open({ log: undefined });
    expect(calls()).toEqual([]);
  });
});

describe('no token is ever logged', () => {
  const token = jwt({ sub: 'ada', jti: 'known' });

  test('of a real conversation: refused, opened, cut, ended by a provider whose error holds everything', async () => {
    load.mockImplementation(real);
    const debug = vi.spyOn(console, 'debug').mockImplementation(() => {});
    localStorage['tinysse.debug'] = 'verbose';
    const server = await SseServer.start();
    const words = [token, 'opaque/token+1='];
    let asked = 0;
    const client = createClient({
      url: server.url,
      log: (entry) => entries.push(entry),
      token: () => {
        asked += 1;
        const given = words[asked - 1];
        if (given) return given;
        const cause = new Error(`{"token":"${words[1]}"}`, {
          cause: new Error(`Authorization: Bearer other GET /events?token=${encodeURIComponent(words[1] ?? '')}&x=1`),
        });
        throw Object.assign(new Error(`refused ${words.join(' ')}`, { cause }), {
          status: 403,
          token,
          headers: { token },
        });
      },
    });
    clients.push(client);
    server.refused.add(token);
    client.acquire();
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    server.update('a', { data: token });
    server.cut();
    await until(() => expect(server.opened).toBe(2));
    client.reconnect();
    await until(() => expect(client.getSnapshot().status).toBe('failed'));
    const { transitions } = await client.stats();
    await server.stop();
    const said = JSON.stringify([entries, debug.mock.calls, transitions]);
    expect(entries.filter(({ what }) => what === 'error').at(-1)).toMatchObject({
      detail: { causes: expect.any(Array) },
    });
    expect(said).toContain('refused [redacted] [redacted]');
    expect(said).toContain('x=1');
    const forms = words.flatMap((word) => [word, encodeURIComponent(word)]);
    for (const secret of [...forms, 'token=', 'Bearer', 'other', ...token.split('.')])
      expect(said).not.toContain(secret);
  });

  test('in what the wasm reports, and after it was changed many times', async () => {
    let count = 0;
    const { wasm } = await open({
      token: () => {
        count += 1;
        return `short-lived-${count}`;
      },
    });
    for (let i = 0; i < 50; i++) await wasm.ask();
    wasm.transition('Connecting /events?a=1&token=unheard&lastEventId=2 short-lived-50 short-lived-45');
    wasm.say({ status: 'reconnecting' });
    expect(entries.at(-2)?.detail).toBe('Connecting /events?a=1&[redacted]&lastEventId=2 [redacted] [redacted]');
    const error = { name: 'SseError', code: 'http', message: 'short-lived-50 is no good', retryable: false };
    wasm.say({ error, attempt: 1, clientId: 'short-lived-49', lastEventId: 'short-lived-48' });
    expect(JSON.stringify(entries)).toContain('[redacted] is no good');
    expect(JSON.stringify(entries)).not.toContain('short-lived');
  });
});

test.each([
  ['GET /events?token=abc.def&types=a', 'GET /events?[redacted]&types=a'],
  ['access_token=abc;', '[redacted]'],
  ['{"token": "abc", "expires_in": 60}', '{"[redacted]", "expires_in": 60}'],
  ['Authorization: bearer abc-1', 'Authorization: [redacted]'],
  [`it was ${jwt({ sub: 'x' })}, I think`, 'it was [redacted], I think'],
  ['a tokenizer, e.g. of eyJ, is no token', 'a tokenizer, e.g. of eyJ, is no token'],
])('%s', (text, clean) => {
  expect(redact(text)).toBe(clean);
});
