// @vitest-environment jsdom
// `persist` with the real wasm and a real server: a reload is a client that is closed, and another
// that finds what it left.
import { EventSource } from 'eventsource';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Client, type ClientOptions, createClient } from '../../js/index.js';
import { jwt } from './support/double.js';
import { SseServer } from './support/sse-server.js';

let server: SseServer;
let clients: Client[] = [];

const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 10 });

async function open(user: string, more: Partial<ClientOptions> = {}) {
  const ids: string[] = [];
  const gaps: string[] = [];
  const client = createClient({ url: server.url, persist: true, token: () => jwt({ sub: user }), ...more });
  clients.push(client);
  client.subscribe('*', (update) => ids.push(update.id));
  client.onResync(({ gap }) => gaps.push(gap));
  client.acquire();
  await until(() => expect(client.getSnapshot().status).toBe('open'));
  return { client, ids, gaps };
}

beforeEach(async () => {
  vi.stubGlobal('EventSource', EventSource);
  sessionStorage.clear();
  server = await SseServer.start();
});

afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await server.stop();
});

const missed = async (before: Client) => {
  before.close();
  await until(() => expect(server.open).toBe(0));
  server.update('b');
  server.update('c');
};

test('after a reload the same user receives what was missed, and nothing twice', async () => {
  const first = await open('ada');
  server.update('a');
  await until(() => expect(first.ids).toHaveLength(1));
  expect(first.gaps).toEqual(['first']);
  await missed(first.client);
  const second = await open('ada');
  await until(() => expect(second.ids).toEqual(['4f9a2c.2', '4f9a2c.3']));
  expect(second.gaps).toEqual([]);
  expect(server.urls.map((url) => url.searchParams.get('lastEventId'))).toEqual([null, '4f9a2c.1']);
});

test('another user begins anew: no request carries the cursor of the one before', async () => {
  const first = await open('ada');
  server.update('a');
  await until(() => expect(first.ids).toHaveLength(1));
  await missed(first.client);
  const second = await open('bob');
  expect(second.gaps).toEqual(['first']);
  server.update('d');
  await until(() => expect(second.ids).toEqual(['4f9a2c.4']));
  expect(server.urls.map((url) => url.searchParams.get('lastEventId'))).toEqual([null, null]);
  expect(server.urls.map((url) => url.searchParams.get('token'))).toEqual([jwt({ sub: 'ada' }), jwt({ sub: 'bob' })]);
});

test('a token of another user, in the middle of the life of a page, begins anew too', async () => {
  let user = 'ada';
  let asked = 0;
  const { client, ids, gaps } = await open('', {
    token: () => {
      asked += 1;
      return jwt({ sub: user });
    },
  });
  server.update('a');
  await until(() => expect(ids).toHaveLength(1));
  user = 'bob';
  client.reconnect();
  await until(() => expect(gaps).toEqual(['first', 'first']));
  await until(() => expect(server.open).toBe(1));
  expect(asked).toBe(2);
  expect(server.urls.map((url) => url.searchParams.get('lastEventId'))).toEqual([null, null]);
  server.update('b');
  await until(() => expect(ids).toEqual(['4f9a2c.1', '4f9a2c.2']));
});

test('a first token that is late by a failure still opens the stream where the last page left it', async () => {
  const first = await open('ada');
  server.update('a');
  await until(() => expect(first.ids).toHaveLength(1));
  await missed(first.client);
  let fail = true;
  const second = await open('ada', {
    token: () => {
      if (fail) {
        fail = false;
        throw new Error('not yet');
      }
      return jwt({ sub: 'ada' });
    },
  });
  await until(() => expect(second.ids).toEqual(['4f9a2c.2', '4f9a2c.3']));
});

test('after forget() nothing is resumed', async () => {
  const first = await open('ada');
  server.update('a');
  await until(() => expect(first.ids).toHaveLength(1));
  await first.client.forget();
  await missed(first.client);
  expect((await open('ada')).gaps).toEqual(['first']);
});
