// A publisher at a server that fails in ways that a real one does only by chance: nothing is lost
// silently, nothing is doubled, no secret is printed.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HubError, isHubError } from '../../../js/server/errors.js';
import { createRemote, type RemoteOptions } from '../../../js/server/remote/index.js';
import type { UpdateService } from '../../../js/server/types.js';
import { type Fault, PublishServer } from './support/publish-server.js';

type Service = UpdateService<Record<string, unknown>>;

let server: PublishServer;
let errors: HubError[];
let services: Service[];

beforeEach(async () => {
  server = await PublishServer.start();
  [errors, services] = [[], []];
});

afterEach(async () => {
  for (const service of services) await service.close({ drain: 0 });
  await server.down();
});

function remote(more: Partial<RemoteOptions> = {}): Service {
  const onError = (error: HubError) => errors.push(error);
  const service = createRemote<Record<string, unknown>>({ url: server.url, key: server.key, onError, ...more });
  services.push(service);
  return service;
}

const codes = () => errors.map(({ code }) => code);
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'published',
    (error: unknown) => (isHubError(error) ? error.code : error),
  );

async function until(check: () => boolean): Promise<void> {
  for (let left = 2_000; !check(); left--) {
    if (left === 0) throw new Error('it never happened');
    await new Promise((done) => setTimeout(done, 5));
  }
}

describe('what is announced', () => {
  it('is announced whole to a server that is too old, although the queue is full', async () => {
    await server.down();
    const service = remote({ queue: { maxCount: 3 } });
    for (let n = 1; n <= 3; n++) service.notify('kept', { data: n });
    for (const type of ['a', 'b', 'c', 'd', 'e']) service.notify(type);
    server.fault = () => 'old';
    await server.up();
    await service.close();
    expect(server.log.map(({ type }) => type).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'kept', 'kept', 'kept']);
    expect(server.numbers).toEqual([1, 2, 3]);
    expect(codes().filter((code) => code === 'rejected')).toEqual(['rejected']);
  });

  it('is everything, past 256 types', async () => {
    const service = remote({ queue: { maxCount: 1 } });
    await server.down();
    service.notify('kept');
    for (let n = 1; n <= 256; n++) service.notify(`type-${n}`);
    for (let n = 1; n <= 3; n++) service.notify('type-1');
    await server.up();
    await service.close();
    expect(server.log.filter(({ type }) => type?.startsWith('type-')).length).toBe(256);
    const another = remote({ queue: { maxCount: 1 } });
    another.notify('kept');
    for (let n = 1; n <= 257; n++) another.notify(`type-${n}`);
    await another.close();
    expect(server.requests.map(({ body }) => body)).toContain('{"resync":null}');
  });

  it('is announced again if more is lost while it is on its way', async () => {
    const service = remote({ queue: { maxCount: 1 } });
    server.fault = () => {
      // The first request is the announcement.
      if (server.requests.length === 0) {
        service.notify('b');
        service.notify('c');
      }
      return 'none';
    };
    service.notify('a');
    service.notify('b');
    await until(() => server.log.length >= 4);
    expect(server.log.map(({ type }) => type)).toEqual(['b', 'b', 'c', 'a']);
  });

  it('is waited for by close', async () => {
    const service = remote({ queue: { maxCount: 1 } });
    let announcements = 0;
    server.fault = () => (server.log.length === 0 && announcements++ < 2 ? 'cut' : 'none');
    service.notify('a');
    service.notify('b');
    await until(() => announcements > 0);
    await service.close({ drain: 5_000 });
    expect(server.log.map(({ type }) => type).sort()).toEqual(['a', 'b']);
  });

  it('is reported where the publisher closes without having announced it', async () => {
    const service = remote({ queue: { maxCount: 1 } });
    server.fault = () => 'cut';
    service.notify('a');
    service.notify('b');
    await until(() => codes().includes('unreachable'));
    await service.close({ drain: 20 });
    expect(errors.at(-1)?.message).toBe(
      '1 updates, and 1 announcements of lost updates were not sent in time; they are lost',
    );
  });
});

