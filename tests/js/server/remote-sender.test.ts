// When a publisher sends again, in virtual time.
import { expect, it } from 'vitest';
import type { RemoteClock } from '../../../js/server/remote/clock.js';
import type { Batch } from '../../../js/server/remote/queue.js';
import { Sender, type Settled, type Unsettled } from '../../../js/server/remote/sender.js';

interface Timer {
  readonly at: number;
  readonly work: () => void;
  readonly keepsAlive: boolean;
}

/** A clock that moves when the test lets it. */
class Clock implements RemoteClock {
  time = 1_000_000;
  chance = 0;
  readonly timers = new Set<Timer>();

  setTimer(ms: number, work: () => void, keepsAlive: boolean): () => void {
    const timer = { at: this.time + ms, work, keepsAlive };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }
  now = () => this.time;
  random = () => this.chance;

  /** Lets everything happen that needs no time. */
  quiet = () => new Promise((done) => setImmediate(done));

  /** Goes to the next timer. Returns how long that is. */
  async next(): Promise<number> {
    await this.quiet();
    const [first] = [...this.timers].sort((a, b) => a.at - b.at);
    if (!first) throw new Error('no timer is set');
    const ms = first.at - this.time;
    this.timers.delete(first);
    this.time = first.at;
    first.work();
    await this.quiet();
    return ms;
  }
}

const TIMEOUT = 10_000;

function world(answers: (() => Promise<Response>)[]) {
  const clock = new Clock();
  const [settled, unsettled, signals]: [Settled[], Unsettled[], AbortSignal[]] = [[], [], []];
  let batch: Batch | undefined = { key: 'k', body: '[]', entries: [] };
  const outbox = {
    next: () => batch,
    onSend: () => {},
    onSettled: (_: Batch, outcome: Settled) => {
      settled.push(outcome);
      batch = undefined;
    },
    onUnsettled: (outcome: Unsettled) => void unsettled.push(outcome),
  };
  const target = {
    url: 'http://hub/publish',
    key: 'key',
    timeout: TIMEOUT,
    fetch: (_: string, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return (answers.length > 1 ? answers.shift() : answers[0])?.() as Promise<Response>;
    },
  };
  return { clock, settled, unsettled, signals, sender: new Sender(target, outbox, clock) };
}

const unreachable = () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }));
const status =
  (code: number, headers = {}) =>
  async () =>
    new Response('{}', { status: code, headers });
const published = async () => new Response('{"ids":["e.1"]}');

it.each([
  ['the shortest', 0, [100, 100, 100, 100, 100]],
  ['the longest', 1, [400, 800, 800, 800, 800]],
])('pauses grow to a cap, with jitter above a floor: %s', async (_, chance, pauses) => {
  const { clock, sender, unsettled } = world([unreachable]);
  clock.chance = chance;
  sender.start();
  const waited: number[] = [];
  for (let n = 0; n < pauses.length; n++) waited.push(await clock.next());
  expect(waited).toEqual(pauses);
  expect(unsettled[0]).toEqual({ kind: 'later', why: 'ECONNREFUSED' });
});

it('a success makes the next pause a short one', async () => {
  const { clock, sender, settled } = world([unreachable, unreachable, unreachable, published]);
  clock.chance = 1;
  sender.start();
  for (let n = 0; n < 3; n++) await clock.next();
  expect(settled).toEqual([{ kind: 'published', ids: ['e.1'] }]);
  expect(clock.timers.size).toBe(0);
});

it.each([
  ['seconds', '3', 3_100],
  ['at most a minute', '86400', 60_100],
  ['a date', new Date(1_000_000 + 5_000).toUTCString(), 5_100],
  ['a date that is over', new Date(0).toUTCString(), 100],
  ['nonsense', 'soon', 100],
])('Retry-After is waited for: %s', async (_, header, pause) => {
  const { clock, sender } = world([status(503, { 'retry-after': header })]);
  sender.start();
  expect(await clock.next()).toBe(pause);
});

it('a refusal that an operator has to repair is tried again every 5 s', async () => {
  const { clock, sender, unsettled } = world([status(401)]);
  sender.start();
  expect([await clock.next(), await clock.next()]).toEqual([5_000, 5_000]);
  expect(unsettled.map(({ kind }) => kind)).toEqual(['refused', 'refused', 'refused']);
});

it('a request without an answer ends at its time limit', async () => {
  const { clock, sender, signals, unsettled } = world([() => new Promise(() => {})]);
  sender.start();
  expect(await clock.next()).toBe(TIMEOUT);
  expect(signals[0]?.aborted).toBe(true);
  expect(unsettled).toEqual([{ kind: 'later', why: `no answer within ${TIMEOUT} ms` }]);
});

it('the process waits for a pause only while the publisher closes, which tries at once', async () => {
  const { clock, sender, signals } = world([unreachable]);
  sender.start();
  await clock.quiet();
  expect([...clock.timers].map(({ keepsAlive }) => keepsAlive)).toEqual([false]);
  const drained = sender.drain(5_000);
  await clock.quiet();
  expect(signals.length).toBe(2);
  expect([...clock.timers].map(({ keepsAlive }) => keepsAlive)).toEqual([true, true]);
  while (clock.time < 1_005_000) await clock.next();
  await drained;
  const before = signals.length;
  await sender.stop();
  sender.start();
  await clock.quiet();
  expect(signals.length).toBe(before);
  expect(clock.timers.size).toBe(0);
});

it('an answer longer than 1 MiB is no answer of a hub', async () => {
  const { clock, sender, unsettled } = world([async () => new Response('x'.repeat((1 << 20) + 1))]);
  sender.start();
  await clock.quiet();
  expect(unsettled).toEqual([{ kind: 'refused', why: '200' }]);
});

it('what a server explains is passed on in part', async () => {
  const body = JSON.stringify({ code: 'internal', detail: 'x'.repeat(10_000) });
  const { clock, sender, unsettled } = world([async () => new Response(body, { status: 500 })]);
  sender.start();
  await clock.quiet();
  expect(unsettled[0]?.why.length).toBe(500);
});
