// The logical clock that orders notifications and starts of requests.
let last = 0;

/**
 * A logical clock for the page: each call is later than the one before. Notifications and starts of
 * fetches are ordered by it, because two of them can fall into one millisecond.
 */
export function tick(): number {
  last += 1;
  return last;
}

/** The tick of the last call. */
export function lastTick(): number {
  return last;
}