describe('an answer', () => {
  it('that ends behind its headers is a lost one, and not a refusal', async () => {
    let request = 0;
    server.fault = () => (request++ === 0 ? 'half' : 'none');
    const service = remote();
    const begun = Date.now();
    expect(await service.publish('news', { data: 1 })).toBe('e.1');
    expect(server.numbers).toEqual([1]);
    expect(codes()).toEqual(['unreachable']);
    expect(Date.now() - begun).toBeLessThan(2_000);
  });

  it.each<[string, Fault]>([
    ['408', { status: 408 }],
    ['425', { status: 425 }],
    ['429', { status: 429 }],
    ['500', { status: 500 }],
    ['503 with Retry-After', { status: 503, headers: { 'retry-after': '1' } }],
    ['507', { status: 507 }],
    ['lost', 'lost'],
    ['cut', 'cut'],
    ['silent', 'silent'],
  ])('%s: it is repeated with the same key and the same bytes, and arrives once', async (_, fault) => {
    server.fault = (request) => (request < 2 ? fault : 'none');
    const service = remote({ timeout: 200 });
    const begun = Date.now();
    await service.publish('news', { data: 1 });
    expect(server.requests.length).toBe(3);
    expect(new Set(server.requests.map(({ key, body }) => `${key} ${body}`)).size).toBe(1);
    expect(server.numbers).toEqual([1]);
    expect(codes()).toEqual(['unreachable']);
    if (typeof fault === 'object' && fault.headers) expect(Date.now() - begun).toBeGreaterThanOrEqual(1_990);
  });

  it('that leads elsewhere is not followed: the key stays here', async () => {
    const other = await PublishServer.start();
    server.fault = () => ({ status: 307, headers: { location: `${other.url}/publish` } });
    const service = remote();
    service.notify('news', { data: 1 });
    await until(() => errors.length > 0);
    expect(other.requests).toEqual([]);
    expect(codes()).toEqual(['unauthorized']);
    await other.down();
  });

  it('that refuses one of many rejects that one alone, and keeps the order of the others', async () => {
    server.forbids = (data) => data === 2 || data === 4;
    const service = remote();
    const results = [1, 2, 3, 4, 5].map((n) => codeOf(service.publish('news', { data: n })));
    service.notify('news', { data: 4 });
    expect(await Promise.all(results)).toEqual(['published', 'rejected', 'published', 'rejected', 'published']);
    await service.publish('news', { data: 6 });
    expect(server.numbers).toEqual([1, 3, 5, 6]);
    expect(errors.map(({ code, status }) => [code, status])).toEqual([['rejected', 400]]);
  });

  it('that takes the key for another request is answered by another key', async () => {
    let refusals = 0;
    server.fault = () => (refusals++ === 0 ? { status: 422, code: 'idempotency_mismatch' } : 'none');
    const service = remote();
    await service.publish('news', { data: 1 });
    expect(new Set(server.requests.map(({ key }) => key)).size).toBe(2);
    expect(server.numbers).toEqual([1]);
    expect(errors).toEqual([]);
  });

  it.each([[401], [403], [404]])('%i is reported once; what waits arrives when that is repaired', async (status) => {
    server.fault = () => ({ status });
    const service = remote();
    const published = service.publish('news', { data: 1 });
    await until(() => errors.length > 0);
    server.fault = () => 'none';
    await service.close();
    expect(await published).toBe('e.1');
    expect(codes()).toEqual(['unauthorized']);
  });
});

describe('what is wrong', () => {
  it('with the size of an update is found at once', async () => {
    const service = remote();
    expect(await codeOf(service.publish('large', { data: 'x'.repeat(1 << 20) }))).toBe('update_too_large');
    expect(server.requests).toEqual([]);
    // The largest that the server takes.
    await service.publish('large', { data: 'x'.repeat((1 << 20) - 2 - '{"type":"large","data":""}'.length) });
    expect(server.log.length).toBe(1);
  });

  it('with characters of a field is found at once', async () => {
    const service = remote();
    for (const field of ['key', 'origin', 'except']) {
      expect(await codeOf(service.publish('a', { [field]: '\ud800' }))).toBe('bad_field');
    }
    expect(await codeOf(service.publish('a', { to: `channel:${'a.'.repeat(32)}a` }))).toBe('bad_audience');
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['remote.key', { key: 'the-secret-key\n' }],
    ['remote.key', { key: 'the-secret-schlüssel' }],
    ['remote.url', { url: 'http://ada:secret@127.0.0.1:1/' }],
    ['remote.url', { url: 'http://127.0.0.1:1/?a=b' }],
    ['remote.fetch', { fetch: 'fetch' }],
  ])('with %s is found at once, and the value is not printed', (option, more) => {
    let thrown: unknown;
    try {
      remote(more as never);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'options', option });
    expect(String(thrown)).not.toMatch(/secret/);
  });
});

describe('reports', () => {
  it('come once for each change of state', async () => {
    await server.down();
    const service = remote({ queue: { maxCount: 2 } });
    for (let n = 1; n <= 500; n++) service.notify('news', { data: n });
    await until(() => codes().includes('unreachable'));
    expect(codes().sort()).toEqual(['queue_full', 'unreachable']);
    await server.up();
    await until(() => server.log.length === 3);
    await service.publish('end');
    await server.down();
    for (let n = 1; n <= 500; n++) service.notify('news', { data: n });
    await until(() => codes().filter((code) => code === 'unreachable').length === 2);
    expect(codes().filter((code) => code === 'queue_full').length).toBe(2);
    for (const { message } of errors) expect(message).not.toContain(server.key);
  });
});

it('connections are kept alive', async () => {
  const service = remote();
  for (let n = 1; n <= 20; n++) await service.publish('news', { data: n });
  // A request may begin before the runtime has put the last connection back.
  expect(new Set(server.requests.map(({ connection }) => connection)).size).toBeLessThanOrEqual(2);
});

it('what one task notifies is one request', async () => {
  const service = remote();
  for (let n = 1; n <= 900; n++) service.notify('news', { data: n });
  await service.publish('end');
  expect(server.requests.length).toBe(1);
});

it('a given fetch is used instead of the global one', async () => {
  let calls = 0;
  const service = remote({
    fetch: (url, init) => {
      calls += 1;
      return fetch(url, init);
    },
  });
  await service.publish('news');
  expect(calls).toBe(1);
});

it('close ends although `fetch` ignores its signal', async () => {
  const service = remote({ fetch: () => new Promise(() => {}) });
  const waiting = codeOf(service.publish('news'));
  await service.close({ drain: 10 });
  expect(await waiting).toBe('closed');
});
