/// <reference lib="esnext.disposable" preserve="true" />

import type { SseError } from './errors.js';
import type { Detail } from './stats.js';

/**
 * Names your updates once, for every hook and client of the app, by declaration merging.
 *
 * ```ts
 * declare module 'tinysse' {
 *   interface Register {
 *     updates: { projects: undefined; 'compute.progress': { id: string; percent: number } };
 *   }
 * }
 * ```
 *
 * Without it a type is any `string` and its data `unknown`. A library, which must not speak for the whole app, gives the
 * map to {@link createClient} instead: `createClient<MyUpdates>(...)`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: declaration merging needs an interface, and needs it empty.
export interface Register {}

/** Update type to data type: the registered map, or any name with `unknown` data. */
export type Updates = Register extends { updates: infer U extends object } ? U : Record<string, unknown>;

/** The name of an update, such as `'projects'`. */
export type UpdateType<U = Updates> = Extract<keyof U, string>;

type Below<T extends string> = T extends `${infer Head}.${infer Tail}` ? `${Head}.*` | `${Head}.${Below<Tail>}` : never;

/**
 * What can be subscribed to: one name, everything below a name (`'compute.*'`), or everything (`'*'`).
 *
 * On a plain server (one that sends no `tinysse.hello`) the native `EventSource` delivers only events whose names were asked
 * for. There `'*'` and `'compute.*'` receive only what another subscription names; events without a name come as `'message'`.
 * Name each type, or use `transport: 'fetch'`, which reads every event.
 */
export type Pattern<U = Updates> = '*' | UpdateType<U> | Below<UpdateType<U>>;

/** The names that a pattern stands for. */
export type Matched<P extends string, U = Updates> = P extends '*'
  ? UpdateType<U>
  : P extends `${infer Head}.*`
    ? string extends UpdateType<U>
      ? string
      : Extract<UpdateType<U>, `${Head}.${string}`>
    : Extract<P, UpdateType<U>>;

interface UpdateOf<T extends string, D> {
  /** What changed. */
  readonly type: T;
  /** The small payload, if the publisher sent one. */
  readonly data: D;
  /** Tells apart the things of one type; of updates with the same type and key only the latest matters. */
  readonly key?: string;
  /** {@link Client.origin} of the tab that caused the change. */
  readonly origin?: string;
  /** Spread refetches uniformly over this many milliseconds; the hub asks it when many clients listen. */
  readonly spread?: number;
  /** When it was published, in milliseconds since 1970. */
  readonly at?: number;
  /** Where it stands in the log of the hub, `epoch.seq`. Filtering leaves holes: never infer a loss from numbers. */
  readonly id: string;
  /** True if it was published while we were away and delivered late. */
  readonly replayed: boolean;
}

/**
 * One notification: something changed.
 *
 * ```ts
 * sse.subscribe('compute.progress', (update: Update<'compute.progress'>) => bar.set(update.data.percent));
 * ```
 */
export type Update<T extends string = UpdateType, U = Updates> = {
  [K in T]: UpdateOf<K, K extends keyof U ? U[K] : unknown>;
}[T];

/**
 * What the connection does.
 *
 * `idle` not wanted · `connecting` for the first time · `open` · `reconnecting` after a loss · `offline` the browser says so ·
 * `paused` by `pause()` or a page in the back/forward cache · `failed` for good, until `reconnect()`.
 */
export type Status = 'idle' | 'connecting' | 'open' | 'reconnecting' | 'offline' | 'paused' | 'failed';

/** Why updates may be missing: `first` open, new `epoch` of the log, log `trimmed`, cursor `unknown`, `overflow`, `rights` changed. */
export type Gap = 'first' | 'epoch' | 'trimmed' | 'unknown' | 'overflow' | 'rights';

/** The news that updates may be missing: refetch what you show. */
export interface Resync {
  /** Why. */
  readonly gap: Gap;
  /** Which types; `null` is all of them. */
  readonly types: readonly string[] | null;
}

