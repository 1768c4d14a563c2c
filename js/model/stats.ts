// The statistics that `client.stats()` returns.
import type { Snapshot } from './snapshot.js';

/** Streams opened, by what opened them. */
export interface Connects {
  /** The first one after each start of the client, by {@link Client.acquire}. */
  readonly initial: number;
  /** After a failure, when its wait was over. */
  readonly retry: number;
  /** By the browser itself, after a cut. */
  readonly glitch: number;
  /** With a new token, because the server refused the old one. */
  readonly token: number;
  /** Because the server asked for it (`bye`). */
  readonly rotate: number;
  /** Because the page or the network came back. */
  readonly wake: number;
  /** By `reconnect()` or `resume()`. */
  readonly manual: number;
  /** Because this tab took over from another. */
  readonly handover: number;
  /** By `fetch`, to learn the status of a refusal that `EventSource` hides. */
  readonly probe: number;
}

/** Gaps announced, by kind; see {@link Gap}. */
export interface Gaps {
  /** The stream was opened without a cursor. */
  readonly first: number;
  /** The log of the server is another one than that of the cursor. */
  readonly epoch: number;
  /** The cursor is older than the oldest update that the server keeps. */
  readonly trimmed: number;
  /** The server, or the client itself, cannot know what was missed. */
  readonly unknown: number;
  /** The client read too slowly, so the server dropped updates for it. */
  readonly overflow: number;
  /** The rights of the user changed. */
  readonly rights: number;
}

/**
 * How long updates took from the server's `at` to a listener, in milliseconds, once for each
 * listener that was called.
 *
 * The clocks of two machines are compared: one that is behind shows as 0, never as a negative time,
 * and one that is ahead adds its lead. Replayed updates, which were late because we were away, are
 * left out, and so are those without `at`.
 */
export interface Latency {
  /** Measurements: one for each listener that was called. */
  readonly count: number;
  /**
   * `buckets[0]` counts those below 1 ms, `buckets[i]` those from 2^(i-1) up to but not including
   * 2^i ms.
   */
  readonly buckets: readonly number[];
  /**
   * The median, in milliseconds. Estimated from the buckets, as the next two are, by taking each
   * bucket to be evenly filled; so it is never wrong by more than a factor of two.
   */
  readonly p50: number;
  /** The time that 95 % did not exceed, in milliseconds. */
  readonly p95: number;
  /** The time that 99 % did not exceed, in milliseconds. */
  readonly p99: number;
}

/**
 * Everything that the client counted since it was created, and its last transitions: what
 * {@link Client.stats} returns.
 *
 * ```ts
 * const stats = await sse.stats();
 * report({ gaps: stats.gaps, p99: stats.latency.p99, saved: stats.refetchesSaved, log: stats.transitions });
 * ```
 *
 * A new object each time. It holds no token.
 */
export interface ClientStats extends Omit<Snapshot, 'connects'> {
  /** Streams opened, by what opened them. */
  readonly connects: Connects;
  /** Gaps announced, by kind. */
  readonly gaps: Gaps;
  /**
   * Updates that a full queue dropped: those of the client, and those of the iterators of
   * `tinysse/iterate`.
   */
  readonly dropped: number;
  /** Refetches started by `useAutoRefetch`. */
  readonly refetches: number;
  /**
   * Notifications of a query that cost no request: one was due already, or the request of another
   * component answered it. Without `queryClient` on the provider requests shared by components
   * cannot be distinguished, and this is too low rather than too high.
   */
  readonly refetchesSaved: number;
  /** Server to listener. */
  readonly latency: Latency;
  /** The last 64 transitions of the session, oldest first, a line each. */
  readonly transitions: readonly string[];
}
