// The options of a worker and its pollers, as applications write them.
import type { Updates, UpdateType } from '../../model/update.js';
import type { HubError } from '../errors.js';
import type { Audience } from '../types.js';

/** An application's own way to a value, with a signal that aborts when it takes too long. */
export type PollFetch<V> = (signal: AbortSignal) => V | Promise<V>;

/** What the value of a poller is taken for: the data of the map of updates, where it names one. */
export type PolledData<U, T extends UpdateType<U>> = [U[T]] extends [undefined] ? unknown : U[T];

/** The options of {@link BackgroundWorker}. */
export interface WorkerOptions {
  /**
   * Called when a poller begins to fail, once until it works again, and when `send` cannot be
   * carried out. The message is one line: the type, the reason, what happens now; without the
   * address, headers and body. The code is `poll_failed`. `console.error` by default.
   */
  readonly onError?: ((error: HubError, type: string) => void) | undefined;
  /** Called when a poller works again. `console.info` by default. */
  readonly onRecover?: ((recovery: PollRecovery) => void) | undefined;
}

/** That a poller works again. */
export interface PollRecovery {
  /** The type of the poller. */
  readonly type: string;
  /** Failures in a row before. */
  readonly failures: number;
  /** Milliseconds since the first of them. */
  readonly duration: number;
}

/** What every poller may be given. Durations are in milliseconds. */
export interface PollRules<U, T extends UpdateType<U>, V> {
  /** The type that is notified when the value changes. One poller a type. */
  readonly type: T;
  /** How often to ask, counted from the last answer: 10 to 86,400,000. 2,000 by default. */
  readonly every?: number | undefined;
  /** How long an answer may take: 10 to 86,400,000. 5,000 by default. */
  readonly timeout?: number | undefined;
  /**
   * A value that is older is stale: 0 to 86,400,000. Three times `every` by default, at least
   * 1,000.
   */
  readonly maxStale?: number | undefined;
  /** Who receives the notifications: one audience or several. Everyone by default. */
  readonly to?: Audience | readonly Audience[] | undefined;
  /** The key of the notifications; see {@link NotifyOptions.key}. */
  readonly key?: string | undefined;
  /**
   * What counts as a change. `'json'` (the default): another JSON value, where spaces, the order of
   * fields and the spelling of numbers do not count, but every digit does. `'hash'`: another byte
   * of the body, which need not be JSON. A function: whatever it returns true for; `previous` is
   * the value of the last change. If it throws, the answer counts as a failure.
   */
  readonly detect?: 'json' | 'hash' | ((previous: V, next: V) => boolean) | undefined;
  /** Only these places of the JSON count: a JSON pointer (RFC 6901), or several. */
  readonly pointer?: string | readonly string[] | undefined;
  /**
   * What notifications carry. Nothing by default: clients refetch. `true`: the value; with `pointer`
   * the part there, with several pointers an object of the parts. A function: what it returns. At
   * most 256 KiB of JSON; a notification whose data are larger, or are no JSON, carries none. That
   * a value became stale carries none either.
   */
  readonly send?: boolean | ((value: V) => U[T] | undefined) | undefined;
}

/** A poller that asks over HTTP. */
export interface PollUrl {
  /**
   * What is asked, as a text or a `URL`: http or https. Name and password in it are sent as
   * `Authorization: Basic`. Redirects are not followed.
   */
  readonly url: string | { readonly href: string };
  /** `'GET'` by default. With `'POST'` no conditional requests are made. */
  readonly method?: 'GET' | 'POST' | undefined;
  /** What is posted; as `application/json` unless `headers` name another type. */
  readonly body?: string | undefined;
  /** Sent along. They appear in no error. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A longer body, decoded, is a failure: 1 to 67,108,864 bytes. 1,048,576 by default. */
  readonly maxBytes?: number | undefined;
  /** Not with `url`. */
  readonly fetch?: undefined;
}

/** A poller that calls a function of the application. */
export interface PollClient<V> {
  /**
   * Returns the current value. Throws or rejects if there is no value; `status` and `retryAfter` (in
   * seconds) of the error are taken over. The signal aborts after `timeout` and when the poller
   * stops. It is not called again before its promise is settled, so heed the signal.
   */
  readonly fetch: PollFetch<V>;
  /** Not with `fetch`. */
  readonly url?: undefined;
}

/** The options of {@link BackgroundWorker.poll}. */
export type PollOptions<U = Updates, T extends UpdateType<U> = UpdateType<U>, V = PolledData<U, T>> = PollRules<
  U,
  T,
  V
> &
  (PollUrl | PollClient<V>);
