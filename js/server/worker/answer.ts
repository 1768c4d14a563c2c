// What comes of asking for a value: the value, "not modified", or a failure.
import type { PollFailure } from './failure.js';

/** A value, and what it is compared by. */
export interface Reading<V> {
  readonly value: V;
  /** Equal prints are equal values; `undefined` where a function of the application compares. */
  readonly print: string | undefined;
}

/** What a server sent for conditional requests (RFC 9110, 8.8). */
export interface Validators {
  /** `ETag`, for `If-None-Match`. */
  readonly etag: string | undefined;
  /** `Last-Modified`, for `If-Modified-Since`. */
  readonly modified: string | undefined;
}

/** What came of asking once. */
export type Answer<V> =
  | { readonly kind: 'value'; readonly reading: Reading<V>; readonly validators: Validators }
  /** 304: the known value is the current one. */
  | { readonly kind: 'not-modified' }
  | { readonly kind: 'failed'; readonly failure: PollFailure };

/** Asks once. Ends soon after the signal aborts, if it can. */
export type Source<V> = (known: Validators | undefined, signal: AbortSignal) => Promise<Answer<V>>;
