// The header `Retry-After` (RFC 9110, 10.2.3): seconds, or a date in one of three formats.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Sun, 06 Nov 1994 08:49:37 GMT`. */
const IMF_FIXDATE = /^[A-Z][a-z]{2}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/;
/** `Sunday, 06-Nov-94 08:49:37 GMT`. */
const RFC_850 = /^[A-Z][a-z]+, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/;
/** `Sun Nov  6 08:49:37 1994`. */
const ASCTIME = /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/;

/**
 * Returns how long to wait, in milliseconds; 0 for a date that is over, `undefined` for what is
 * neither seconds nor a date. `now` is the time of day in milliseconds since 1970.
 *
 * ```ts
 * retryAfter('120', Date.now()); // 120_000
 * ```
 */
export function retryAfter(text: string, now: number): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const at = httpDate(text, now);
  return at === undefined ? undefined : Math.max(0, at - now);
}

/**
 * Reads a date of HTTP (RFC 9110, 5.6.7), in milliseconds since 1970. `Date.parse` is no help: it
 * takes `-1` for a date.
 */
function httpDate(text: string, now: number): number | undefined {
  const parts = (IMF_FIXDATE.exec(text) ?? RFC_850.exec(text) ?? ASCTIME.exec(text))?.groups;
  if (!parts) return undefined;
  const month = MONTHS.indexOf(parts.month ?? '');
  const [hour = 0, minute = 0, second = 0] = (parts.time ?? '').split(':').map(Number);
  const day = Number(parts.day);
  if (month < 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  return Date.UTC(fullYear(parts.year ?? '', now), month, day, hour, minute, second);
}

/** Of two digits that seem to be more than 50 years ahead, the past is meant (RFC 9110, 5.6.7). */
function fullYear(text: string, now: number): number {
  if (text.length === 4) return Number(text);
  const current = new Date(now).getUTCFullYear();
  const year = current - (current % 100) + Number(text);
  return year > current + 50 ? year - 100 : year;
}
