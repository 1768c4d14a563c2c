// `for await` over updates: what is queued, what is dropped, how it ends.
import { expect, test } from 'vitest';
import { type UpdatesOptions, updates } from '../../js/client/iterate.js';
import type { Client } from '../../js/model/client.js';
import { SseError } from '../../js/model/errors.js';
import { HandClient } from './support/client.js';

/** A class that implements the interface does not name its updates. */
const loose = (client: HandClient): Client<Record<string, unknown>> => client;

/**
 * An iterator that reads nothing, and a way to see whether the client still holds anything of it.
 */
function reading(options?: UpdatesOptions) {
  const client = new HandClient();
  const iterator = updates(loose(client), ['a', 'b.*'], options);
  const rest = async () => {
    const ids: string[] = [];
    // Ends at the first that is not there already.
    for (;;) {
      const next = await Promise.race([iterator.next(), Promise.resolve().then(() => undefined)]);
      if (!next || next.done) return ids;
      ids.push(next.value.id);
    }
  };
  const send = (...ids: string[]) => {
    for (const id of ids) client.update('a', { id });
  };
  return { client, iterator, rest, send };
}

const begun = async (options?: UpdatesOptions) => {
  const all = reading(options);
  const first = all.iterator.next();
  all.send('first');
  expect((await first).value?.id).toBe('first');
  return all;
};

const dropped = async (client: HandClient) => (await client.stats()).dropped;

test('it holds nothing before the first next, and nothing after the loop is left', async () => {
  const { client, iterator } = reading();
  client.update('a', { id: 'unheard' });
  expect([client.held, client.listeners]).toEqual([0, 0]);
  const seen: string[] = [];
  const loop = (async () => {
    for await (const update of iterator) {
      seen.push(update.id);
      if (update.id === '3') break;
    }
  })();
  expect([client.held, client.listeners]).toEqual([1, 1]);
  client.update('a', { id: '1' });
  client.update('c', { id: '2' });
  client.update('b.x', { id: '3' });
  client.update('a', { id: '4' });
  await loop;
  expect(seen).toEqual(['1', '3']);
  expect([client.held, client.listeners]).toEqual([0, 0]);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test('several who wait are served in their order', async () => {
  const { iterator, send } = reading();
  const waiting = [iterator.next(), iterator.next(), iterator.next()];
  send('1', '2', '3', '4');
  const got = await Promise.all([...waiting, iterator.next()]);
  expect(got.map(({ value }) => value?.id)).toEqual(['1', '2', '3', '4']);
});

test('drop-oldest drops what waited longest, and counts it', async () => {
  const { client, rest, send } = await begun({ limit: 3 });
  send('1', '2', '3', '4', '5');
  expect(await dropped(client)).toBe(2);
  expect(await rest()).toEqual(['3', '4', '5']);
});

test('256 are queued by default', async () => {
  const { client, rest, send } = await begun();
  for (let i = 1; i <= 300; i++) send(String(i));
  const ids = await rest();
  expect(ids).toHaveLength(256);
  expect(ids[0]).toBe('45');
  expect(await dropped(client)).toBe(44);
});

test('latest keeps the latest of each type and key, in the order of the stream', async () => {
  const { client, rest } = await begun({ limit: 3, overflow: 'latest' });
  client.update('a', { id: '1', key: 'x' });
  client.update('a', { id: '2', key: 'y' });
  client.update('a', { id: '3', key: 'x' });
  client.update('a', { id: '4' });
  client.update('a', { id: '5', key: 'y' });
  expect(await dropped(client)).toBe(2);
  client.update('b.c', { id: '6', key: 'x' });
  expect(await dropped(client)).toBe(3);
  expect(await rest()).toEqual(['4', '5', '6']);
});

test('error delivers what was queued, throws once, and is over', async () => {
  const { client, iterator, send } = await begun({ limit: 2, overflow: 'error' });
  send('1', '2', '3', '4');
  expect([client.held, client.listeners]).toEqual([0, 0]);
  const seen: string[] = [];
  const loop = async () => {
    for await (const update of iterator) seen.push(update.id);
  };
  const thrown = await loop().catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(SseError);
  expect(thrown).toMatchObject({ code: 'overflow', retryable: false });
  expect(seen).toEqual(['1', '2']);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  expect(await dropped(client)).toBe(1);
});

test.each<[string, (all: ReturnType<typeof reading>, page: AbortController) => unknown]>([
  ['return', ({ iterator }) => iterator.return()],
  ['the signal', (_, page) => page.abort()],
  ['close', ({ client }) => client.close()],
  ['asyncDispose', ({ iterator }) => iterator[Symbol.asyncDispose]()],
])('%s ends it at once: who waits is told, what is queued is gone', async (_, end) => {
  const page = new AbortController();
  const waiting = reading({ signal: page.signal });
  const next = [waiting.iterator.next(), waiting.iterator.next()];
  await end(waiting, page);
  expect(await Promise.all(next)).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
  expect([waiting.client.held, waiting.client.listeners]).toEqual([0, 0]);

  const other = new AbortController();
  const queued = await begun({ signal: other.signal });
  queued.send('1', '2');
  await end(queued, other);
  expect(await queued.iterator.next()).toEqual({ done: true, value: undefined });
});

test('what is queued for a user is gone with the user, and who waits is served with the next update', async () => {
  const { client, iterator, send } = await begun();
  send('1', '2');
  client.setUser('bob');
  const next = iterator.next();
  client.setUser(null);
  send('3');
  expect((await next).value?.id).toBe('3');
});

test('with a signal that is aborted, or a client that is closed, it is over before it begins', async () => {
  const { client, iterator } = reading({ signal: AbortSignal.abort() });
  expect((await iterator.next()).done).toBe(true);
  expect([client.held, client.listeners]).toEqual([0, 0]);
  const closed = reading();
  closed.client.close();
  expect((await closed.iterator.next()).done).toBe(true);
  expect(closed.client.held).toBe(0);
});

test('a signal that outlives many iterators keeps nothing of them', async () => {
  const page = new AbortController();
  let listening = 0;
  const { addEventListener, removeEventListener } = page.signal;
  page.signal.addEventListener = (...args: unknown[]) => {
    listening += 1;
    Reflect.apply(addEventListener, page.signal, args);
  };
  page.signal.removeEventListener = (...args: unknown[]) => {
    listening -= 1;
    Reflect.apply(removeEventListener, page.signal, args);
  };
  const { iterator } = await begun({ signal: page.signal });
  expect(listening).toBe(1);
  await iterator.return();
  expect(listening).toBe(0);
});

test.each<[unknown, unknown]>([
  [{ limit: 0 }, 'limit'],
  [{ limit: 1.5 }, 'limit'],
  [{ overflow: 'drop-newest' }, 'overflow'],
])('%o is refused', (options, word) => {
  expect(() => updates(loose(new HandClient()), 'a', options as UpdatesOptions)).toThrow(String(word));
  expect(() => updates(loose(new HandClient()), 'a*' as 'a')).toThrow(SseError);
});
