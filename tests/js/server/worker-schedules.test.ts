// A poller against its rules, over seeded random schedules: whatever the API answers and whatever
// streams are open, each change is notified once, and the last good answer is what is served. The
// oracle counts from the answers and from what is seen; it knows nothing of due times and pauses.
import { expect, test } from 'vitest';
import type { HubError } from '../../../js/server/errors.js';
import { BackgroundWorker } from '../../../js/server/worker/index.js';
import { seeded } from '../support/world.js';
import { ServiceDouble } from './support/service-double.js';
import { WorkerClock } from './support/worker-clock.js';

const schedules = Number(process.env.TINYSSE_SCHEDULES ?? 1000);
const every = 2_000;
const timeout = 1_500;

interface Mode {
  readonly fails: boolean;
  /** How long an answer takes; `ignores`: also beyond the time limit. */
  readonly takes: number;
  readonly ignores: boolean;
  readonly retryAfter: number;
}

/** One random life of a poller. Fails where it breaks a rule. */
async function live(seed: number) {
  const random = seeded(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const clock = new WorkerClock();
  clock.random = seeded(seed + 1_000_000);
  const service = new ServiceDouble();
  const maxStale = random() < 0.5 ? 86_400_000 : 2_500 + below(8_000);
  const log: string[] = [];
  const fail = (rule: string) => {
    throw new Error(`seed ${seed}: ${rule} at ${clock.time} ms\n${log.slice(-40).join('\n')}`);
  };
  const note = (text: string) => log.push(`${clock.time} ${text}`);

  // The API, as it is now.
  let value = 0;
  let mode: Mode = { fails: false, takes: 0, ignores: false, retryAfter: 0 };
  // What the oracle knows.
  let isSeen = false;
  let open = 0;
  /** A call that is not over for the poller; one that is overdue is over. */
  let isAsking = false;
  let good: { readonly value: number; at: number } | undefined;
  let isOwed = false;
  let isStaleNotified = false;
  let expected = 0;
  let answered = Number.NEGATIVE_INFINITY;
  let wasFailing = false;
  let refreshes = 0;
  const outages = { begun: 0, ended: 0 };
  const reported = { errors: 0, recoveries: 0 };

  /** Counts the notification that is due, if the type is seen and no answer is awaited. */
  const count = () => {
    if (!isSeen || isAsking) return;
    if (good && !isStaleNotified && clock.time - good.at > maxStale) {
      isOwed = true;
      isStaleNotified = true;
    }
    if (isOwed) expected += 1;
    isOwed = false;
  };

  const answer = (of: number | undefined) => {
    note(`answer ${of ?? 'failure'}`);
    isAsking = false;
    answered = clock.time;
    if (of === undefined) {
      if (!wasFailing) outages.begun += 1;
      wasFailing = true;
    } else {
      if (wasFailing) outages.ended += 1;
      wasFailing = false;
      if (good?.value !== of || clock.time - good.at > maxStale) isOwed = true;
      good = { value: of, at: clock.time };
      isStaleNotified = false;
    }
    // Before the next call, which may begin at once.
    count();
  };

  const fetch = (signal: AbortSignal) => {
    note('call');
    if (open > 0) fail('two calls at once');
    if (!isSeen && refreshes === 0) fail('a call that nobody wanted');
    if (refreshes === 0 && clock.time - answered < every) fail('a call before its time');
    refreshes = 0;
    open += 1;
    isAsking = true;
    const { fails, takes, ignores, retryAfter } = mode;
    const now = value;
    return new Promise<number>((resolve, reject) => {
      // Nothing of the oracle may depend on promises: it is notified by the same timers.
      const settle = () => {
        clock.clearTimeout(timer);
        open -= 1;
        if (isAsking) answer(fails ? undefined : now);
        if (fails) reject(Object.assign(new Error('down'), retryAfter > 0 && { retryAfter }));
        else resolve(now);
      };
      const timer = clock.setTimeout(settle, takes);
      signal.addEventListener('abort', () => {
        if (isAsking) answer(undefined);
        if (!ignores) settle();
      });
    });
  };

  clock.onQuiet = () => {
    count();
    if (service.published.length !== expected) fail(`${service.published.length} notifications, not ${expected}`);
    const known = worker.value('a');
    if (known?.data !== good?.value) fail(`the value is ${known?.data}, not ${good?.value}`);
    if (known && good && known.age !== clock.time - good.at) fail(`the age is ${known.age}`);
    if (known && known.stale !== known.age > maxStale) fail('stale is wrong');
    if (known && (known.error !== undefined) !== wasFailing) fail('error is wrong');
    if (reported.errors !== outages.begun || reported.recoveries !== outages.ended) fail('outages are misreported');
    if (isSeen && open === 0 && clock.deadlines.length === 0) fail('nothing is planned');
  };

  const onError = (_: HubError) => {
    reported.errors += 1;
  };
  const onRecover = () => {
    reported.recoveries += 1;
  };
  const worker = new BackgroundWorker(service, { onError, onRecover }, clock);
  worker.poll({ type: 'a', fetch, every, timeout, maxStale });
  await clock.quiet();

  const steps: readonly (() => unknown)[] = [
    () => (value = below(3)),
    () => (value = below(3)),
    () => (value = below(3)),
    () => (value = below(3)),
    () => (mode = { fails: false, takes: 0, ignores: false, retryAfter: 0 }),
    () => (mode = { fails: true, takes: below(200), ignores: false, retryAfter: random() < 0.3 ? below(20) : 0 }),
    () => (mode = { fails: random() < 0.3, takes: below(3_000), ignores: false, retryAfter: 0 }),
    () => (mode = { fails: random() < 0.3, takes: below(9_000), ignores: true, retryAfter: 0 }),
    () => {
      isSeen = !isSeen;
      service.see('a', isSeen);
    },
    () => {
      isSeen = true;
      service.see('a', true);
    },
    () => {
      refreshes += 1;
      void worker.refresh('a');
    },
  ];
  for (let left = 20 + below(60); left > 0; left--) {
    const step = below(steps.length);
    note(`step ${step}`);
    steps[step]?.();
    await clock.run(random() < 0.3 ? 0 : below(4_000));
  }
  // In the end all is well: the page that looks then has the value.
  mode = { fails: false, takes: 0, ignores: false, retryAfter: 0 };
  isSeen = true;
  service.see('a', true);
  await clock.run(60_000);
  if (worker.value('a')?.data !== value || worker.value('a')?.stale) fail('the value is not the current one');
  worker.stop();
  if (clock.deadlines.length > 0 && open === 0) fail('a timer is left');
  return { notified: expected, outages: outages.begun };
}

test(
  `${schedules} schedules`,
  async () => {
    const totals = { notified: 0, outages: 0 };
    for (let seed = 1; seed <= schedules; seed++) {
      const { notified, outages } = await live(seed);
      totals.notified += notified;
      totals.outages += outages;
    }
    // The schedules are worth something.
    expect(totals.notified).toBeGreaterThan(4 * schedules);
    expect(totals.outages).toBeGreaterThan(schedules / 2);
  },
  Math.max(120_000, 10 * schedules),
);
