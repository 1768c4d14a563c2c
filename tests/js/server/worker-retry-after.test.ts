// `Retry-After` in seconds and in the three formats of dates that HTTP has.
import { expect, test } from 'vitest';
import { retryAfter } from '../../../js/server/worker/retry-after.js';

const now = Date.UTC(2026, 0, 1);

test.each([
  ['7', 7_000],
  ['0', 0],
  ['0007', 7_000],
  ['18446744073709551615', 18_446_744_073_709_552_000_000],
  ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
  ['Thursday, 01-Jan-26 00:02:00 GMT', 120_000],
  ['Thu Jan  1 00:02:00 2026', 120_000],
  ['Sat Jan 10 00:00:00 2026', 9 * 86_400_000],
  // Dates that are over; one of them in the century before.
  ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
  ['Sun Nov  6 08:49:37 1994', 0],
])('%s', (text, ms) => {
  expect(retryAfter(text, now)).toBe(ms);
});

test.each([
  '',
  'soon',
  '-1',
  '1.5',
  '1e3',
  '7 ',
  '2026-01-01T00:02:00Z',
  'Thu, 01 Foo 2026 00:02:00 GMT',
  'Thu, 41 Jan 2026 00:02:00 GMT',
  'Thu, 01 Jan 2026 24:02:00 GMT',
  'Thu, 01 Jan 2026 00:02:00 PST',
])('%j is neither', (text) => {
  expect(retryAfter(text, now)).toBeUndefined();
});
