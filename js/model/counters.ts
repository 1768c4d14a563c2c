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

/** The one {@link Counters} of a client. Here, so that nobody who counts must load who shows it, or the other way round. */
export function countersOf(client: object): Counters {
  let counters = byClient.get(client);
  if (!counters) {
    counters = { refetches: 0, saved: 0, dropped: 0 };
    byClient.set(client, counters);
  }
  return counters;
}
