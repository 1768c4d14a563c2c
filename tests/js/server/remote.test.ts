// A publisher and a real hub over HTTP: order, repetition, bounds, and what is lost is announced.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HubError, isHubError } from '../../../js/server/errors.js';
import { createRemote, type RemoteOptions } from '../../../js/server/remote/index.js';
import type { UpdateService } from '../../../js/server/types.js';
import { FaultyServer, KEY, type Mode } from './support/faulty-server.js';

type Service = UpdateService<Record<string, unknown>>;

let server: FaultyServer;
let errors: HubError[];
let services: Service[];
/** What the hub has, in the order of its log. */
let logged: { type: string; data: unknown }[];

beforeEach(async () => {
  server = await FaultyServer.start();
  [errors, services, logged] = [[], [], []];
  server.hub.subscribe(({ type, data }) => logged.push({ type, data }));
});

afterEach(async () => {
  for (const service of services) await service.close({ drain: 0 });
  await server.stop();
});

function remote(more: Partial<RemoteOptions> = {}): Service {
  const onError = (error: HubError) => errors.push(error);
  const service = createRemote<Record<string, unknown>>({ url: server.url, key: KEY, onError, ...more });
  services.push(service);
  return service;
}

const numbers = () => logged.map(({ data }) => data);

async function until(check: () => boolean): Promise<void> {
  for (let left = 2_000; !check(); left--) {
    if (left === 0) throw new Error('it never happened');
    await new Promise((done) => setTimeout(done, 5));
  }
}

describe('publishing', () => {
  it('keeps the order, and joins what waits', async () => {
    const service = remote();
    for (let n = 0; n < 2_500; n++) service.notify('news', { data: n });
    expect(await service.publish('last', { to: 'role:admin', key: 'k' })).toMatch(/^[0-9a-f]+\.2501$/);
    expect(numbers().slice(0, 2_500)).toEqual(Array.from({ length: 2_500 }, (_, n) => n));
    // The first at once, then a thousand at a time.
    expect(server.bodies.length).toBeLessThanOrEqual(5);
    expect(new Set(server.keys).size).toBe(server.keys.length);
    expect(errors).toEqual([]);
  });

  it('passes data on digit by digit, and gives listeners what the server has', async () => {
    const service = remote();
    const seen: unknown[] = [];
    service.subscribe((update) => seen.push(update));
    const id = await service.publish('news', { data: { a: [1, null, 'é'] }, origin: 'tab', to: ['user:ada'] });
    expect(seen).toMatchObject([{ type: 'news', id, data: { a: [1, null, 'é'] }, origin: 'tab', to: ['user:ada'] }]);
  });

  it('refuses what is wrong at once', async () => {
    const service = remote();
    const code = (type: string, options = {}) =>
      service.publish(type, options).then(
        () => 'published',
        (error: unknown) => (isHubError(error) ? error.code : error),
      );
    expect(await code('a b')).toBe('bad_type');
    expect(await code('tinysse.x')).toBe('reserved_type');
    expect(await code('a', { to: [] })).toBe('bad_audience');
    expect(await code('a', { to: 'ada' })).toBe('bad_audience');
    expect(await code('a', { to: 'user:' })).toBe('bad_audience');
    expect(await code('a', { key: 'x'.repeat(256) })).toBe('bad_field');
    expect(await code('a', { data: 1n })).toBe('bad_field');
    service.notify('a b');
    expect(errors.map((error) => error.code)).toEqual(['bad_type']);
    expect(server.bodies).toEqual([]);
  });

  it('sends one that is too large alone, so that the others arrive', async () => {
    const service = remote();
    const large = service.publish('large', { data: 'x'.repeat(1_100_000) });
    const refused = large.catch((error: unknown) => (error as HubError).status);
    for (let n = 0; n < 3; n++) service.notify('news', { data: n });
    expect(await refused).toBe(413);
    await until(() => logged.length === 3);
    expect(numbers()).toEqual([0, 1, 2]);
  });
});

