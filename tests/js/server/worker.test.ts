// A worker whose pollers call a function of the test, in virtual time: when it asks, what it
// notifies, what it reports.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { HubError } from '../../../js/server/errors.js';
import { BackgroundWorker, type PollOptions, type PollRecovery } from '../../../js/server/worker/index.js';
import { ServiceDouble } from './support/service-double.js';
import { WorkerClock } from './support/worker-clock.js';

interface Shop {
  progress: unknown;
  orders: unknown;
}

/** A polled API: what it answers, and when. */
class Api {
  /** When calls began. */
  readonly calls: number[] = [];
  readonly signals: AbortSignal[] = [];
  value: unknown = 1;
  error: unknown;
  /** Set: calls are answered by `answer` only. */
  isHeld = false;
  open = 0;
  mostOpen = 0;
  readonly #clock: WorkerClock;
  readonly #held: (() => void)[] = [];

  constructor(clock: WorkerClock) {
    this.#clock = clock;
  }

  fetch = async (signal: AbortSignal): Promise<unknown> => {
    this.calls.push(this.#clock.time);
    this.signals.push(signal);
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    const { value, error } = this;
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
    this.open -= 1;
    if (error !== undefined) throw error;
    return value;
  };

  /** Answers what was held back, with what was true when it was asked. */
  answer(): void {
    for (const one of this.#held.splice(0)) one();
  }
}

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

const data = () => service.published.map((update) => update.data);

describe('asking', () => {
  test('begins at once where the type is seen, and goes on every 2 seconds', async () => {
    poll();
    await clock.run(6_000);
    expect(api.calls).toEqual([0, 2_000, 4_000, 6_000]);
  });

  test('waits until the type is seen, pauses when it is not, and goes on at once', async () => {
    service.see('progress', false);
    poll();
    await clock.run(10_000);
    expect(api.calls).toEqual([]);
    service.see('progress', true);
    await clock.run(2_500);
    expect(api.calls).toEqual([10_000, 12_000]);
    service.see('progress', false);
    await clock.run(7_500);
    expect([api.calls.length, clock.deadlines]).toEqual([2, []]);
    service.see('progress', true);
    await clock.run(0);
    expect(api.calls).toEqual([10_000, 12_000, 20_000]);
  });

  test('is never sooner than `every`, however often streams open', async () => {
    poll();
    for (let i = 0; i < 39; i++) {
      await clock.run(50);
      service.see('progress', i % 2 === 1);
    }
    service.see('progress', true);
    expect(api.calls).toEqual([0]);
    await clock.run(50);
    expect(api.calls).toEqual([0, 2_000]);
  });

  test('is delayed by a slow answer, without a burst behind it', async () => {
    poll();
    await clock.run(1_999);
    api.isHeld = true;
    await clock.run(4_000);
    expect(api.calls).toEqual([0, 2_000]);
    api.isHeld = false;
    api.answer();
    await clock.run(4_001);
    expect(api.calls).toEqual([0, 2_000, 7_999, 9_999]);
    expect(api.mostOpen).toBe(1);
  });

  test('fails after `timeout`, with an aborted signal', async () => {
    api.isHeld = true;
    poll({ timeout: 3_000 });
    await clock.run(2_999);
    expect([errors.length, api.signals[0]?.aborted]).toEqual([0, false]);
    await clock.run(1);
    expect(errors.map(({ message }) => message)).toEqual([
      'polling progress failed: no answer in time; there is no value yet; next attempt in 2.0 s',
    ]);
    expect(api.signals[0]?.aborted).toBe(true);
  });

  test('a call that ignores its signal is not joined by another, and its late answer is dropped', async () => {
    poll({ timeout: 1_000, maxStale: 4_000 });
    await clock.run(0);
    api.isHeld = true;
    api.value = 'late';
    await clock.run(60_000);
    expect(api.calls).toEqual([0, 2_000]);
    // That the value is stale is notified nevertheless, and nobody waits for what may never come.
    expect(service.published).toHaveLength(2);
    expect(await worker.refresh('progress')).toMatchObject({ data: 1, age: 60_000, stale: true });
    api.isHeld = false;
    api.value = 'new';
    api.answer();
    await clock.run(0);
    expect(api.calls).toEqual([0, 2_000, 60_000]);
    expect([worker.value('progress')?.data, service.published.length]).toEqual(['new', 3]);
  });

  test('a function that throws at once, or returns no promise, is fine', async () => {
    const answers = [
      () => {
        throw new Error('no');
      },
      () => 7,
    ];
    worker.poll({ type: 'progress', fetch: () => answers.shift()?.() });
    await clock.run(2_000);
    expect([errors.length, worker.value('progress')?.data]).toEqual([1, 7]);
  });

  test('a Response instead of its value is a failure with advice', async () => {
    api.value = new Response('{}');
    poll();
    await clock.run(0);
    expect(errors[0]?.message).toContain('`fetch` returned a Response; return its value, as `response.json()` does');
  });
});

describe('notifying', () => {
  test('the first value and each change, and nothing else', async () => {
    poll();
    const values = [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
      { a: 2, b: 2 },
      { a: 2, b: 2 },
      { a: 1, b: 2 },
    ];
    for (const value of values) {
      api.value = value;
      await clock.run(2_000);
    }
    expect(service.published.map(({ type, to, key, data }) => ({ type, to, key, data }))).toEqual(
      Array.from({ length: 3 }, () => ({ type: 'progress', to: ['all'], key: undefined, data: undefined })),
    );
  });

  test('with key and audiences, of which the type must be seen', async () => {
    poll({ key: 'k', to: ['role:admin', 'user:ada'] });
    expect(service.watching('progress')).toEqual([['role:admin', 'user:ada']]);
    await clock.run(0);
    expect(service.published[0]).toMatchObject({ key: 'k', to: ['role:admin', 'user:ada'] });
  });

  test('one audience', async () => {
    poll({ to: 'role:admin' });
    await clock.run(0);
    expect(service.published[0]?.to).toEqual(['role:admin']);
  });

  test('with the value if asked', async () => {
    api.value = { percent: 7, at: 1 };
    poll({ send: true });
    await clock.run(0);
    expect(data()).toEqual([{ percent: 7, at: 1 }]);
  });

  test('with the part that a pointer names', async () => {
    api.value = { percent: 7, at: 1 };
    poll({ send: true, pointer: '/percent' });
    await clock.run(0);
    api.value = { percent: 7, at: 2 };
    await clock.run(2_000);
    api.value = { at: 3 };
    await clock.run(2_000);
    expect(data()).toEqual([7, null]);
    expect(worker.value('progress')?.data).toEqual({ at: 3 });
  });

  test('with what a function makes of it, or without', async () => {
    poll({ send: (value) => (value === 2 ? undefined : { value }) });
    for (const value of [1, 2, 3]) {
      api.value = value;
      await clock.run(2_000);
    }
    expect(data()).toEqual([{ value: 1 }, undefined, { value: 3 }]);
  });

  test('without data that cannot be sent, which is reported once', async () => {
    const answers: unknown[] = ['throw', 7n, 'x'.repeat(256 << 10), 'ä'.repeat(140_000), 'fine', 8n];
    poll({
      send: (value) => {
        if (answers[Number(value)] === 'throw') throw new Error('bearer hush');
        return answers[Number(value)];
      },
    });
    for (const value of answers.keys()) {
      api.value = value;
      await clock.run(2_000);
    }
    expect(data()).toEqual([undefined, undefined, undefined, undefined, 'fine', undefined]);
    expect(errors.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'poll_failed: progress is notified without data: [redacted]',
      'poll_failed: progress is notified without data: what `send` gives has no JSON form (bigint)',
    ]);
    expect(service.errors).toEqual([]);
  });

  test('of a change that came when the type was not seen any more, as soon as it is', async () => {
    poll();
    await clock.run(1_000);
    api.value = 2;
    api.isHeld = true;
    await clock.run(1_000);
    service.see('progress', false);
    api.answer();
    await clock.run(500);
    expect([service.published.length, worker.value('progress')?.data]).toEqual([1, 2]);
    service.see('progress', true);
    expect(service.published).toHaveLength(2);
  });

  test('when the value becomes stale and when it is fresh again, without data', async () => {
    poll({ send: true });
    await clock.run(0);
    api.error = new Error('down');
    await clock.run(6_000);
    expect(service.published).toHaveLength(1);
    await clock.run(1);
    expect(data()).toEqual([1, undefined]);
    await clock.run(100_000);
    expect(service.published).toHaveLength(2);
    api.error = undefined;
    await clock.run(30_000);
    expect(data()).toEqual([1, undefined, 1]);
  });

  test('to a service that throws is tried again, and reported', async () => {
    const notify = vi.spyOn(service, 'notify').mockImplementation(() => {
      throw new Error('broken');
    });
    poll({ every: 60_000 });
    await clock.run(1_100);
    expect(notify).toHaveBeenCalledTimes(3);
    expect(errors[0]?.message).toBe('progress could not be notified: broken');
    notify.mockRestore();
    await clock.run(500);
    expect([service.published.length, api.calls.length]).toEqual([1, 1]);
  });

  test('may stop the worker, refresh and open streams meanwhile', async () => {
    let calls = 0;
    service.subscribe(() => {
      calls += 1;
      if (calls === 1) void worker.refresh('progress');
      service.see('progress', false);
      service.see('progress', true);
      if (calls === 2) worker.stop();
    });
    poll();
    await clock.run(0);
    expect(api.calls).toEqual([0, 0]);
    api.value = 2;
    await clock.run(2_000);
    expect([service.published.length, clock.deadlines]).toEqual([2, []]);
    await clock.run(10_000);
    expect(api.calls).toHaveLength(3);
  });
});

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
