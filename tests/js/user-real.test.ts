// Whose connection it is, with the real wasm, a real EventSource and a real server.
import { EventSource } from 'eventsource';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { updates } from '../../js/client/iterate.js';
import { type Client, type ClientOptions, createClient } from '../../js/index.js';
import { SseServer } from './support/sse-server.js';

let server: SseServer;
let clients: Client[] = [];

const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 10 });
const turn = (ms = 50) => new Promise((done) => setTimeout(done, ms));

/** A client that is held, whose tokens are for the user who is signed in at the provider. */
function hold(signedIn: { user?: string }, more: Partial<ClientOptions> = {}) {
  const asked: string[] = [];
  const ids: string[] = [];
  const gaps: string[] = [];
  const users: (string | null)[] = [];
  const token = async ({ reason }: { reason: string }) => {
    asked.push(reason);
    const { user } = signedIn;
    return user ? { token: `${user}-${asked.length}`, user } : `opaque-${asked.length}`;
  };
  const client = createClient({ url: server.url, closeDelay: 0, token, ...more });
  clients.push(client);
  client.subscribe('*', ({ id }) => ids.push(id));
  client.onResync(({ gap }) => gaps.push(gap));
  client.onUser((user) => users.push(user));
  const release = client.acquire();
  return { client, asked, ids, gaps, users, release };
}

async function open(signedIn: { user?: string }, more: Partial<ClientOptions> = {}) {
  const all = hold(signedIn, more);
  await until(() => expect(all.client.getSnapshot().status).toBe('open'));
  server.update('a');
  await until(() => expect(all.ids).toHaveLength(1));
  return all;
}

const shown = (name: string) => server.urls.map((url) => url.searchParams.get(name));

beforeEach(async () => {
  vi.stubGlobal('EventSource', EventSource);
  server = await SseServer.start();
});

afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await server.stop();
});

describe('setUser', () => {
  test('of another user: the stream is closed in the call, and the next one has its own token and no cursor', async () => {
    const session = { user: 'ada' };
    const { client, asked, users, gaps } = await open(session);
    session.user = 'bob';
    client.setUser('bob');
    expect(client.getSnapshot()).toMatchObject({ status: 'connecting', user: 'bob', lastEventId: '', clientId: null });
    await until(() => expect(client.getSnapshot().clientId).toBe('c2'));
    await until(() => expect(server.open).toBe(1));
    expect(shown('token')).toEqual(['ada-1', 'bob-2']);
    expect(shown('lastEventId')).toEqual([null, null]);
    expect(asked).toEqual(['initial', 'initial']);
    expect(users).toEqual(['bob']);
    expect(gaps).toEqual(['first', 'first']);
  });

  test('of the user whom the token names changes nothing', async () => {
    const { client, asked, users } = await open({ user: 'ada' });
    client.setUser('ada');
    await turn();
    expect(client.getSnapshot()).toMatchObject({ status: 'open', clientId: 'c1', lastEventId: '4f9a2c.1' });
    expect([asked.length, server.opened, users]).toEqual([1, 1, []]);
  });

  test('while the provider is asked: its answer for the first user opens nothing', async () => {
    const answers: ((token: string) => void)[] = [];
    const aborted: AbortSignal[] = [];
    const client = createClient({
      url: server.url,
      user: 'ada',
      token: ({ signal }) => {
        aborted.push(signal);
        return new Promise<string>((resolve) => answers.push(resolve));
      },
    });
    clients.push(client);
    client.acquire();
    await until(() => expect(answers).toHaveLength(1));
    client.setUser('bob');
    await until(() => expect(answers).toHaveLength(2));
    expect(aborted.map((signal) => signal.aborted)).toEqual([true, false]);
    answers[0]?.('first');
    answers[1]?.('second');
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    expect(shown('token')).toEqual(['second']);
  });

  test('to no user ends the connection, to a user begins it again', async () => {
    const { client, asked, users } = await open({ user: 'ada' });
    client.setUser(null);
    expect(client.getSnapshot()).toMatchObject({ status: 'idle', user: null });
    await until(() => expect(server.open).toBe(0));
    client.reconnect();
    await turn();
    expect([client.getSnapshot().status, asked.length]).toEqual(['idle', 1]);
    client.setUser('ada');
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    expect(users).toEqual([null, 'ada']);
  });

  test('of another user than the token’s: failed with the code `user`, until the right one signs in', async () => {
    const { client, users } = hold({ user: 'bob' }, { user: 'ada' });
    await until(() => expect(client.getSnapshot().status).toBe('failed'));
    expect(client.getSnapshot().error).toMatchObject({ code: 'user', retryable: false });
    expect(server.urls).toEqual([]);
    client.setUser('bob');
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    expect(users).toEqual(['bob']);
  });

  test('of a client without a holder opens nothing, after forget() too', async () => {
    const { client, release } = await open({ user: 'ada' });
    release();
    await until(() => expect(client.getSnapshot().status).toBe('idle'));
    client.setUser('bob');
    client.forget();
    client.setUser('eve');
    await turn();
    expect(client.getSnapshot().status).toBe('idle');
    expect(server.opened).toBe(1);
  });
});

