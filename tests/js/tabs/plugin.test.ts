// @vitest-environment jsdom
// Several clients of one page, as tabs of one browser: the real wasm, a real BroadcastChannel and a
// real server. Only the locks are not those of a browser; `tests/e2e` has real tabs.
import { EventSource } from 'eventsource';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Client, createClient } from '../../../js/index.js';
import { SseServer } from '../support/sse-server.js';

/** As much of Web Locks as is asked for: one holder for each name, the others in their order. */
class Locks {
  readonly #queues = new Map<string, { hold: () => unknown; aborted: () => boolean }[]>();

  request(name: string, options: { signal?: AbortSignal }, hold: () => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      const { signal } = options;
      const run = async () => {
        await hold();
        queue.shift();
        resolve();
        while (queue[0]?.aborted()) queue.shift();
        queue[0]?.hold();
      };
      signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      queue.push({ hold: run, aborted: () => signal?.aborted === true });
      if (queue.length === 1) queueMicrotask(run);
    });
  }
}

interface OpenTab {
  readonly client: Client;
  readonly ids: string[];
  readonly users: (string | null)[];
  asked: number;
  signedIn: string;
}

let server: SseServer;
let tabs: OpenTab[] = [];

const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 10 });
const turn = (ms = 100) => new Promise((done) => setTimeout(done, ms));
const roles = () => tabs.map(({ client }) => client.getSnapshot().role);
const statuses = () => tabs.map(({ client }) => client.getSnapshot().status);

async function open(user: string): Promise<OpenTab> {
  const token = () => {
    tab.asked += 1;
    return { token: tab.signedIn, user: tab.signedIn };
  };
  const client = createClient({ url: server.url, token, closeDelay: 0 });
  const tab: OpenTab = { client, ids: [], users: [], asked: 0, signedIn: user };
  client.subscribe('*', ({ id }) => tab.ids.push(id));
  client.onUser((user) => tab.users.push(user));
  client.acquire();
  tabs.push(tab);
  await until(() => expect(client.getSnapshot().status).toBe('open'));
  return tab;
}

beforeEach(async () => {
  vi.stubGlobal('EventSource', EventSource);
  Object.defineProperty(navigator, 'locks', { configurable: true, value: new Locks() });
  server = await SseServer.start();
});

afterEach(async () => {
  for (const { client } of tabs) client.close();
  tabs = [];
  await server.stop();
});

test('three tabs of one user share a stream', async () => {
  for (let n = 0; n < 3; n++) await open('ada');
  expect(roles()).toEqual(['leader', 'follower', 'follower']);
  server.update('a');
  await until(() => expect(tabs.map(({ ids }) => ids.length)).toEqual([1, 1, 1]));
  expect(server.opened).toBe(1);
});

test.each([
  ['the leader', 0],
  ['a follower', 1],
])('forget() in %s ends the connection of every tab, once, and no tab asks for a token', async (_, who) => {
  for (let n = 0; n < 3; n++) await open('ada');
  await tabs[who]?.client.forget();
  await until(() => expect(statuses()).toEqual(['idle', 'idle', 'idle']));
  await until(() => expect(server.open).toBe(0));
  await turn();
  expect(tabs.map(({ users }) => users)).toEqual([[null], [null], [null]]);
  expect(tabs.map(({ client }) => client.getSnapshot().lastEventId)).toEqual(['', '', '']);
  expect(tabs.map(({ asked }) => asked)).toEqual([1, 1, 1]);
  expect(server.opened).toBe(1);
  // Each of them can begin anew.
  for (const tab of tabs) {
    tab.signedIn = 'bob';
    tab.client.setUser('bob');
  }
  await until(() => expect(statuses()).toEqual(['open', 'open', 'open']));
  expect(roles().filter((role) => role === 'leader')).toHaveLength(1);
  expect(server.open).toBe(1);
});

test('forget() does not concern the tabs of another user', async () => {
  const [ada, bob] = [await open('ada'), await open('bob')];
  await ada.client.forget();
  await turn();
  expect(statuses()).toEqual(['idle', 'open']);
  expect(bob.users).toEqual([]);
});

test.each<[string, (leader: OpenTab) => void]>([
  ['the application names another user', ({ client }) => client.setUser('bob')],
  ['its provider answers for another user', ({ client }) => client.reconnect()],
])('a leader for whom %s passes on nothing of that user, and the next tab leads', async (_, act) => {
  const [leader, ...others] = [await open('ada'), await open('ada'), await open('ada')];
  leader.signedIn = 'bob';
  act(leader);
  await until(() => expect(leader.client.getSnapshot()).toMatchObject({ status: 'open', user: 'bob', role: 'leader' }));
  await until(() => expect(server.open).toBe(2));
  server.updateFor('bob', 'secret');
  server.updateFor('ada', 'a');
  await until(() => expect(others.map(({ ids }) => ids)).toEqual([['4f9a2c.2'], ['4f9a2c.2']]));
  expect(leader.ids).toEqual(['4f9a2c.1']);
  expect(others.map(({ users }) => users)).toEqual([[], []]);
});

test('a follower for whom the application names another user receives nothing more of the first', async () => {
  const [leader, follower] = [await open('ada'), await open('ada')];
  follower.signedIn = 'bob';
  follower.client.setUser('bob');
  await until(() => expect(follower.client.getSnapshot()).toMatchObject({ status: 'open', role: 'leader' }));
  server.updateFor('ada', 'a');
  server.updateFor('bob', 'b');
  await until(() => expect(follower.ids).toEqual(['4f9a2c.2']));
  await until(() => expect(leader.ids).toEqual(['4f9a2c.1']));
});
