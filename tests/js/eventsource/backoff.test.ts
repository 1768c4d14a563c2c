// Tests of the delays between connects of the class.
import { expect, test } from 'vitest';
import { Backoff } from '../../../js/eventsource/backoff.js';

/** Connects in 15 seconds of a time of its own, when each connection lives `lived` ms. */
function connects(retry: number, told: boolean, lived: number, random: () => number): number {
  const backoff = new Backoff();
  let [now, count] = [1_000, 0];
  const end = now + 15_000;
  while (now < end) {
    backoff.started(now);
    count += 1;
    now += lived;
    if (lived >= 2_000) backoff.stable();
    now += backoff.delay(retry, told, random());
    now += backoff.hold(now);
  }
  return count;
}

test.each([
  ['retry: 0, cut at once', 0, true, 0, 9],
  ['retry: 0, cut after a second', 0, true, 1_000, 8],
  ['retry: 100, cut at once', 100, true, 0, 9],
  ['no retry, cut at once', 3_000, false, 0, 5],
  ['retry: 0, good for two seconds each time', 0, true, 2_000, 7],
])('%s: at most that many connects in 15 s, and no two clients alike', (_, retry, told, lived, most) => {
  const counts = Array.from({ length: 2_000 }, () => connects(retry, told, lived, Math.random));
  expect(Math.max(...counts)).toBeLessThanOrEqual(20);
  expect(counts.reduce((sum, count) => sum + count) / counts.length).toBeLessThanOrEqual(most);
  expect(Math.min(...counts)).toBeGreaterThan(1);
});

test('whatever wakes it: the twenty-first connect in 15 s waits', () => {
  const backoff = new Backoff();
  for (let i = 0; i < 20; i++) {
    expect(backoff.hold(i * 100)).toBe(0);
    backoff.started(i * 100);
  }
  expect(backoff.hold(2_000)).toBe(13_000);
  expect(backoff.hold(15_000)).toBe(0);
});

test('never before the reconnection time, whatever the luck', () => {
  for (const [retry, least] of [
    [0, 250],
    [249, 250],
    [3_000, 3_000],
    [60_000, 60_000],
  ] as const) {
    const backoff = new Backoff();
    for (let i = 0; i < 40; i++) {
      expect(backoff.delay(retry, true, 0)).toBe(least);
      expect(backoff.delay(retry, true, 1)).toBeLessThanOrEqual(Math.max(30_000, least * 1.05));
    }
  }
});

test('the end of the range doubles while connections fail, and begins again after a good one', () => {
  const backoff = new Backoff();
  const ends = () => [1, 2, 3, 4, 5, 6].map(() => backoff.delay(3_000, false, 1));
  expect(ends()).toEqual([4_500, 9_000, 18_000, 30_000, 30_000, 30_000]);
  backoff.stable();
  expect(ends()).toEqual([4_500, 9_000, 18_000, 30_000, 30_000, 30_000]);
});

test('a reconnection time that the server chose is kept to within a twentieth', () => {
  expect(new Backoff().delay(2_000, true, 1)).toBe(2_100);
});

test('a time of weeks is no overflow of the timer', () => {
  expect(new Backoff().delay(2 ** 32 - 1, true, 1)).toBe(2 ** 31 - 1);
});