/** The connection at one moment. Frozen; the same object as long as nothing in it changed. */
export interface Snapshot {
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
  /** Updates that `coalesce` replaced by a later one. */
  readonly coalesced: number;
  /** Updates that a full queue dropped. */
  readonly dropped: number;
  /** The user whose updates it carries: the one given, or the one that the token names; `null` if neither is known. */
  readonly user: string | null;
  /** Which tab holds the connection: this one for itself (`alone`), asking for it, ours for all tabs (`leader`), or that of another tab (`follower`). */
  readonly role: Role;
}

/** What a tab is to the others: see `share` of {@link ClientOptions}. */
export type Role = 'alone' | 'candidate' | 'leader' | 'follower';

/** Ends what returned it; more calls do nothing. `using off = sse.subscribe(...)` calls it at the end of the block. */
export interface Off extends Disposable {
  (): void;
}

/**
 * How long something lasts that is begun at the client: until its {@link Off} is called, the signal aborts, or the client closes.
 *
 * ```ts
 * const page = new AbortController();
 * sse.subscribe('projects', reload, { signal: page.signal });
 * sse.acquire({ signal: page.signal });
 * page.abort(); // both end, and nothing of them is left on the signal
 * ```
 */
export interface Until {
  /** Already aborted, it does not begin at all. */
  signal?: AbortSignal | undefined;
}

/** Why a token is wanted. */
export type TokenReason = 'initial' | 'expired' | 'rejected' | 'revoked' | 'manual';

/** What a {@link TokenProvider} is asked. */
export interface TokenAsk {
  readonly reason: TokenReason;
  /** Aborted when the answer is no longer wanted: after `close()`, or `tokenTimeout`. */
  readonly signal: AbortSignal;
}

/**
 * A token, with the seconds it is good for (a number, or its digits) and the name of its user if the server says so. `access_token` is
 * the name in OAuth 2.0. The user is compared, never shown: a
 * cursor is not used for another one. Without it, the claim `sub` of a JWT is read.
 */
export type TokenAnswer =
  | string
  | { readonly token: string; readonly expires_in?: number | string; readonly user?: string }
  | { readonly access_token: string; readonly expires_in?: number | string; readonly user?: string };

/**
 * Gets the short-lived token that opens the stream. An error with a `status` of 401 or 403, also as
 * `response.status`, `data.httpStatus` or `statusCode`, ends in `failed` with the code `unauthorized`; any other is retried with backoff.
 *
 * ```ts
 * const token: TokenProvider = async ({ signal }) => {
 *   const response = await fetch('/auth/sse-token', { method: 'POST', signal });
 *   if (!response.ok) throw Object.assign(new Error(response.statusText), { status: response.status });
 *   return response.json(); // { token, expires_in }
 * };
 * ```
 */
export type TokenProvider = (ask: TokenAsk) => TokenAnswer | PromiseLike<TokenAnswer>;

