// What a poller decides, by schedules: the cases of the Rust worker, and those of this one alone.
import { expect, test } from 'vitest';
import type { Answer } from '../../../js/server/worker/answer.js';
import { PollFailure } from '../../../js/server/worker/failure.js';
import { PollerState } from '../../../js/server/worker/state.js';
import { seeded } from '../support/world.js';

function poller(every: number, maxStale: number, random = seeded(1)): PollerState<number> {
  return new PollerState({ every, maxStale, isSame: (a, b) => a.print === b.print }, random);
}

function value(of: number): Answer<number> {
  return {
    kind: 'value',
    reading: { value: of, print: String(of) },
    validators: { etag: `"${of}"`, modified: undefined },
  };
}

function failed(retryAfter?: number): Answer<number> {
  return { kind: 'failed', failure: new PollFailure('x', { retryAfter }) };
}

const notModified: Answer<number> = { kind: 'not-modified' };

/** Whether it wants to notify; if so, that is done. */
function notifies(state: PollerState<number>, now: number): boolean {
  const wants = state.wants(now, false).kind === 'notify';
  if (wants) state.notified();
  return wants;
}

test('only a change is notified, the first value too', () => {
  const state = poller(100, 10_000);
  expect(state.wants(0)).toEqual({ kind: 'ask' });
  expect(state.onAnswer(0, failed())).toBe('failed');
  expect(notifies(state, 0)).toBe(false);
  const steps = [
    [1, value(1), 'changed'],
    [2, value(1), 'unchanged'],
    [3, notModified, 'not-modified'],
    [4, failed(), 'failed'],
    [5, value(2), 'changed'],
    [6, value(1), 'changed'],
  ] as const;
  for (const [at, answer, outcome] of steps) {
    expect(state.onAnswer(at, answer)).toBe(outcome);
    expect(notifies(state, at), String(at)).toBe(outcome === 'changed');
  }
  expect(state.wants(6)).toEqual({ kind: 'wait', at: 106 });
});

test('conditions refer to the newest good answer', () => {
  const state = poller(100, 10_000);
  expect(state.validators).toBeUndefined();
  state.onAnswer(0, value(1));
  state.onAnswer(1, failed());
  state.onAnswer(2, notModified);
  expect(state.validators).toEqual({ etag: '"1"', modified: undefined });
});

test('what could not be notified stays due', () => {
  const state = poller(100, 10_000);
  state.onAnswer(0, value(1));
  state.notNotified(70);
  expect(state.wants(70)).toEqual({ kind: 'wait', at: 100 });
  state.onAnswer(100, notModified);
  state.onAnswer(2_000, notModified);
  expect([notifies(state, 2_000), notifies(state, 2_000)]).toEqual([true, false]);
  const slow = poller(3_600_000, 7_200_000);
  slow.onAnswer(0, value(1));
  slow.notNotified(0);
  const want = slow.wants(0);
  // Not only behind the next answer.
  expect(want.kind === 'wait' && want.at >= 500 && want.at < 1_000).toBe(true);
});

test('an outage is notified when the value becomes stale, and when it ends', () => {
  const state = poller(100, 1_000);
  state.onAnswer(0, value(1));
  expect(notifies(state, 0)).toBe(true);
  state.onAnswer(100, failed(3_000_000));
  expect([state.wants(1_000), state.view(1_000).stale]).toEqual([{ kind: 'wait', at: 1_001 }, false]);
  expect([state.wants(1_001), state.view(1_001).stale]).toEqual([{ kind: 'notify' }, true]);
  state.notified();
  const want = state.wants(9_000);
  expect(want.kind === 'wait' && want.at > 3_000_000).toBe(true);
  expect(state.onAnswer(9_001, value(1))).toBe('unchanged');
  expect([notifies(state, 9_001), notifies(state, 9_001)]).toEqual([true, false]);
  // No stream was open, and still the page that shows a stale value learns of its confirmation.
  state.onAnswer(20_000, notModified);
  expect([notifies(state, 20_000), state.view(20_000).stale]).toEqual([true, false]);
});

