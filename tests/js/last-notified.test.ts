// Tests of the table of notifications.
import { expect, test } from 'vitest';
import { matches, overlap, patterns } from '../../js/model/patterns.js';
import { LastNotified } from '../../js/refetch/last-notified.js';

const stamp = (tick: number) => ({ tick, at: 1000 + tick });

test('patterns match as the registry of the core does', () => {
  expect(matches(['compute.*'], 'compute.progress')).toBe(true);
  expect(matches(['compute.*'], 'compute.a.b')).toBe(true);
  expect(matches(['compute.*'], 'compute')).toBe(false);
  expect(matches(['compute.*'], 'compute.')).toBe(false);
  expect(matches(['compute.*'], 'computer.a')).toBe(false);
  expect(matches(['a', 'b'], 'b')).toBe(true);
  expect(matches(['*'], '__proto__')).toBe(true);
  expect(matches(['constructor'], '__proto__')).toBe(false);
  expect(patterns(['a', 'a', 'b.*'])).toEqual(['a', 'b.*']);
});

test('patterns overlap if one of them covers the other', () => {
  expect(overlap(['compute.*'], ['compute.a'])).toBe(true);
  expect(overlap(['compute.a'], ['compute.*'])).toBe(true);
  expect(overlap(['a', '*'], ['b.c'])).toBe(true);
  expect(overlap(['compute.*'], ['images.*', 'computer'])).toBe(false);
});

test('the latest of all that match; own changes only for those who want them', () => {
  const heard = new LastNotified(10);
  heard.note('a', stamp(1), false);
  heard.note('b.c', stamp(2), false);
  heard.note('a', stamp(3), true);
  expect(heard.last(['a'], false).tick).toBe(1);
  expect(heard.last(['a'], true)).toEqual(stamp(3));
  expect(heard.last(['b.*', 'a'], false).tick).toBe(2);
  expect(heard.last(['x'], true).tick).toBe(0);
  heard.noteAll(stamp(4));
  expect(heard.last(['x'], false).tick).toBe(4);
});

test('a resync of a pattern counts for the types below it', () => {
  const heard = new LastNotified(10);
  heard.note('compute.*', stamp(5), false);
  expect(heard.last(['compute.progress'], false).tick).toBe(5);
  expect(heard.last(['images'], false).tick).toBe(0);
});

test('beyond its limit it forgets the longest silent, and takes all unknown types for as late as that', () => {
  const heard = new LastNotified(2);
  heard.note('a', stamp(1), false);
  heard.note('b', stamp(2), false);
  heard.note('a', stamp(3), false);
  heard.note('c', stamp(4), true);
  expect(heard.last(['b'], false).tick).toBe(2);
  expect(heard.last(['never heard'], false).tick).toBe(2);
  expect(heard.last(['a'], false).tick).toBe(3);
  expect(heard.last(['c'], false).tick).toBe(2);
  expect(heard.last(['c'], true).tick).toBe(4);
});