/** What {@link createClient} takes. Times are milliseconds. */
export interface ClientOptions {
  /** Where the stream is, absolute or relative to the page. */
  url: string;
  /** Without one, the stream is opened as it is: by cookie, or public. */
  token?: TokenProvider | undefined;
  /**
   * `eventsource`, the default: the browser retries glitches by itself, the client changes tokens. `fetch`: the token travels in a
   * header, and the status of a refusal is known.
   */
  transport?: 'eventsource' | 'fetch' | undefined;
  /**
   * `auto`, the default: one connection for all tabs of the same origin, user, URL and types; one tab holds it, and when it goes the next
   * one does. Whose tab it is must be known, by `user`, by the token answer, or by the `sub` of a JWT: else, and where the browser has
   * no Web Locks, each tab has its own. So it is with servers that do not speak tinysse/1. `off`: one a tab.
   */
  share?: 'auto' | 'off' | undefined;
  /**
   * The user who is signed in, as the token names him: `user` in the answer of the token endpoint, else the `sub` of the JWT. A token
   * for another user is refused (code `user`). `null`: nobody, so no connection. Left out, the token says who it is. Later changes:
   * {@link Client.setUser}.
   */
  user?: string | null | undefined;
  /** The longest event that is taken, in bytes, by the transport `fetch`; default 16 MiB. Beyond, the error has the code `protocol`. */
  eventLimit?: number | undefined;
  /** Let go of the stream while nobody sees the page; the cursor is kept. Default false. */
  pauseWhenHidden?: boolean | undefined;
  /** Ask the server for these types only; patterns as in `subscribe`. */
  types?: readonly string[] | undefined;
  /** Send cookies to another origin. */
  withCredentials?: boolean | undefined;
  /** Resume from here instead of from now. */
  lastEventId?: string | undefined;
  /** Deliver only the latest update of a type in each window of this length; 0, the default, delivers all. */
  coalesce?: number | undefined;
  /**
   * The silence after which a stream is taken for dead, in milliseconds; 0: never. A server that speaks tinysse/1 names its own heartbeat,
   * which beats this. Left out: 45000 until the first event. Streams of other servers are then watched only where their comments are
   * seen (transport `fetch`), by twice the longest time between two of them, and at least 45000.
   */
  heartbeatTimeout?: number | undefined;
  /** Default 20000. */
  connectTimeout?: number | undefined;
  /** Default 10000. */
  tokenTimeout?: number | undefined;
  /** Refusals in a row after which the client gives up. Default 8. */
  refusals?: number | undefined;
  /** Makes the jitter repeatable, for tests. */
  seed?: number | undefined;
  /** Close only this long after the last release, so that a change of page, StrictMode or hot reload keeps the stream. Default 1000. */
  linger?: number | undefined;
  /**
   * A separate `.wasm` instead of the inlined one: `import wasm from 'tinysse/wasm-url'` (`tinysse/wasm-url-fetch` for the transport
   * `fetch`), or its bytes, or the module.
   */
  wasm?: WasmSource | undefined;
  /** Closes the client when aborted. */
  signal?: AbortSignal | undefined;
  /**
   * Keeps the cursor over reloads of the tab, so that what was missed meanwhile is replayed; `true`, or where to keep it. Kept for
   * one stream and one user (`user`, or that of the token answer, or the `sub` of the JWT; if none is known, nothing is kept, and the
   * console says so), at most once a second and when the page is left. Forgotten by {@link Client.forget}, by a token of another
   * user, and when the token provider says 401 or 403.
   */
  persist?: boolean | PersistOptions | undefined;
  /**
   * No warnings. Without it the console explains each kind of failure once: what failed, whether and when it is retried, and the likely
   * fix. The text never holds a token, and is loaded only when there is something to explain.
   */
  quiet?: boolean | undefined;
  /** Told of everything the client does; never of a token. `localStorage['tinysse.debug'] = '1'` tells the console instead. */
  log?: ((entry: LogEntry) => void) | undefined;
}

/** Where `persist` keeps the cursor. */
export interface PersistOptions {
  /** The name of the entry. Default `tinysse:` and the URL. */
  key?: string | undefined;
  /**
   * Default `sessionStorage`: each tab has seen its own part of the stream, so each needs a cursor of its own. In `localStorage`
   * the tab that is ahead would make the others skip what they have not seen; it is right where there is one tab, as in a kiosk.
   */
  storage?: StorageLike | undefined;
}

/** What is used of a `Storage`. What it throws (full, denied) is taken for an empty one. */
export interface StorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** One line of the log. Plain data, from which tokens are taken out, so it can be sent anywhere. */
export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** `transition` of the session; `token`: the provider is asked; `update`: for the console only, when it is to be verbose. */
  readonly what: 'status' | 'error' | 'resync' | 'token' | 'transition' | 'update';
  /** For `transition` a line of text; for `token` the reason; else the fields that changed. */
  readonly detail: unknown;
}

