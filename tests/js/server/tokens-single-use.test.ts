// Tokens that open one stream only: which are remembered, and how many.
import { expect, test } from 'vitest';
import { BYTES, SingleUse } from '../../../js/server/tokens/single-use.js';
import { claims } from './tokens-support.js';

const token = (sub: string, jti: string, exp: number) => claims({ sub, jti, exp });

test('once, unless it is given back', () => {
  const used = new SingleUse();
  const ada = token('ada', 'a', 60);
  expect([used.take(ada, 0), used.take(ada, 0)]).toEqual(['first', 'again']);
  used.giveBack(ada);
  used.giveBack(ada);
  expect(used.bytes).toBe(0);
  expect([used.take(ada, 0), used.take(ada, 60_000)]).toEqual(['first', 'again']);
  expect(used.take(token('ada', '', 60), 0)).toBe('again');
  // What is over needs no memory.
  const before = used.bytes;
  expect(used.take(token('bob', 'b', 99), 60_001)).toBe('first');
  expect(used.bytes).toBe(before);
});

test('ends of any order are forgotten in theirs', () => {
  const used = new SingleUse();
  const ends = [90, 30, 60, 30, 120, 1];
  for (const [n, exp] of ends.entries()) expect(used.take(token('ada', `${n}`, exp), 0)).toBe('first');
  const one = used.bytes / ends.length;
  for (const [now, left] of [
    [1_001, 5],
    [30_001, 3],
    [60_001, 2],
    [90_001, 1],
    [120_001, 0],
  ] as const) {
    // One that is taken and given back, so that it is looked through.
    const probe = token('ada', 'p', 999);
    expect(used.take(probe, now)).toBe('first');
    used.giveBack(probe);
    expect(used.bytes).toBe(left * one);
  }
});

test('a user with tokens without end is the only one who waits', () => {
  const used = new SingleUse();
  const first = token('ada', '0', 1_000);
  expect(used.take(first, 0)).toBe('first');
  let count = 1;
  while (used.take(token('eve', `${count}`, 1_000), 0) === 'first') count += 1;
  expect(count).toBeGreaterThan(3_000);
  // Neither is a token refused that was not used, nor one taken that was.
  expect(used.take(token('bob', 'other', 1_000), 0)).toBe('first');
  expect(used.take(first, 0)).toBe('again');
  expect(used.take(token('eve', '1', 1_000), 0)).toBe('again');
  expect(used.take(token('eve', 'late', 2_000), 1_000_001)).toBe('first');
});

test('memory is bounded, however many users there are', () => {
  const used = new SingleUse();
  let n = 0;
  while (used.take(token(`${n % 1_000}`, `${n}`.padStart(200, '0'), 1_000), 0) === 'first') n += 1;
  expect(n).toBeGreaterThan(90_000);
  expect(used.bytes).toBeLessThanOrEqual(BYTES);
  expect(used.take(token('new', 'new'.repeat(60), 1_000), 0)).toBe('full');
  expect(used.take(token('0', '0'.padStart(200, '0'), 1_000), 0)).toBe('again');
});
