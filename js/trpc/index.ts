// What tRPC needs of tinysse. Nothing of @trpc is imported, so any version of it that has
// `httpSubscriptionLink` will do.
import { EventSource, type EventSourceInit } from '../eventsource/index.js';

/** The shape of the errors that tRPC sends as an event, as far as it is read here. */
interface SerializedError {
  readonly data?: { readonly httpStatus?: unknown; readonly code?: unknown };
  /** With a transformer such as superjson, the same lies one deeper. */
  readonly json?: SerializedError;
}

/** The options of {@link EventSource} for every subscription; `token` is what it is about. */
export type TrpcEventSourceOptions = Omit<EventSourceInit, 'unauthorized'>;

/**
 * A class for tRPC's `httpSubscriptionLink` that changes tokens without the app noticing: when the
 * server reports that the token expired, it gets a new one and goes on from the last tracked id,
 * inside of one subscription.
 *
 * ```ts
 * httpSubscriptionLink({
 *   url: '/trpc',
 *   EventSource: trpcEventSource({ token: ({ signal }) => fetch('/auth/token', { method: 'POST', signal }).then((r) => r.json()) }),
 * });
 * ```
 *
 * The token is sent as `Authorization: Bearer`: `createContext` finds it in
 * `req.headers.authorization`. tRPC answers a token that is over with the status 200 and
 * `event: serialized-error`; the class takes those of the code `UNAUTHORIZED` for a refusal.
 * Options given to a single subscription (`eventSourceOptions`) go before those given here.
 */
export function trpcEventSource(options: TrpcEventSourceOptions): typeof EventSource {
  return class extends EventSource {
    constructor(url: string | URL, init?: EventSourceInit) {
      super(url, { ...options, ...init, unauthorized });
    }
  };
}

function unauthorized({ type, data }: MessageEvent<string>): boolean {
  if (type !== 'serialized-error') return false;
  try {
    const error = JSON.parse(data) as SerializedError | null;
    const { httpStatus, code } = (error?.json ?? error)?.data ?? {};
    return httpStatus === 401 || code === 'UNAUTHORIZED';
  } catch {
    return false;
  }
}
