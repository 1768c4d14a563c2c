// The options of a worker and its pollers: every complaint names the option and repeats no secret.
import { expect, test } from 'vitest';
import { HubError } from '../../../js/server/errors.js';
import { checkPoll } from '../../../js/server/worker/check.js';
import { BackgroundWorker } from '../../../js/server/worker/index.js';
import { ServiceDouble } from './support/service-double.js';

const url = 'http://user:hush@127.0.0.1:9/hush?key=hush';
const good = { type: 'a', url };

function complaint(work: () => unknown): HubError {
  try {
    work();
  } catch (error) {
    if (error instanceof HubError) return error;
  }
  throw new Error('must be refused by a HubError');
}

test('what is left out has a default', () => {
  const { source, ...rest } = checkPoll<unknown>({ type: 'a', url: 'http://x' });
  expect(rest).toEqual({
    type: 'a',
    every: 2_000,
    timeout: 5_000,
    maxStale: 6_000,
    to: [],
    key: undefined,
    detect: { by: 'json' },
    send: false,
  });
  expect(source).toEqual({ url: 'http://x/', method: 'GET', body: undefined, headers: {}, maxBytes: 1 << 20 });
  const staleOf = (every: number) => checkPoll({ type: 'a', url, every }).maxStale;
  expect([10, 60_000, 86_400_000].map(staleOf)).toEqual([1_000, 180_000, 86_400_000]);
});

test('name and password of an address become a header, with any letters', () => {
  const { source } = checkPoll({ type: 'a', url: new URL('https://j%C3%BCrgen:a%3Ab@x/y?z#f') });
  expect(source).toMatchObject({ url: 'https://x/y?z#f' });
  const basic = `Basic ${Buffer.from('jürgen:a:b').toString('base64')}`;
  expect(source).toMatchObject({ headers: { authorization: basic } });
});

test('what is posted is JSON unless a header has another type', () => {
  const headersOf = (headers: Record<string, string>) => {
    const { source } = checkPoll({ ...good, method: 'POST', body: '{}', headers });
    return typeof source === 'function' ? undefined : source.headers['content-type'];
  };
  expect([headersOf({}), headersOf({ 'Content-Type': 'text/plain' })]).toEqual(['application/json', 'text/plain']);
});

test.each<[object, string]>([
  [{ evry: 1_000 }, 'poll.evry'],
  [{ type: undefined }, 'poll.type'],
  [{ type: '' }, 'poll.type'],
  [{ type: 'a b' }, 'poll.type'],
  [{ type: 'a'.repeat(129) }, 'poll.type'],
  [{ type: 'tinysse.hello' }, 'poll.type'],
  [{ every: 9 }, 'poll.every'],
  [{ every: 86_400_001 }, 'poll.every'],
  [{ every: 2_000.5 }, 'poll.every'],
  [{ every: '2s' }, 'poll.every'],
  [{ every: Number.NaN }, 'poll.every'],
  [{ timeout: 0 }, 'poll.timeout'],
  [{ maxStale: -1 }, 'poll.maxStale'],
  [{ maxBytes: 0 }, 'poll.maxBytes'],
  [{ maxBytes: (64 << 20) + 1 }, 'poll.maxBytes'],
  [{ to: 'hush' }, 'poll.to'],
  [{ to: [] }, 'poll.to'],
  [{ to: ['all', 'user:'] }, 'poll.to'],
  [{ to: 'user:a\n' }, 'poll.to'],
  [{ to: `channel:${'a.'.repeat(32)}a` }, 'poll.to'],
  [{ to: Array.from({ length: 101 }, () => 'all') }, 'poll.to'],
  [{ to: 7 }, 'poll.to'],
  [{ key: 7 }, 'poll.key'],
  [{ key: 'ä'.repeat(128) }, 'poll.key'],
  [{ detect: 'hush' }, 'poll.detect'],
  [{ detect: null }, 'poll.detect'],
  [{ pointer: 'a' }, 'poll.pointer'],
  [{ pointer: ['/a', '/~'] }, 'poll.pointer'],
  [{ pointer: [] }, 'poll.pointer'],
  [{ pointer: '/a', detect: 'hash' }, 'poll.pointer'],
  [{ pointer: '/a', detect: () => true }, 'poll.pointer'],
  [{ send: 'value' }, 'poll.send'],
  [{ url: undefined }, 'poll.url'],
  [{ url: 'hush' }, 'poll.url'],
  [{ url: 'ftp://hush/' }, 'poll.url'],
  [{ url: 'http://%hush@x/' }, 'poll.url'],
  [{ url: 7 }, 'poll.url'],
  [{ fetch: () => 1 }, 'poll.url'],
  [{ url: undefined, fetch: 'hush' }, 'poll.fetch'],
  [{ url: undefined, fetch: () => 1, headers: { a: 'hush' } }, 'poll.headers'],
  [{ url: undefined, fetch: () => 1, maxBytes: 9 }, 'poll.maxBytes'],
  [{ method: 'PUT' }, 'poll.method'],
  [{ body: 'hush' }, 'poll.body'],
  [{ method: 'POST', body: { hush: 1 } }, 'poll.body'],
  [{ headers: 'authorization' }, 'poll.headers'],
  [{ headers: { 'a b': 'hush' } }, 'poll.headers'],
  [{ headers: { a: 'hush\n' } }, 'poll.headers'],
  [{ headers: { a: 7 } }, 'poll.headers'],
  [{ headers: { Host: 'hush' } }, 'poll.headers'],
  [{ headers: { 'If-None-Match': 'hush' } }, 'poll.headers'],
  [{ headers: { Authorization: 'hush' } }, 'poll.headers'],
])('%o is refused as %s', (wrong, option) => {
  const worker = new BackgroundWorker(new ServiceDouble());
  const error = complaint(() => worker.poll({ ...good, ...wrong } as typeof good));
  expect([error.code, error.option]).toEqual(['options', option]);
  expect(error.message).not.toContain('hush');
  expect(error.message).toContain(`\`${option}\``);
});

