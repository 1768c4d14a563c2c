import type { Stamp } from './heard.js';

/** What the coordinator asks of the world; injected, so that tests own the time. */
export interface World {
  /** Milliseconds since 1970. */
  now(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** In [0, 1). */
  random(): number;
  /** True while nobody can see the page. */
  hidden(): boolean;
}

/** What is known of the fetches of a query, whoever started them. */
export interface View {
  /** A fetch is under way. */
  readonly fetching: boolean;
  /** When the data shown was fetched, in milliseconds since 1970; 0 or undefined if unknown. */
  readonly updatedAt?: number | undefined;
  /** When the last fetch started, if this is known exactly. */
  readonly started?: Stamp | undefined;
}

/** One query as one component uses it. */
export interface Job {
  /** Patterns of the types that make it stale. */
  readonly types: readonly string[];
  /** Starts a fetch, or joins the one under way; settles with it. Failures are the query's own business. */
  fetch(): unknown;
  /** What is known now. */
  view(): View;
  /** The view is never behind: fetches are told of when they start, not when a render shows them. */
  readonly exact: boolean;
  /** False to ignore an update. */
  accepts(update: unknown): boolean;
  /** Own changes count too. */
  readonly own: boolean;
  /** Resyncs count. */
  readonly resync: boolean;
  /** Least time between two starts, in milliseconds. */
  readonly minIntervalMs: number;
  /** A resync is answered after a random part of this, in milliseconds; the first open at once. */
  readonly resyncJitterMs: number;
  /** Wait until the page is looked at. */
  readonly onlyVisible: boolean;
}

/** How a component speaks of its query afterwards. */
export interface Handle {
  /** The view may have changed. */
  observe(view: View): void;
  /** The component is gone. */
  remove(): void;
}
