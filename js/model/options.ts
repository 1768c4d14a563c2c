// What createClient takes.
import type { Client } from './client.js';
import type { TOKEN_REASONS } from './vocabulary.js';

/** Why a token is wanted. */
export type TokenReason = (typeof TOKEN_REASONS)[number];

/** What a {@link TokenProvider} is asked. */
export interface TokenAsk {
  /**
   * Why: `initial`: there was none yet; `expired`: the last one is past its time; `rejected`: the
   * server refused it; `revoked`: the server reported that the rights of the user changed;
   * `manual`: after {@link Client.reconnect}.
   */
  readonly reason: TokenReason;
  /** Aborted when the answer is no longer wanted: after `close()`, or `tokenTimeout`. */
  readonly signal: AbortSignal;
}

/**
 * A token, with the seconds it is good for (a number, or its digits) and the name of its user if
 * the server sends it. `access_token` is the name in OAuth 2.0. The user is compared, never shown:
 * a cursor is not used for another one. Without it, the claim `sub` of a JWT is read.
 */
export type TokenAnswer =
  | string
  | { readonly token: string; readonly expires_in?: number | string; readonly user?: string }
  | { readonly access_token: string; readonly expires_in?: number | string; readonly user?: string };

/**
 * Gets the short-lived token that opens the stream. An error with a `status` of 401 or 403, also as
 * `response.status`, `data.httpStatus` or `statusCode`, ends in `failed` with the code
 * `unauthorized`; any other is retried with backoff.
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
   * `eventsource`, the default: the browser retries glitches by itself, the client changes tokens.
   * `fetch`: the token travels in a header, and the status of a refusal is known.
   */
  transport?: 'eventsource' | 'fetch' | undefined;
  /**
   * `auto`, the default: one connection for all tabs of the same origin, user, URL and types; one
   * tab holds it, and when it goes the next one does. Whose tab it is must be known, by `user`, by
   * the token answer, or by the `sub` of a JWT: else, and where the browser has no Web Locks, each
   * tab has its own. So it is with servers that do not speak tinysse/1. `off`: one a tab.
   */
  share?: 'auto' | 'off' | undefined;
  /**
   * The user who is signed in, as the token names him: `user` in the answer of the token endpoint,
   * else the `sub` of the JWT. A token for another user is refused (code `user`). `null`: no user,
   * so no connection. Left out, the token names the user. Later changes: {@link Client.setUser}.
   */
  user?: string | null | undefined;
  /**
   * The longest event that is taken, in bytes, by the transport `fetch`; default 16 MiB. Beyond,
   * the error has the code `protocol`.
   */
  eventLimit?: number | undefined;
  /** Closes the stream while the page is hidden, and keeps the cursor. Default false. */
  pauseWhenHidden?: boolean | undefined;
  /** Ask the server for these types only; patterns as in `subscribe`. */
  types?: readonly string[] | undefined;
  /** Send cookies to another origin. */
  withCredentials?: boolean | undefined;
  /** Resume from here instead of from now. */
  lastEventId?: string | undefined;
  /**
   * Deliver only the latest update of a type in each window of this length; 0, the default,
   * delivers all.
   */
  coalesceMs?: number | undefined;
  /**
   * The silence after which a stream is taken for dead, in milliseconds; 0: never. A server that
   * speaks tinysse/1 names its own heartbeat, which beats this. Left out: 45000 until the first
   * event. Streams of other servers are then watched only where their comments are seen (transport
   * `fetch`), by twice the longest time between two of them, and at least 45000.
   */
  heartbeatTimeout?: number | undefined;
  /**
   * The longest time until a stream has answered with its head, in milliseconds. Beyond, the
   * attempt is given up with the code `network`, and retried with backoff. Default 20000.
   */
  connectTimeout?: number | undefined;
  /**
   * The longest time that the token provider may take, in milliseconds. Beyond, its `signal` is
   * aborted and the attempt fails with the code `token`, and is retried with backoff. Default
   * 10000.
   */
  tokenTimeout?: number | undefined;
  /** Refusals in a row after which the client gives up. Default 8. */
  maxRefusals?: number | undefined;
  /** Makes the jitter repeatable, for tests. */
  seed?: number | undefined;
  /**
   * Close only this long after the last release, so that a change of page, StrictMode or hot reload
   * keeps the stream. Default 1000.
   */
  closeDelay?: number | undefined;
  /**
   * A separate `.wasm` instead of the inlined one: `import wasm from 'tinysse/wasm-url'`
   * (`tinysse/wasm-url-fetch` for the transport `fetch`), or its bytes, or the module.
   */
  wasm?: WasmSource | undefined;
  /** Closes the client when aborted. */
  signal?: AbortSignal | undefined;
  /**
   * Keeps the cursor over reloads of the tab, so that what was missed meanwhile is replayed;
   * `true`, or where to keep it. Kept for one stream and one user (`user`, or that of the token
   * answer, or the `sub` of the JWT; if none is known, nothing is kept, and the console shows it),
   * at most once a second and when the page is left. Forgotten by {@link Client.forget}, by a token
   * of another user, and when the token provider answers 401 or 403.
   */
  persist?: boolean | PersistOptions | undefined;
  /**
   * No warnings. Without it the console explains each kind of failure once: what failed, whether
   * and when it is retried, and the likely fix. The text never holds a token, and is loaded only
   * when there is something to explain.
   */
  quiet?: boolean | undefined;
  /**
   * Receives everything the client does; never a token. `localStorage['tinysse.debug'] = '1'` sends
   * it to the console instead.
   */
  log?: ((entry: LogEntry) => void) | undefined;
}

/** Where `persist` keeps the cursor. */
export interface PersistOptions {
  /** The name of the entry. Default `tinysse:` and the URL. */
  key?: string | undefined;
  /**
   * Default `sessionStorage`: each tab has seen its own part of the stream, so each needs a cursor
   * of its own. In `localStorage` the tab that is ahead would make the others skip what they have
   * not seen; it is right where there is one tab, as in a kiosk.
   */
  storage?: StorageLike | undefined;
}

/** What is used of a `Storage`. What it throws (full, denied) is taken for an empty one. */
export interface StorageLike {
  /** Returns the value stored under a key, or null. */
  getItem(key: string): string | null;
  /** Stores a value under a key. */
  setItem(key: string, value: string): void;
  /** Removes what is stored under a key, if there is anything. */
  removeItem(key: string): void;
}

/** One line of the log. Plain data, from which tokens are taken out, so it can be sent anywhere. */
export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /**
   * How severe it is: `error` for a final failure, `warn` for one that is retried and for a gap,
   * `info` for a status, `debug` for the rest.
   */
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /**
   * `transition` of the session; `token`: the provider is asked; `update`: for the console only,
   * when it is to be verbose.
   */
  readonly what: 'status' | 'error' | 'resync' | 'token' | 'transition' | 'update';
  /** For `transition` a line of text; for `token` the reason; else the fields that changed. */
  readonly detail: unknown;
}

/** Where a separate wasm module comes from. */
export type WasmSource = string | URL | BufferSource | WebAssembly.Module;
