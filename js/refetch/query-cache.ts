// The state of queries as the cache of TanStack Query has it.
import type { Stamp } from './last-notified.js';
import { tick } from './logical-clock.js';
import type { View } from './query.js';

/**
 * The part of a TanStack `QueryClient` that is used; declared here, so this package imports nothing
 * of TanStack.
 */
export interface QueryClientLike {
  getQueryCache(): {
    getAll(): readonly QueryLike[];
    subscribe(fn: (event: CacheEventLike) => void): () => void;
  };
}

interface QueryLike {
  readonly state: { readonly fetchStatus: string };
  readonly observers: readonly ObserverLike[];
}

interface ObserverLike {
  readonly refetch: unknown;
  readonly options: { readonly enabled?: unknown };
}

interface CacheEventLike {
  readonly type: string;
  readonly query: QueryLike;
  readonly observer?: unknown;
  readonly action?: unknown;
}

/**
 * Knows of every query of one cache when its last fetch started, whatever started it.
 *
 * ```ts
 * const fetches = fetchesOf(queryClient);
 * fetches.view(result.refetch); // { enabled: true, fetching: true, started: { tick: 12, at: 1767225600000 } }
 * ```
 *
 * Exact, because the cache notifies its subscribers in the call that starts the fetch, before the
 * query function runs (query-core 5, `Query#dispatch` and `QueryCache#notify`). A result leads to
 * its query by `refetch`, which is bound to one observer, so it also follows a component that
 * changes its key.
 */
export class Fetches {
  readonly #started = new WeakMap<QueryLike, Stamp>();
  /** By the `refetch` of the observer. */
  readonly #observed = new WeakMap<object, readonly [ObserverLike, QueryLike]>();
  readonly #followers = new Map<unknown, Set<() => void>>();
  readonly #now: () => number;

  constructor(client: QueryClientLike, now: () => number = Date.now) {
    this.#now = now;
    const cache = client.getQueryCache();
    for (const query of cache.getAll()) {
      for (const observer of query.observers) this.#observe(observer, query);
    }
    // Never undone: the listener lives and dies with the cache, which holds the only other end.
    cache.subscribe((event) => this.#changed(event));
  }

  /**
   * What is known of the query behind this `refetch`; undefined if it is not of this cache, or has
   * no observer yet.
   */
  view(refetch: unknown): View | undefined {
    const observed = this.#observed.get(refetch as object);
    if (!observed) return undefined;
    const [{ options }, query] = observed;
    const { enabled } = options;
    return {
      enabled: (typeof enabled === 'function' ? enabled(query) : enabled) !== false,
      fetching: query.state.fetchStatus !== 'idle',
      // In flight since before we looked: as old as can be.
      started: this.#started.get(query) ?? { tick: 0, at: 0 },
    };
  }

  /** Calls `fn` whenever the view may have changed. */
  follow(refetch: unknown, fn: () => void): () => void {
    const followers = this.#followers.get(refetch) ?? new Set();
    this.#followers.set(refetch, followers.add(fn));
    return () => {
      followers.delete(fn);
      if (followers.size === 0) this.#followers.delete(refetch);
    };
  }

  #observe(observer: ObserverLike, query: QueryLike): void {
    this.#observed.set(observer.refetch as object, [observer, query]);
  }

  #changed({ type, query, observer, action }: CacheEventLike): void {
    const one = observer as ObserverLike | undefined;
    if (type === 'observerAdded' && one) this.#observe(one, query);
    if (type === 'observerAdded' || type === 'observerOptionsUpdated') this.#tell(one?.refetch);
    if (type !== 'updated') return;
    if ((action as { type?: unknown } | undefined)?.type === 'fetch') {
      this.#started.set(query, { tick: tick(), at: this.#now() });
    }
    for (const { refetch } of query.observers) this.#tell(refetch);
  }

  #tell(refetch: unknown): void {
    for (const fn of [...(this.#followers.get(refetch) ?? [])]) fn();
  }
}

const known = new WeakMap<QueryClientLike, Fetches>();

/** The one {@link Fetches} of a query client. */
export function fetchesOf(client: QueryClientLike): Fetches {
  let fetches = known.get(client);
  if (!fetches) {
    fetches = new Fetches(client);
    known.set(client, fetches);
  }
  return fetches;
}
