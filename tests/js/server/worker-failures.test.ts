// A worker whose pollers fail, are refreshed and end, in virtual time: what it keeps, and what it
// reports.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HubError } from '../../../js/server/errors.js';
import { BackgroundWorker, type PollOptions, type PollRecovery } from '../../../js/server/worker/index.js';
import { ServiceDouble } from './support/service-double.js';
import { Api, type Shop } from './support/worker-api.js';
import { WorkerClock } from './support/worker-clock.js';

let clock: WorkerClock;
let service: ServiceDouble<Shop>;
let api: Api;
let worker: BackgroundWorker<Shop>;
let errors: HubError[];
let recoveries: PollRecovery[];

beforeEach(() => {
  clock = new WorkerClock();
  service = new ServiceDouble<Shop>('progress');
  api = new Api(clock);
  errors = [];
  recoveries = [];
  const onError = (error: HubError) => void errors.push(error);
  const onRecover = (recovery: PollRecovery) => void recoveries.push(recovery);
  worker = new BackgroundWorker(service, { onError, onRecover }, clock);
});
afterEach(() => worker.stop());

function poll(options: Partial<Omit<PollOptions<Shop, 'progress', unknown>, 'url' | 'fetch'>> = {}) {
  return worker.poll({ type: 'progress', fetch: api.fetch, ...options });
}

