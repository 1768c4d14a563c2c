/** What a token function is asked. */
export interface EventSourceTokenAsk {
  /**
   * `initial` for the first connection, `reconnect` for one after a stream that ended, `rejected`
   * if the server refused the token that was answered last.
   */
  readonly reason: 'initial' | 'reconnect' | 'rejected';
  /** Aborted by `close()`, and after 10 seconds. */
  readonly signal: AbortSignal;
}

/** A token, as it is or as token endpoints give it (`access_token` is the name in OAuth 2.0). */
export type EventSourceTokenAnswer =
  | string
  | { readonly token: string; readonly expires_in?: number | string }
  | { readonly access_token: string; readonly expires_in?: number | string };

/** A token, or a function that gets one for each connection. */
export type EventSourceToken =
  | string
  | ((ask: EventSourceTokenAsk) => EventSourceTokenAnswer | PromiseLike<EventSourceTokenAnswer>);

/**
 * What the constructor takes beside the URL. `withCredentials` is the standard's; the rest is ours.
 *
 * ```ts
 * new EventSource('/events', { token: ({ signal }) => fetch('/auth/sse-token', { method: 'POST', signal }).then((r) => r.json()) });
 * ```
 */
export interface EventSourceInit {
  /**
   * Send cookies to another origin, and take them from it. To the page's own origin they always go.
   */
  withCredentials?: boolean | undefined;
  /**
   * Sent as `Authorization: Bearer`. A function is asked again at each reconnect; if the server
   * answers 401 it is asked once more and the stream goes on from where it was. Eight refusals in a
   * row close the source. An error of the function with a `status` of 401 or 403 (also as
   * `response.status` or `data.httpStatus`) closes it at once; any other is retried as a lost
   * connection.
   */
  token?: EventSourceToken | undefined;
  /**
   * More headers. `Accept`, `Last-Event-ID` and, with a token, `Authorization` are the source's
   * own. They go along on redirects.
   */
  headers?: HeadersInit | undefined;
  /** Instead of the global `fetch`. */
  fetch?: typeof fetch | undefined;
  /**
   * The most bytes that one line or event may hold; more closes the source. Default 2^27 (128 MiB).
   */
  limit?: number | undefined;
  /**
   * True for an event by which a server reports that the token is invalid, where it cannot do so by
   * status. The event is not dispatched: a new token is asked for, and the stream goes on from
   * where it was. Only asked if `token` is a function.
   */
  unauthorized?: ((event: MessageEvent<string>) => boolean) | undefined;
}