test('a token of another user is one change of user, and begins anew', async () => {
  const session = { user: 'ada' };
  const { client, users, gaps } = await open(session);
  client.reconnect();
  await until(() => expect(client.getSnapshot().clientId).toBe('c2'));
  expect(users).toEqual([]);
  session.user = 'bob';
  client.reconnect();
  await until(() => expect(client.getSnapshot().clientId).toBe('c3'));
  expect(users).toEqual(['bob']);
  expect(shown('lastEventId')).toEqual([null, '4f9a2c.1', null]);
  expect(gaps).toEqual(['first', 'first']);
});

describe('forget', () => {
  test.each<[string, (client: Client) => void]>([
    ['reconnect()', (client) => client.reconnect()],
    ['setUser()', (client) => client.setUser('ada')],
  ])('ends stream, token and cursor in the call; no token is asked for before %s', async (_, act) => {
    const { client, asked, users } = await open({ user: 'ada' });
    const forgotten = client.forget();
    expect(client.getSnapshot()).toMatchObject({ status: 'idle', user: null, lastEventId: '' });
    await forgotten;
    await until(() => expect(server.open).toBe(0));
    await turn();
    expect(asked).toHaveLength(1);
    act(client);
    await until(() => expect(client.getSnapshot().clientId).toBe('c2'));
    expect(asked).toHaveLength(2);
    expect(shown('token')).toEqual(['ada-1', 'ada-2']);
    expect(shown('lastEventId')).toEqual([null, null]);
    expect(users[0]).toBeNull();
  });

  test('while the provider is asked: its answer opens nothing', async () => {
    const answers: ((token: string) => void)[] = [];
    const token = () => new Promise<string>((resolve) => answers.push(resolve));
    const client = createClient({ url: server.url, token });
    clients.push(client);
    client.acquire();
    await until(() => expect(answers).toHaveLength(1));
    client.forget();
    answers[0]?.('late');
    await turn();
    expect(client.getSnapshot().status).toBe('idle');
    expect(server.urls).toEqual([]);
  });
});

test('an iterator drops what it holds of the former user, and goes on with the next one', async () => {
  const session = { user: 'ada' };
  const { client } = await open(session);
  const iterator = updates(client, '*');
  const first = iterator.next();
  for (let n = 0; n < 3; n++) server.update('a');
  expect((await first).value?.id).toBe('4f9a2c.2');
  await until(() => expect(client.getSnapshot().events).toBe(4));
  session.user = 'bob';
  client.setUser('bob');
  const next = iterator.next();
  await until(() => expect(client.getSnapshot().clientId).toBe('c2'));
  await until(() => expect(server.open).toBe(1));
  server.update('b');
  expect((await next).value?.id).toBe('4f9a2c.5');
  await iterator.return();
});

test('closed and used again, twice: each life connects, delivers and ends, and asks its own token', async () => {
  const ids: string[] = [];
  const entries: unknown[] = [];
  let asked = 0;
  const token = () => {
    asked += 1;
    return `t${asked}`;
  };
  const client = createClient({ url: server.url, token, log: ({ what }) => what === 'token' && entries.push(what) });
  clients.push(client);
  for (let life = 1; life <= 3; life++) {
    client.subscribe('a', ({ id }) => ids.push(`${life} ${id}`));
    client.acquire();
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    server.update('a');
    await until(() => expect(ids).toHaveLength(life));
    client.close();
    expect(client.getSnapshot().status).toBe('idle');
    await until(() => expect(server.open).toBe(0));
    expect([asked, entries.length]).toEqual([life, life]);
  }
  expect(ids).toEqual(['1 4f9a2c.1', '2 4f9a2c.2', '3 4f9a2c.3']);
  expect(shown('lastEventId')).toEqual([null, null, null]);
});