describe('the last value', () => {
  test('has its age, and goes on while the API fails', async () => {
    const poller = poll();
    expect([worker.value('progress'), poller.value(), worker.value('orders')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    await clock.run(500);
    expect(worker.value('progress')).toEqual({ data: 1, age: 500, stale: false });
    api.error = Object.assign(new Error('status 503'), { status: 503, retryAfter: 7 });
    await clock.run(2_000);
    const failing = worker.value('progress');
    expect(failing).toMatchObject({ data: 1, age: 2_500, stale: false });
    expect([failing?.error?.code, failing?.error?.status, failing?.error?.retryAfter]).toEqual(['poll_failed', 503, 7]);
    await clock.run(4_000);
    expect(poller.value()).toMatchObject({ data: 1, age: 6_500, stale: true });
    api.error = undefined;
    api.value = 2;
    await clock.run(5_000);
    expect(worker.value('progress')).toEqual({ data: 2, age: 500, stale: false });
  });

  test('is the newest answer, also where a function sees no change', async () => {
    poll({ detect: (previous, next) => Number(next) - Number(previous) > 1 });
    for (const value of [1, 2, 3, 4]) {
      api.value = value;
      await clock.run(2_000);
    }
    expect([worker.value('progress')?.data, service.published.length]).toEqual([4, 2]);
  });
});

describe('refreshing', () => {
  test('asks at once and resolves with the value, whether or not the type is seen', async () => {
    service.see('progress', false);
    poll();
    expect(await worker.refresh('progress')).toEqual({ data: 1, age: 0, stale: false });
    await clock.run(100);
    expect(await worker.refresh('progress')).toEqual({ data: 1, age: 0, stale: false });
    expect([api.calls, service.published.length]).toEqual([[0, 100], 0]);
    service.see('progress', true);
    expect(service.published).toHaveLength(1);
    await clock.run(2_000);
    expect(api.calls).toEqual([0, 100, 2_100]);
  });

  test('asks behind a request under way, once for all', async () => {
    const poller = poll();
    api.isHeld = true;
    await clock.run(10);
    const refreshed = [worker.refresh('progress'), poller.refresh(), worker.refresh('progress')];
    api.value = 2;
    api.answer();
    await clock.run(10);
    expect([api.calls, worker.value('progress')?.data]).toEqual([[0, 10], 1]);
    api.answer();
    expect((await Promise.all(refreshed)).map((value) => value?.data)).toEqual([2, 2, 2]);
    expect([api.calls.length, api.mostOpen]).toEqual([2, 1]);
  });

  test('resolves with the last value and its error where that fails, during a pause too', async () => {
    poll();
    await clock.run(0);
    api.error = Object.assign(new Error('busy'), { retryAfter: 600 });
    expect((await worker.refresh('progress'))?.error?.message).toContain('busy');
    await clock.run(1_000);
    expect(await worker.refresh('progress')).toMatchObject({ data: 1, age: 1_000, stale: false });
    expect(api.calls).toEqual([0, 0, 1_000]);
    expect(errors).toHaveLength(1);
  });

  test('resolves at the end of the worker', async () => {
    const poller = poll();
    api.isHeld = true;
    await clock.run(0);
    const refreshed = worker.refresh('progress');
    worker.stop();
    expect(await refreshed).toBeUndefined();
    // One that is under way itself.
    const other = new BackgroundWorker(service, {}, clock);
    service.see('progress', false);
    other.poll({ type: 'progress', fetch: api.fetch });
    const begun = other.refresh('progress');
    await clock.run(0);
    other.stop();
    expect(await begun).toBeUndefined();
    expect(await worker.refresh('progress')).toBeUndefined();
    expect(await poller.refresh()).toBeUndefined();
    expect(api.calls).toHaveLength(2);
  });
});

describe('failures', () => {
  test('are reported once until it works again, and that is reported as well', async () => {
    poll();
    await clock.run(1_000);
    api.error = new Error('down');
    await clock.run(11_000);
    expect(api.calls).toEqual([0, 2_000, 4_000, 6_000, 8_000, 10_000, 12_000]);
    api.error = undefined;
    await clock.run(2_000);
    api.error = new Error('down again');
    await clock.run(2_000);
    expect(errors.map(({ message }) => message)).toEqual([
      'polling progress failed: down; the last value, 2.0 s old, is served; next attempt in 2.0 s',
      'polling progress failed: down again; the last value, 2.0 s old, is served; next attempt in 2.0 s',
    ]);
    expect(recoveries).toEqual([{ type: 'progress', failures: 6, duration: 12_000 }]);
  });

  test('make the pauses longer, with jitter', async () => {
    clock.random = () => 0.999_999;
    api.error = new Error('down');
    poll({ timeout: 1_000 });
    await clock.run(120_000);
    const gaps = api.calls.slice(1).map((at, n) => at - (api.calls[n] ?? 0));
    expect(gaps).toEqual([4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('honour `retryAfter`', async () => {
    api.error = Object.assign(new Error('busy'), { retryAfter: 60 });
    poll();
    await clock.run(59_999);
    expect(api.calls).toEqual([0]);
    await clock.run(1);
    expect(api.calls).toEqual([0, 60_000]);
  });

  test.each([
    [new Error('no https://user:hush@host/?key=hush now'), 'no [address] now'],
    [new Error('Bearer hush was refused\n  at line 7'), '[redacted] was refused at line 7'],
    [Object.assign(new Error('no'), { code: 'ECONNRESET' }), 'no (ECONNRESET)'],
    [new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } }), 'the connection failed (ENOTFOUND)'],
    [new Error('x'.repeat(10_000)), 'x'.repeat(200)],
    [undefined, 'an unknown error'],
    ['text', 'an unknown error'],
    [{ message: '', code: 'not a code' }, 'an unknown error'],
  ])('%s is described in one line', async (thrown, reason) => {
    worker.poll({ type: 'progress', fetch: () => Promise.reject(thrown) });
    await clock.run(0);
    expect(errors[0]?.message).toBe(`polling progress failed: ${reason}; there is no value yet; next attempt in 2.0 s`);
    expect(errors[0]?.cause).toBeUndefined();
  });

  test('when no stream is open are reported as such', async () => {
    service.see('progress', false);
    api.error = new Error('down');
    poll();
    await worker.refresh('progress');
    expect(errors[0]?.message).toContain('; next attempt when a stream may receive the type');
  });

  test('go to the console by default, and so do recoveries', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    const info = vi.spyOn(console, 'info').mockImplementation(() => {});
    const plain = new BackgroundWorker(service, {}, clock);
    api.error = new Error('down');
    plain.poll({ type: 'progress', fetch: api.fetch });
    await clock.run(1);
    api.error = undefined;
    await clock.run(2_000);
    plain.stop();
    expect(error.mock.calls).toEqual([
      ['tinysse: polling progress failed: down; there is no value yet; next attempt in 2.0 s'],
    ]);
    expect(info.mock.calls).toEqual([['tinysse: polling progress works again after 1 failure in 2.0 s']]);
  });

  test('of the callbacks themselves end nothing', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    const broken = () => {
      throw new Error('broken');
    };
    const plain = new BackgroundWorker(service, { onError: broken, onRecover: broken }, clock);
    api.error = new Error('down');
    plain.poll({ type: 'progress', fetch: api.fetch });
    await clock.run(1);
    api.error = undefined;
    await clock.run(2_000);
    plain.stop();
    expect([error.mock.calls.length, service.published.length]).toEqual([2, 1]);
  });
});

describe('the end', () => {
  test('comes with the end of the service', async () => {
    poll();
    await clock.run(500);
    api.isHeld = true;
    await clock.run(2_000);
    await service.close();
    expect(api.signals.at(-1)?.aborted).toBe(true);
    expect([clock.deadlines, service.watching('progress')]).toEqual([[], []]);
    api.answer();
    await clock.run(60_000);
    expect([api.calls.length, errors, service.errors, service.published.length]).toEqual([2, [], [], 1]);
    // What is known stays.
    expect(worker.value('progress')).toEqual({ data: 1, age: 62_500, stale: true });
    expect(() => worker.poll({ type: 'orders', fetch: api.fetch })).toThrow('the worker is stopped');
  });

  test('has come where the service is closed already', async () => {
    await service.close();
    expect(() => new BackgroundWorker(service, {}, clock).poll({ type: 'orders', fetch: api.fetch })).toThrow(
      'orders is not polled: the worker is stopped',
    );
  });

  test('of one poller leaves the others', async () => {
    const poller = poll();
    service.see('orders', true);
    worker.poll({ type: 'orders', fetch: api.fetch });
    await clock.run(0);
    poller.stop();
    poller.stop();
    await clock.run(2_000);
    expect(api.calls).toEqual([0, 0, 2_000]);
    expect([poller.value()?.data, worker.value('progress'), worker.value('orders')?.data]).toEqual([1, undefined, 1]);
  });
});

test('pollers keep no process alive', () => {
  const entry = fileURLToPath(new URL('../../../js/server/worker/index.ts', import.meta.url));
  const { outputFiles } = buildSync({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  const program = `
    const signal = new AbortController().signal;
    const watch = (_type, _to, listener) => (listener(true), () => {});
    const service = { notify: () => console.log('notified'), watch, closed: signal };
    new BackgroundWorker(service).poll({ type: 'a', fetch: () => 1 });
    new BackgroundWorker(service).poll({ type: 'b', fetch: () => new Promise(() => {}) });
  `;
  const input = `${outputFiles[0]?.text}\n${program}`;
  const { stdout, stderr, status, error } = spawnSync(process.execPath, ['--input-type=module'], {
    input,
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect([stdout, stderr, status, error]).toEqual(['notified\n', '', 0, undefined]);
});
