/**
 * Updates for `for await`.
 *
 * ```ts
 * import { updates } from 'tinysse/iterate';
 *
 * for await (const update of updates(sse, 'compute.progress', { overflow: 'latest' })) await draw(update);
 * ```
 *
 * @packageDocumentation
 */

import type { Client, SubscribeOptions } from '../model/client.js';
import { countersOf } from '../model/counters.js';
import { SseError } from '../model/errors.js';
import { patterns } from '../model/patterns.js';
import type { MatchingTypes, Pattern, Update } from '../model/update.js';

/** How {@link updates} queues. */
export interface UpdatesOptions extends SubscribeOptions {
  /** The longest queue, in updates. Default 256. */
  limit?: number | undefined;
  /**
   * What a slow reader loses. `drop-oldest`, the default: what waited longest. `latest`: all but
   * the latest of each type and key, however short the queue; beyond the limit, what waited
   * longest. `error`: nothing of what is queued, after which the iterator throws an
   * {@link SseError} with the code `overflow` and ends.
   */
  overflow?: 'drop-oldest' | 'latest' | 'error' | undefined;
}

/** What {@link updates} gives. `await using` may hold it. */
export interface UpdateIterator<T> extends AsyncIterableIterator<T>, AsyncDisposable {
  /**
   * Returns the next update once there is one. Rejects with an {@link SseError} of the code
   * `overflow`, see {@link UpdatesOptions.overflow}.
   */
  next(): Promise<IteratorResult<T, undefined>>;
  /** Ends the iterator at once and releases the connection. What is queued is dropped. */
  return(): Promise<IteratorResult<T, undefined>>;
  [Symbol.asyncIterator](): UpdateIterator<T>;
}

/**
 * Iterates over the updates of the types, as they come.
 *
 * ```ts
 * for await (const update of updates(sse, ['projects', 'compute.*'], { signal: AbortSignal.timeout(60_000) })) {
 *   await store(update); // what comes meanwhile is queued: 256 of them, then the oldest is dropped
 * }
 * ```
 *
 * It subscribes and holds the connection (`acquire`) from the first `next()` on until it ends: by
 * `break` or `return()`, by the signal, by `close()` of the client. It ends at once, and what is
 * still queued is not delivered. An iterator that is left lying without any of these holds the
 * connection for ever. What it dropped is counted: `(await sse.stats()).dropped`.
 *
 * @throws SseError with the code `options` for what is no pattern, no limit or no policy.
 */
export function updates<U, const P extends Pattern<U>>(
  client: Client<U>,
  types: P | readonly P[],
  options: UpdatesOptions = {},
): UpdateIterator<Update<MatchingTypes<P, U>, U>> {
  return new Queue(client, patterns(types) as P[], options);
}

type Result<T> = IteratorResult<T, undefined>;

class Queue<U, P extends Pattern<U>, T extends Update<MatchingTypes<P, U>, U>> implements UpdateIterator<T> {
  readonly #client: Client<U>;
  readonly #types: P[];
  readonly #limit: number;
  readonly #overflow: NonNullable<UpdatesOptions['overflow']>;
  readonly #outer: AbortSignal | undefined;
  /** In the order of delivery; the key is what a later update of the same replaces. */
  readonly #queue = new Map<unknown, T>();
  /** Those who wait for an update; only while the queue is empty. */
  readonly #waiting: ((result: Result<T>) => void)[] = [];
  #inner: AbortController | undefined;
  #error: SseError | undefined;
  #ended = false;

  constructor(client: Client<U>, types: P[], { limit = 256, overflow = 'drop-oldest', signal }: UpdatesOptions) {
    if (!(Number.isInteger(limit) && limit > 0))
      throw new SseError('options', 'limit: a whole number above 0 is needed');
    if (!['drop-oldest', 'latest', 'error'].includes(overflow)) {
      throw new SseError('options', "overflow: 'drop-oldest', 'latest' or 'error' is needed");
    }
    this.#client = client;
    this.#types = types;
    this.#limit = limit;
    this.#overflow = overflow;
    this.#outer = signal;
  }

  next(): Promise<Result<T>> {
    if (!this.#ended && !this.#inner) this.#begin();
    for (const [key, value] of this.#queue) {
      this.#queue.delete(key);
      return Promise.resolve({ done: false, value });
    }
    const error = this.#error;
    if (error) {
      this.#end();
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<Result<T>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
  }

  #begin(): void {
    const { signal } = this.#client;
    if (signal.aborted || this.#outer?.aborted) {
      this.#ended = true;
      return;
    }
    this.#inner = new AbortController();
    const until = { signal: this.#inner.signal };
    signal.addEventListener('abort', this.#end);
    this.#outer?.addEventListener('abort', this.#end);
    this.#client.subscribe(this.#types, (update) => this.#take(update as T), until);
    this.#client.onUser(() => this.#queue.clear(), until);
    this.#client.acquire(until);
  }

  #take(update: T): void {
    const resolve = this.#waiting.shift();
    if (resolve) {
      resolve({ done: false, value: update });
      return;
    }
    const counters = countersOf(this.#client);
    const key = this.#overflow === 'latest' ? JSON.stringify([update.type, update.key]) : update;
    if (this.#queue.delete(key)) counters.dropped += 1;
    if (this.#queue.size === this.#limit) {
      counters.dropped += 1;
      if (this.#overflow === 'error') {
        this.#error = new SseError('overflow', `more than ${this.#limit} updates waited to be read`);
        this.#release();
        return;
      }
      for (const oldest of this.#queue.keys()) {
        this.#queue.delete(oldest);
        break;
      }
    }
    this.#queue.set(key, update);
  }

  #end = (): void => {
    this.#ended = true;
    this.#error = undefined;
    this.#queue.clear();
    this.#release();
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  };

  /** Receives nothing more and releases the connection; what is queued can still be read. */
  #release(): void {
    this.#inner?.abort();
    this.#client.signal.removeEventListener('abort', this.#end);
    this.#outer?.removeEventListener('abort', this.#end);
  }
}
