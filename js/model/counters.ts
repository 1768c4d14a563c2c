/** What is counted outside of the wasm, for one client. */
export interface Tally {
  /** Refetches started. */
  refetches: number;
  /** Notifications that cost none. */
  saved: number;
  /** Updates that iterators dropped. */
  dropped: number;
}

/** Listeners to `*` of the package itself: of these, the console is not warned. */
export const covered = new WeakSet<object>();

const tallies = new WeakMap<object, Tally>();

/** The one {@link Tally} of a client. Here, so that nobody who counts must load who shows it, or the other way round. */
export function tallyOf(client: object): Tally {
  let tally = tallies.get(client);
  if (!tally) {
    tally = { refetches: 0, saved: 0, dropped: 0 };
    tallies.set(client, tally);
  }
  return tally;
}
