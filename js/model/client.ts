// The interface of a client.

/// <reference lib="esnext.disposable" preserve="true" />
// The client that createClient returns.
import type { SseError } from './errors.js';
import type { Resync, Snapshot } from './snapshot.js';
import type { ClientStats } from './stats.js';
import type { MatchingTypes, Pattern, Update, Updates } from './update.js';

/**
 * Ends what returned it; more calls do nothing. `using off = sse.subscribe(...)` calls it at the
 * end of the block.
 */
export interface Unsubscribe extends Disposable {
  (): void;
}

/**
 * How long something lasts that is begun at the client: until its {@link Unsubscribe} is called,
 * the signal aborts, or the client closes.
 *
 * ```ts
 * const page = new AbortController();
 * sse.subscribe('projects', reload, { signal: page.signal });
 * sse.acquire({ signal: page.signal });
 * page.abort(); // both end, and nothing of them is left on the signal
 * ```
 */
export interface SubscribeOptions {
  /** Already aborted, it does not begin at all. */
  signal?: AbortSignal | undefined;
}

/** What {@link createClient} gives. */
export interface Client<U = Updates> extends Disposable {
  /**
   * Calls `fn` for each update of the types; returns the way to stop. Subscribing does not connect:
   * {@link Client.acquire} does. A listener that throws is reported (`reportError`) and disturbs
   * nothing else.
   */
  subscribe<const P extends Pattern<U>>(
    types: P | readonly P[],
    fn: (update: Update<MatchingTypes<P, U>, U>) => void,
    options?: SubscribeOptions,
  ): Unsubscribe;
  /** Calls `fn` when the status, the error, the role or the next retry changes. */
  onStatus(fn: (snapshot: Snapshot) => void, options?: SubscribeOptions): Unsubscribe;
  /**
   * Calls `fn` when updates may be missing, the first open included: what was fetched before it may
   * be stale.
   */
  onResync(fn: (resync: Resync) => void, options?: SubscribeOptions): Unsubscribe;
  /** Calls `fn` for each new error, those that are retried included. */
  onError(fn: (error: SseError) => void, options?: SubscribeOptions): Unsubscribe;
  /**
   * The connection now; the same frozen object as long as nothing changed, as
   * `useSyncExternalStore` wants it.
   */
  getSnapshot(): Snapshot;
  /**
   * Everything that was counted, in a new object: see {@link ClientStats}. For a look inside or a
   * bug report; what computes it is loaded at the first call.
   *
   * ```ts
   * const { connects, refetchesSaved, latency } = await sse.stats();
   * console.table({ ...connects, refetchesSaved, p95: latency.p95 });
   * ```
   */
  stats(): Promise<ClientStats>;
  /**
   * Holds the connection open until the returned function is called; counted, so every holder
   * releases its own. The first one loads the wasm and connects. Where there is no `EventSource` (a
   * server, a bare test page) it does nothing.
   */
  acquire(options?: SubscribeOptions): Unsubscribe;
  /**
   * Closes the stream and keeps the cursor: {@link Client.resume} continues from there. The status
   * is `paused`.
   */
  pause(): void;
  /**
   * Connects again after {@link Client.pause}, and continues from the cursor: the server replays
   * what was missed, or announces a gap. Without effect on a connection that is not paused, or has
   * no holder.
   */
  resume(): void;
  /**
   * Connects anew with a new token, at once. A way out of `failed`, and of the rest after
   * {@link Client.forget}.
   */
  reconnect(): void;
  /**
   * Sets who is signed in; `null` (or an empty string) means no user, and ends the connection. For
   * another user than before, stream, token and cursor are dropped at once, no update of the former
   * user is delivered any more, and the token provider is asked anew.
   *
   * ```ts
   * auth.onChange((session) => sse.setUser(session?.userId ?? null));
   * ```
   *
   * In React: `<SSEProvider client={sse} user={session?.userId ?? null}>`.
   */
  setUser(id: string | null): void;
  /**
   * Calls `fn` when the user is another one: by {@link Client.setUser}, by {@link Client.forget}
   * (`null`), or by a token that names another one. Drop then what belongs to the former user.
   */
  onUser(fn: (user: string | null) => void, options?: SubscribeOptions): Unsubscribe;
  /**
   * Ends stream, token, cursor and the cursor that `persist` keeps, at once, in every tab that
   * shares the connection. Call it at logout, and await it before you leave the page: what erases
   * the kept cursor may have to be loaded. Never rejects. The status is `idle` until `setUser` with
   * a user, `reconnect()`, or until the page is shown again.
   */
  forget(): Promise<void>;
  /**
   * Ends everything: no callback comes after this, whatever was under way, and all subscriptions
   * are over. What is begun afterwards, by `acquire` or `subscribe`, begins anew, without a cursor;
   * so a component that closes its client in a cleanup works in StrictMode. If the option `signal`
   * was aborted, it is over for good.
   */
  close(): void;
  /**
   * Aborted by {@link Client.close}, for whatever should end with the client. A client that is used
   * again has another one.
   */
  readonly signal: AbortSignal;
  /**
   * Random, one per tab. Send it as the header `x-tinysse-origin` with mutations, and the tab will
   * not refetch its own changes.
   */
  readonly origin: string;
}
