// Tests of the buffer from which a leader replays.
import { describe, expect, test } from 'vitest';
import { follows, ReplayBuffer } from '../../../js/tabs/replay-buffer.js';

function relay(updates: number, most?: number, characters?: number): ReplayBuffer {
  const relay = new ReplayBuffer(most, characters);
  relay.reset('a.10');
  for (let n = 1; n <= updates; n++) relay.push(['x', `a.${10 + n}`, '{}']);
  return relay;
}

const ids = (relay: ReplayBuffer, cursor: string) => relay.resume(cursor).frames.map(([, id]) => id);

test.each([
  ['a.2', 'a.1', true],
  ['a.10', 'a.9', true],
  ['a.1', 'a.1', false],
  ['b.2', 'a.1', false],
  ['a.18446744073709551615', 'a.18446744073709551614', true],
  ['nonsense', 'a.1', false],
  ['a.2', '', false],
])('%s follows %s: %s', (a, b, yes) => expect(follows(a, b)).toBe(yes));

describe('a follower is answered as by the hub', () => {
  test.each([
    ['a.10', 'a.10', 'none', ['a.11', 'a.12', 'a.13']],
    ['a.12', 'a.12', 'none', ['a.13']],
    ['a.13', 'a.13', 'none', []],
    ['a.99', 'a.13', 'none', []],
    ['a.9', 'a.13', 'trimmed', []],
    ['b.11', 'a.13', 'epoch', []],
    ['nonsense', 'a.13', 'unknown', []],
    ['', 'a.13', 'first', []],
  ])('with the cursor %j', (cursor, after, gap, frames) => {
    const answer = relay(3).resume(cursor);
    expect({ ...answer, frames: answer.frames.map(([, id]) => id) }).toEqual({ after, gap, frames });
  });
});

test('the oldest go first, by count and by characters', () => {
  const counted = relay(6, 4);
  expect(ids(counted, 'a.12')).toEqual(['a.13', 'a.14', 'a.15', 'a.16']);
  expect(counted.resume('a.11').gap).toBe('trimmed');
  const weighed = relay(6, 100, 3 * 'xa.11{}'.length);
  expect(ids(weighed, 'a.13')).toEqual(['a.14', 'a.15', 'a.16']);
  expect(weighed.resume('a.12').gap).toBe('trimmed');
});

test('what came is not taken again, and a beat moves the cursor and loses nothing', () => {
  const one = relay(2);
  one.push(['x', 'a.11', '{}']);
  one.push(['x', 'a.12', '{}']);
  one.advance('a.20');
  one.advance('a.15');
  expect(one.head).toBe('a.20');
  expect(ids(one, 'a.10')).toEqual(['a.11', 'a.12']);
  expect(ids(one, 'a.15')).toEqual([]);
  one.reset('b.1');
  expect(one.resume('a.20').gap).toBe('epoch');
});
