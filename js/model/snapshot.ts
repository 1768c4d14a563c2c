// The connection as the application sees it.
import type { SseError } from './errors.js';
import type { GAPS, ROLES, STATUSES } from './vocabulary.js';

/**
 * What the connection does.
 *
 * `idle` not wanted · `connecting` for the first time · `open` · `reconnecting` after a loss ·
 * `offline` the browser reports it · `paused` by `pause()` or a page in the back/forward cache ·
 * `failed` for good, until `reconnect()`.
 */
export type Status = (typeof STATUSES)[number];

/**
 * Why updates may be missing: `first` open, new `epoch` of the log, log `trimmed`, cursor
 * `unknown`, `overflow`, `rights` changed.
 */
export type Gap = Exclude<(typeof GAPS)[number], 'none'>;

/** The news that updates may be missing: refetch what you show. */
export interface Resync {
  /** Why. */
  readonly gap: Gap;
  /** Which types; `null` is all of them. */
  readonly types: readonly string[] | null;
}

/** The connection at one moment. Frozen; the same object as long as nothing in it changed. */
export interface Snapshot {
  /** What the connection does. */
  readonly status: Status;
  /** Why it is not open; `null` when it is, or was never tried. */
  readonly error: SseError | null;
  /** What the hub calls this connection. */
  readonly clientId: string | null;
  /** The cursor: everything up to here was delivered. Empty before the first frame. */
  readonly lastEventId: string;
  /** Failed tries since the stream last proved good. */
  readonly attempt: number;
  /** When the next try is due, in milliseconds since 1970. */
  readonly retryAt: number | null;
  /** Streams opened so far. */
  readonly connects: number;
  /** Updates delivered so far. */
  readonly events: number;
  /** Updates that came twice and were dropped. */
  readonly duplicates: number;
  /** Gaps announced so far. */
  readonly resyncs: number;
  /** Bytes of streams read so far; of a native `EventSource`, those of its events. */
  readonly bytes: number;
  /** Updates that `coalesceMs` replaced by a later one. */
  readonly coalesced: number;
  /** Updates that a full queue dropped. */
  readonly dropped: number;
  /**
   * The user whose updates it carries: the one given, or the one that the token names; `null` if
   * neither is known.
   */
  readonly user: string | null;
  /**
   * Which tab holds the connection: this one for itself (`alone`), asking for it, ours for all tabs
   * (`leader`), or that of another tab (`follower`).
   */
  readonly role: Role;
}

/** What a tab is to the others: see `share` of {@link ClientOptions}. */
export type Role = (typeof ROLES)[number];
