// A worker whose pollers call a function of the test, in virtual time: when it asks, and what it
// notifies.
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
