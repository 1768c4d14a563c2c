// Which tokens a revocation ends, for how long it is remembered, and how much.
import { expect, test } from 'vitest';
import type { Claims } from '../../../js/server/tokens/index.js';
import { BYTES, Revocations } from '../../../js/server/tokens/revocations.js';
import { claims } from './tokens-support.js';

const LIFE = 1_000_000;

/** A token of a login at a position, issued in the same second. */
const token = (sub: string, gen: number, more: Partial<Claims> = {}) =>
  claims({ sub, gen, iat: Math.floor(gen / 1_000), jti: `${sub}-${gen}`, sid: 'session', ...more });

test('what is older ends, and a new login counts within the same millisecond', () => {
  const revoked = new Revocations(LIFE, 0);
  const [ada, bob] = [revoked.generation(5_000), revoked.generation(5_000)];
  expect(ada).not.toBe(bob);
  revoked.revoke({ user: 'ada' }, 5_000);
  expect([revoked.isRevoked(token('ada', ada)), revoked.isRevoked(token('bob', bob))]).toEqual([true, false]);
  expect(revoked.isRevoked(token('ada', revoked.generation(5_000)))).toBe(false);
  // Another issuer gives the second only.
  const dated = (iat: number) => revoked.isRevoked(token('ada', 0, { gen: undefined, iat }));
  expect([dated(5), dated(6)]).toEqual([true, false]);
  const exact = (auth_ms: number) => revoked.isRevoked(token('ada', 0, { gen: undefined, auth_ms, iat: 5 }));
  expect([exact(5_000), exact(5_001)]).toEqual([true, false]);
});

test('by token, by login and by time', () => {
  const revoked = new Revocations(LIFE, 0);
  revoked.revoke({ jti: 'ada-1' }, 9_000);
  expect([revoked.isRevoked(token('ada', 1)), revoked.isRevoked(token('ada', 2))]).toEqual([true, false]);
  revoked.revoke({ jti: 'session' }, 9_000);
  expect([revoked.isRevoked(token('ada', 2)), revoked.isEnded('session'), revoked.isEnded('')]).toEqual([
    true,
    true,
    false,
  ]);
  // An empty name names nothing.
  expect(revoked.isRevoked(token('ada', 9_000, { jti: '', sid: '' }))).toBe(false);
  const other = new Revocations(LIFE, 0);
  other.revoke({ beforeMs: 8_000 }, 9_000);
  other.revoke({ beforeMs: 7_000 }, 9_000);
  expect([other.isRevoked(token('ada', 7_999)), other.isRevoked(token('ada', 8_000))]).toEqual([true, false]);
});

test('a token of a server ahead can be revoked where it was shown', () => {
  const node = new Revocations(LIFE, 0);
  const ada = token('ada', 160_000);
  node.seen(ada);
  node.revoke({ user: 'ada' }, 100_000);
  expect(node.isRevoked(ada)).toBe(true);
  expect(node.isRevoked(token('ada', node.generation(100_000), { auth_ms: 100_000 }))).toBe(false);
});

test('a clock that is set back ends no login and no revocation', () => {
  const node = new Revocations(LIFE, 0);
  const before = token('ada', node.generation(100_000));
  const after = token('ada', node.generation(70_000));
  expect([node.isRevoked(before), node.isRevoked(after)]).toEqual([false, false]);
  node.revoke({ user: 'ada' }, 70_001);
  expect([node.isRevoked(before), node.isRevoked(after)]).toEqual([true, true]);
  expect(node.isRevoked(token('ada', node.generation(70_002)))).toBe(false);
});

test('a time is compared with times, however many log in', () => {
  const node = new Revocations(LIFE, 0);
  let place = 0;
  for (let n = 0; n < 8_000; n++) place = node.generation(100_000);
  const last = token('ada', place, { iat: 100 });
  expect(place).toBe(107_999);
  node.revoke({ beforeMs: 102_000 }, 103_000);
  expect(node.isRevoked(last)).toBe(true);
  expect(node.isRevoked(token('ada', node.generation(102_000), { iat: 102 }))).toBe(false);
});

test('what was established before the start may have any position', () => {
  const node = new Revocations(LIFE, 50_000);
  // Of the life before, whose count was ahead.
  const old = token('ada', 90_000, { iat: 49 });
  node.revoke({ user: 'ada' }, 51_000);
  expect(node.isRevoked(old)).toBe(true);
  expect(node.isRevoked(token('ada', 90_000, { iat: 52 }))).toBe(false);
});

test('a revocation is remembered as long as a token may be valid, and then takes no memory', () => {
  const node = new Revocations(LIFE, 0);
  node.revoke({ user: 'ada' }, 5_000);
  node.revoke({ jti: 'x' }, 6_000);
  const full = node.bytes;
  // Again: it counts from then on, at no cost.
  node.revoke({ jti: 'x' }, 9_000);
  expect([node.bytes, full > 0]).toEqual([full, true]);
  node.revoke({ beforeMs: 1 }, 5_000 + LIFE);
  expect([node.isRevoked(token('ada', 5_000)), node.bytes]).toEqual([true, full]);
  node.revoke({ beforeMs: 1 }, 5_001 + LIFE);
  expect(node.isRevoked(token('ada', 5_000))).toBe(false);
  expect(node.isEnded('x')).toBe(true);
  node.revoke({ beforeMs: 1 }, 9_001 + LIFE);
  expect([node.isEnded('x'), node.bytes]).toEqual([false, 0]);
  // Seconds are looked at, and none is over before its end.
  node.revoke({ jti: 'y' }, 20_500);
  node.revoke({ beforeMs: 1 }, 20_500 + LIFE);
  expect(node.isEnded('y')).toBe(true);
  node.revoke({ beforeMs: 1 }, 21_001 + LIFE);
  expect(node.isEnded('y')).toBe(false);
});

test('memory is bounded, and what is known is revoked again at the bound', () => {
  const node = new Revocations(LIFE, 0);
  const name = (n: number) => `${n}`.padEnd(200, 'x');
  let n = 0;
  const full = () => {
    try {
      node.revoke({ user: name(n) }, 10_000);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  let error = full();
  while (error === undefined) {
    n += 1;
    error = full();
  }
  expect(error).toMatchObject({ code: 'revocations_full', status: 503, retryAfter: 60 });
  expect(n).toBeGreaterThan(100_000);
  expect(node.bytes).toBeLessThanOrEqual(BYTES);
  expect(node.isRevoked(token(name(n), 1))).toBe(false);
  expect(() => node.revoke({ jti: 'one more'.repeat(30) }, 10_000)).toThrow('nothing was revoked');
  const again = token(name(0), node.generation(10_000));
  node.revoke({ user: name(0) }, 10_000);
  expect(node.isRevoked(again)).toBe(true);
  // A time costs nothing, and there is memory again when the others are over.
  node.revoke({ beforeMs: 1 }, 10_000);
  node.revoke({ jti: 'one more' }, 2_000_000);
  expect(node.bytes).toBeLessThan(1_000);
});