/** Where a separate wasm module comes from. */
export type WasmSource = string | URL | BufferSource | WebAssembly.Module;

/** What {@link createClient} gives. */
export interface Client<U = Updates> extends Disposable {
  /**
   * Calls `fn` for each update of the types; returns the way to stop. Subscribing does not connect: {@link Client.acquire} does.
   * A listener that throws is reported (`reportError`) and disturbs nothing else.
   */
  subscribe<const P extends Pattern<U>>(
    types: P | readonly P[],
    fn: (update: Update<Matched<P, U>, U>) => void,
    options?: Until,
  ): Off;
  /** Calls `fn` when the status, the error, the role or the next retry changes. */
  onStatus(fn: (snapshot: Snapshot) => void, options?: Until): Off;
  /** Calls `fn` when updates may be missing, the first open included: what was fetched before it may be stale. */
  onResync(fn: (resync: Resync) => void, options?: Until): Off;
  /** Calls `fn` for each new error, those that are retried included. */
  onError(fn: (error: SseError) => void, options?: Until): Off;
  /** The connection now; the same frozen object as long as nothing changed, as `useSyncExternalStore` wants it. */
  getSnapshot(): Snapshot;
  /**
   * Everything that was counted, in a new object: see {@link Detail}. For a look inside or a bug report; what computes it is
   * loaded at the first call.
   *
   * ```ts
   * const { connects, refetchesSaved, latency } = await sse.snapshot();
   * console.table({ ...connects, refetchesSaved, p95: latency.p95 });
   * ```
   */
  snapshot(): Promise<Detail>;
  /**
   * Holds the connection open until the returned function is called; counted, so every holder releases its own. The first
   * one loads the wasm and connects. Where there is no `EventSource` (a server, a bare test page) it does nothing.
   */
  acquire(options?: Until): Off;
  /** Lets go of the stream and keeps the cursor; {@link Client.resume} goes on from there. */
  pause(): void;
  resume(): void;
  /** Connects anew with a new token, at once. A way out of `failed`, and of the rest after {@link Client.forget}. */
  reconnect(): void;
  /**
   * Says who is signed in; `null` (or an empty string) is nobody, and ends the connection. For another user than before, stream, token and
   * cursor are dropped at once, no update of the former user is delivered any more, and the token provider is asked anew.
   *
   * ```ts
   * auth.onChange((session) => sse.setUser(session?.userId ?? null));
   * ```
   *
   * In React: `<SSEProvider client={sse} user={session?.userId ?? null}>`.
   */
  setUser(id: string | null): void;
  /**
   * Calls `fn` when the user is another one: by {@link Client.setUser}, by {@link Client.forget} (`null`), or by a token that names
   * another one. Drop then what belongs to the former user.
   */
  onUser(fn: (user: string | null) => void, options?: Until): Off;
  /**
   * Ends stream, token, cursor and the cursor that `persist` keeps, at once, in every tab that shares the connection. Call it at logout, and
   * await it before you leave the page: what erases the kept cursor may have to be loaded. Never rejects. The status is `idle` until
   * `setUser` with a user, `reconnect()`, or until the page is shown again.
   */
  forget(): Promise<void>;
  /**
   * Ends everything: no callback comes after this, whatever was under way, and all subscriptions are over. What is begun afterwards, by
   * `acquire` or `subscribe`, begins anew, without a cursor; so a component that closes its client in a cleanup works in StrictMode. If
   * the option `signal` was aborted, it is over for good.
   */
  close(): void;
  /** Aborted by {@link Client.close}, for whatever should end with the client. A client that is used again has another one. */
  readonly signal: AbortSignal;
  /** Random, one per tab. Send it as the header `x-tinysse-origin` with mutations, and the tab will not refetch its own changes. */
  readonly origin: string;
}