test.each<[() => unknown, string]>([
  [() => new BackgroundWorker(undefined as never), 'updateService'],
  [() => new BackgroundWorker({} as never), 'updateService'],
  [() => new BackgroundWorker(new ServiceDouble(), { onEror: () => {} } as never), 'worker.onEror'],
  [() => new BackgroundWorker(new ServiceDouble(), { onError: 'log' } as never), 'worker.onError'],
  [() => new BackgroundWorker(new ServiceDouble(), null as never), 'worker'],
  [() => new BackgroundWorker(new ServiceDouble()).poll(undefined as never), 'poll'],
  [() => new BackgroundWorker(new ServiceDouble()).refresh('a'), 'refresh.type'],
])('%s is refused as %s', (work, option) => {
  const error = complaint(work);
  expect([error.code, error.option]).toEqual(['options', option]);
});

test('a type is polled once, and again when its poller is stopped', () => {
  const service = new ServiceDouble();
  const worker = new BackgroundWorker(service);
  const first = worker.poll(good);
  expect(complaint(() => worker.poll(good)).option).toBe('poll.type');
  first.stop();
  const second = worker.poll(good);
  first.stop();
  expect(complaint(() => worker.poll(good)).option).toBe('poll.type');
  second.stop();
  expect(service.watching('a')).toEqual([]);
});

interface Shop {
  orders: { open: number };
  projects: undefined;
}

test('types and their data are those of the map of updates', async () => {
  const worker = new BackgroundWorker(new ServiceDouble<Shop>());
  const orders = worker.poll({ type: 'orders', url, send: ({ open }) => ({ open }) });
  const open: number | undefined = orders.value()?.data.open ?? worker.value('orders')?.data.open;
  // What a map without data has is not known; a client of the application has its own type.
  const projects = worker.poll({
    type: 'projects',
    fetch: async () => ['a'],
    detect: (previous, next) => previous.length !== next.length,
    to: ['role:admin', 'user:ada'],
  });
  const names: readonly string[] | undefined = (await projects.refresh())?.data;
  const unknown: unknown = worker.value('projects')?.data;
  const named: string[] | undefined = worker.value<'projects', string[]>('projects')?.data;
  expect([open, names, unknown, named]).toEqual([undefined, ['a'], ['a'], ['a']]);
  const wrong = () => {
    // @ts-expect-error There is no such type.
    worker.poll({ type: 'order', url });
    // @ts-expect-error There is no such type.
    worker.value('order');
    // @ts-expect-error The data of `orders` have no such field.
    worker.value('orders')?.data.closed;
    // @ts-expect-error The notification of `orders` carries a number.
    worker.poll({ type: 'orders', url, send: () => ({ open: 'many' }) });
    // @ts-expect-error Either, not both.
    worker.poll({ type: 'orders', url, fetch: () => ({ open: 1 }) });
    // @ts-expect-error An audience has a kind.
    worker.poll({ type: 'orders', url, to: 'admin' });
    // @ts-expect-error These are options of `url`.
    worker.poll({ type: 'orders', fetch: () => ({ open: 1 }), headers: {} });
  };
  expect(wrong).toBeTypeOf('function');
  worker.stop();
});
