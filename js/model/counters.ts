/** What is counted outside of the wasm, for one client. */
export interface Counters {
  /** Refetches started. */
  refetches: number;
  /** Notifications that cost none. */
  saved: number;
  /** Updates that iterators dropped. */
  dropped: number;
}

/** Listeners to `*` of the package itself: of these, the console is not warned. */
export const covered = new WeakSet<object>();

const byClient = new WeakMap<object, Counters>();

/**
 * Returns the {@link Counters} of a client.
 *
 * In a module of its own, so that what counts and what shows the counts do not load each other.
 */
export function countersOf(client: object): Counters {
  let counters = byClient.get(client);
  if (!counters) {
    counters = { refetches: 0, saved: 0, dropped: 0 };
    byClient.set(client, counters);
  }
  return counters;
}
