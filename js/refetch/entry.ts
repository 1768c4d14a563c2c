// The state of one mounted component in the coordinator.
import { report } from '../model/errors.js';
import type { Stamp } from './last-notified.js';
import type { Query, View } from './query.js';

/** What the coordinator knows of one mounted component. */
export interface Entry {
  readonly query: Query;
  /** The last one observed. */
  view: View;
  /** `updatedAt` or `data` of the last idle view. */
  shown: unknown;
  /** The last notification, on the logical clock and in milliseconds. */
  notified: number;
  notifiedAt: number;
  /** Every notification up to this tick is answered: a fetch is known to have started after it. */
  started: number;
  /** When the last fetch is known to have started, in milliseconds. */
  startedAt: number;
  /** When to fetch; undefined if fresh. */
  due: number | undefined;
  /**
   * Views must be current up to this tick before a call: another component called, perhaps for the
   * same query.
   */
  after: number;
  /** The round of {@link Lag} after which a call waits for the view no longer. */
  patience: number;
  /** Our own fetch, until it settles. */
  flight: object | undefined;
  /** The tick at which it settled. */
  landed: number;
  /** A view showed a fetch since the last call. */
  rose: boolean;
  /** The last call did nothing, because the query is switched off: wait for another view. */
  blocked: boolean;
  /** Since when there is a fetch in flight. */
  busySince: number;
}

/** An entry whose query was last notified at `notified`, and whose fetches are not known yet. */
export function entryOf(query: Query, notified: Stamp, now: number): Entry {
  return {
    query,
    view: { fetching: false },
    shown: undefined,
    notified: notified.tick,
    notifiedAt: notified.at,
    started: 0,
    startedAt: Number.NEGATIVE_INFINITY,
    due: undefined,
    after: 0,
    patience: 0,
    flight: undefined,
    landed: 0,
    rose: false,
    blocked: false,
    busySince: now,
  };
}

/** True if a query that was switched off may be on in the later view. */
export function changed(a: View, b: View): boolean {
  return a.fetching !== b.fetching || a.enabled !== b.enabled || a.data !== b.data || a.updatedAt !== b.updatedAt;
}

/**
 * True if the filter of the component accepts the update. A filter that throws is reported, and
 * costs no update.
 */
export function accepts(query: Query, update: unknown): boolean {
  try {
    return query.accepts(update);
  } catch (thrown) {
    report(thrown);
    return true;
  }
}
