// The interfaces between the coordinator, queries and the page.
import type { Stamp } from './last-notified.js';

/** What the coordinator asks of the world; injected, so that tests own the time. */
export interface SchedulerEnv {
  /** Milliseconds since 1970. */
  now(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** In [0, 1). */
  random(): number;
  /** True while the page is not visible. */
  hidden(): boolean;
}

/** What is known of the query behind a component, whatever starts its fetches. */
export interface View {
  /** False while the query is disabled, skipped or paused: it is not fetched. Default true. */
  readonly enabled?: boolean | undefined;
  /** A fetch is in flight. */
  readonly fetching: boolean;
  /** When the data shown was fetched, in milliseconds since 1970; 0 or undefined if unknown. */
  readonly updatedAt?: number | undefined;
  /**
   * When the fetch of the data shown started, in milliseconds since 1970, if the library reports
   * it.
   */
  readonly startedAt?: number | undefined;
  /**
   * When the last fetch started. A view that has it is exact: it is never behind. All others are
   * rendered.
   */
  readonly started?: Stamp | undefined;
  /**
   * The data shown, of a library that keeps no time. Another object is other data, of unknown age.
   */
  readonly data?: unknown;
  /**
   * Set if a call does not join the fetch in flight. Components with the same value may show one
   * query: one of them calls, the others wait until its fetch would show in their views.
   */
  readonly group?: unknown;
  /**
   * The end of a fetch may not be rendered. `Query.view` then gives the present state, and a call
   * joins the fetch in flight.
   */
  readonly silent?: boolean | undefined;
}

/**
 * How a fetch ended: the time at which it started (milliseconds since 1970), `null` if there was
 * none because the query is switched off, `undefined` if neither is known.
 */
export type Outcome = number | null | undefined;

/** One query as one mounted component uses it. */
export interface Query {
  /** Patterns of the types that make it stale. */
  readonly types: readonly string[];
  /**
   * Starts a fetch, or joins the one in flight; settles with it. A rejection is left to the query.
   */
  fetch(): PromiseLike<Outcome> | undefined;
  /** What is known now. */
  view(): View;
  /** False to ignore an update. */
  accepts(update: unknown): boolean;
  /** Updates caused by this tab count too. */
  readonly own: boolean;
  /** Resyncs count. */
  readonly resync: boolean;
  /** Least time between two starts, in milliseconds. */
  readonly minIntervalMs: number;
  /** A resync is answered after a random part of this, in milliseconds; the first open at once. */
  readonly resyncJitterMs: number;
  /** Wait until the page is visible. */
  readonly onlyVisible: boolean;
}

/** Connects a mounted component to its entry. */
export interface Handle {
  /** The view may have changed. */
  observe(view: View): void;
  /** The component was unmounted. */
  remove(): void;
}