describe('a server that fails', () => {
  it.each<[Mode]>([['down'], ['error'], ['busy'], ['lost']])(
    '%s: everything arrives once, and it is reported once',
    async (mode) => {
      const service = remote();
      await service.publish('news', { data: 0 });
      server.mode = mode;
      for (let n = 1; n <= 5; n++) service.notify('news', { data: n });
      await until(() => errors.length > 0);
      await new Promise((done) => setTimeout(done, 300));
      server.mode = 'ok';
      await until(() => logged.length >= 6);
      await service.publish('news', { data: 6 });
      expect(numbers()).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(errors.map((error) => error.code)).toEqual(['unreachable']);
      expect(errors[0]?.message).not.toContain(KEY);
    },
  );

  it('whose key is another keeps what waits until that is repaired', async () => {
    const service = remote();
    server.mode = 'unauthorized';
    service.notify('news', { data: 1 });
    await until(() => errors.length > 0);
    expect(errors[0]?.code).toBe('unauthorized');
    server.mode = 'ok';
    await service.close({ drain: 5_000 });
    expect(numbers()).toEqual([1]);
  });

  it('is announced what the queue had no space for', async () => {
    const service = remote({ queue: { maxCount: 2 } });
    server.mode = 'down';
    for (const type of ['a', 'b', 'c', 'd', 'c']) service.notify(type);
    // It is one state, whatever comes meanwhile.
    expect(errors.filter(({ code }) => code === 'queue_full').length).toBe(1);
    server.mode = 'ok';
    await until(() => logged.length >= 4);
    // What is behind the announcement is fresh; what waited is sent as it was.
    expect(logged.map(({ type }) => type).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(server.bodies).toContain('{"resync":["c","d"]}');
  });

  it('that is too old for that gets the types themselves', async () => {
    const service = remote({ queue: { maxCount: 1 } });
    server.mode = 'down';
    for (const type of ['a', 'b']) service.notify(type);
    server.mode = 'old';
    await until(() => logged.length >= 2);
    expect(logged.map(({ type }) => type).sort()).toEqual(['a', 'b']);
    expect(errors.map(({ code }) => code)).toContain('rejected');
  });
});

describe('the end', () => {
  it('sends what waits, then refuses', async () => {
    const service = remote();
    for (let n = 0; n < 10; n++) service.notify('news', { data: n });
    await service.close();
    expect(numbers().length).toBe(10);
    await expect(service.publish('news')).rejects.toMatchObject({ code: 'closed' });
    expect(service.closed.aborted).toBe(true);
  });

  it('tells how many were not sent in time', async () => {
    const service = remote();
    server.mode = 'down';
    service.notify('news');
    const waiting = service.publish('news').catch((error: unknown) => (error as HubError).code);
    await service.close({ drain: 50 });
    expect(await waiting).toBe('closed');
    expect(errors.at(-1)?.message).toContain('2 updates were not sent');
  });
});

describe('options', () => {
  it.each([
    ['remote.url', { url: 'ftp://x' }],
    ['remote.key', { key: '' }],
    ['remote.queue.maxCount', { queue: { maxCount: 0 } }],
    ['remote.queue.files', { queue: { files: 'x' } }],
    ['remote.keys', { keys: 'x' }],
  ])('%s is refused by name', (option, more) => {
    expect(() => remote(more as never)).toThrow(expect.objectContaining({ code: 'options', option }));
  });
});

/** A generator of numbers (mulberry32). */
function random(seed: number) {
  let state = seed >>> 0;
  return (limit: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

it('any faults: each accepted update once and in order, or its type announced behind it', async () => {
  const modes: Mode[] = ['ok', 'ok', 'down', 'lost', 'error', 'busy'];
  for (let seed = 1; seed <= 6; seed++) {
    const below = random(seed);
    logged.length = 0;
    server.bodies.length = 0;
    const service = remote({ queue: { maxCount: 40 }, timeout: 500 });
    let sent = 0;
    /** What was not accepted, and how long the log was then. */
    const lost: { number: number; at: number }[] = [];
    for (let step = 0; step < 25; step++) {
      server.mode = modes[below(modes.length)] as Mode;
      for (let n = below(12); n > 0; n--) {
        sent += 1;
        const number = sent;
        const at = logged.length;
        service.publish('news', { data: number }).catch((error: HubError) => {
          expect(error.code).toBe('queue_full');
          lost.push({ number, at });
        });
      }
      await new Promise((done) => setTimeout(done, below(12)));
    }
    server.mode = 'ok';
    await service.close({ drain: 10_000 });
    const received = logged.filter(({ data }) => data !== undefined).map(({ data }) => data as number);
    expect(received, `seed ${seed}`).toEqual([...new Set(received)].sort((a, b) => a - b));
    const all = [...received, ...lost.map(({ number }) => number)].sort((a, b) => a - b);
    expect(all, `seed ${seed}`).toEqual(Array.from({ length: sent }, (_, n) => n + 1));
    for (const { number, at } of lost) {
      expect(
        logged.slice(at).some(({ data }) => data === undefined),
        `seed ${seed}, ${number}`,
      ).toBe(true);
    }
  }
}, 60_000);