test('asking comes before notifying, unless a call is not over', () => {
  const state = poller(100, 1_000);
  state.onAnswer(0, value(1));
  expect(state.wants(100)).toEqual({ kind: 'ask' });
  expect(state.wants(100, false)).toEqual({ kind: 'notify' });
  state.notified();
  expect(state.wants(50, false)).toEqual({ kind: 'wait', at: 1_001 });
  expect(state.wants(100, false)).toEqual({ kind: 'wait', at: 1_001 });
  expect(state.wants(1_001, false)).toEqual({ kind: 'notify' });
  state.notified();
  expect(state.wants(1_001, false)).toEqual({ kind: 'wait', at: Number.POSITIVE_INFINITY });
});

test('failures make pauses longer, and a success forgets them', () => {
  for (let seed = 0; seed < 50; seed++) {
    const state = poller(2_000, 0, seeded(seed));
    const pauses = Array.from({ length: 20 }, () => {
      state.onAnswer(7, failed());
      return state.due - 7;
    });
    expect(pauses.every((pause) => pause >= 2_000 && pause <= 30_000 && Number.isInteger(pause))).toBe(true);
    expect(pauses[0]).toBeLessThanOrEqual(4_000);
    expect(pauses[1]).toBeLessThanOrEqual(8_000);
    expect(Math.max(...pauses)).toBeGreaterThan(8_000);
    expect(state.view(7).failures).toBe(20);
    state.onAnswer(7, value(1));
    expect([state.due, state.view(7).failures, state.view(7).failure]).toEqual([2_007, 0, undefined]);
  }
  const slow = poller(60_000, 0);
  slow.onAnswer(0, failed());
  expect(slow.due).toBe(60_000);
});

test('a range is used from end to end', () => {
  const pause = (random: number) => {
    const state = poller(1_000, 0, () => random);
    for (let i = 0; i < 40; i++) state.onAnswer(0, failed());
    return state.due;
  };
  expect([pause(0), pause(1 - 2 ** -53)]).toEqual([1_000, 30_000]);
});

test('who is sent away stays away, and not for ever', () => {
  const sentAway = (ms: number, seed: number) => {
    const state = poller(100, 0, seeded(seed));
    state.onAnswer(0, failed(ms));
    return state.due;
  };
  const pauses = Array.from({ length: 50 }, (_, seed) => sentAway(120_000, seed));
  expect(pauses.every((pause) => pause >= 120_000 && pause <= 132_000)).toBe(true);
  expect(new Set(pauses).size).toBeGreaterThan(1);
  expect(sentAway(Number.MAX_SAFE_INTEGER, 1)).toBeLessThanOrEqual(3_600_000 * 1.1);
  expect(sentAway(Number.POSITIVE_INFINITY, 1)).toBeLessThanOrEqual(3_600_000 * 1.1);
  expect(sentAway(0, 1)).toBeGreaterThanOrEqual(100);
});

test('a failure in between does not shorten the time for which a server asked', () => {
  const state = poller(100, 0, () => 0);
  state.onAnswer(0, failed(60_000));
  state.onAnswer(1_000, failed());
  expect(state.due).toBe(60_000);
  state.onAnswer(2_000, value(1));
  state.onAnswer(2_100, failed());
  expect(state.due).toBe(2_200);
});

test('a 304 to a request without a condition is a failure', () => {
  const state = poller(100, 0);
  expect(state.onAnswer(0, notModified)).toBe('failed');
  const { known, stale, failures, failure } = state.view(9);
  expect([known, stale, failures, failure?.status]).toEqual([undefined, true, 1, 304]);
});

test('a function compares with the value of the last change, so that slow drifts are noticed', () => {
  const rules = {
    every: 100,
    maxStale: 10_000,
    isSame: (a: { value: number }, b: { value: number }) => Math.abs(a.value - b.value) < 3,
  };
  const state = new PollerState<number>(rules, () => 0);
  const outcomes = [0, 1, 2, 3, 4, 5, 6].map((of, at) => state.onAnswer(at, value(of)));
  expect(outcomes).toEqual(['changed', 'unchanged', 'unchanged', 'changed', 'unchanged', 'unchanged', 'changed']);
  expect(state.view(6).known).toEqual({ data: 6, age: 0 });
});

test('a comparison that throws is a failure, and the value stays', () => {
  const isSame = () => {
    throw new Error('broken');
  };
  const state = new PollerState<number>({ every: 100, maxStale: 10_000, isSame }, () => 0);
  expect(state.onAnswer(0, value(1))).toBe('changed');
  expect(state.onAnswer(1, value(2))).toBe('failed');
  const { known, failure } = state.view(1);
  expect([known?.data, failure?.message, state.validators?.etag]).toEqual([1, 'broken', '"1"']);
});
