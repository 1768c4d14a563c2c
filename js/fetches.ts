import type { Stamp } from './heard.js';
import type { View } from './job.js';
import { tick } from './tick.js';

/** What is used of a TanStack `QueryClient`; the types are ours, so this package imports nothing of theirs. */
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
}

interface CacheEventLike {
  readonly type: string;
  readonly query: QueryLike;
  readonly observer?: unknown;
  readonly action?: unknown;
}

type Refetch = (...args: never[]) => unknown;

/**
 * Knows of every query of one cache when its last fetch started, whoever started it.
 *
 * ```ts
 * const fetches = fetchesOf(queryClient);
 * fetches.view(result.refetch); // { fetching: true, started: { tick: 12, at: 1767225600000 } }
 * ```
 *
 * Exact, because the cache tells its subscribers in the call that starts the fetch, before the query function runs
 * (query-core 5, `Query#dispatch` and `QueryCache#notify`). A result leads to its query by `refetch`, which is bound to one observer, so
 * it also follows a component that changes its key.
 */
export class Fetches {
  readonly #started = new WeakMap<QueryLike, Stamp>();
  readonly #queries = new WeakMap<Refetch, QueryLike>();
  readonly #followers = new Map<Refetch, Set<() => void>>();
  readonly #now: () => number;

  constructor(client: QueryClientLike, now: () => number = Date.now) {
    this.#now = now;
    const cache = client.getQueryCache();
    for (const query of cache.getAll()) {
      for (const observer of query.observers) this.#queries.set(observer.refetch as Refetch, query);
    }
    // Never undone: the listener lives and dies with the cache, which holds the only other end.
    cache.subscribe((event) => this.#told(event));
  }

  /** What is known of the query behind this `refetch`; undefined if it is not of this cache, or has no observer yet. */
  view(refetch: Refetch): View | undefined {
    const query = this.#queries.get(refetch);
    if (!query) return undefined;
    // In flight since before we looked: as old as can be.
    const started = this.#started.get(query) ?? { tick: 0, at: 0 };
    return { fetching: query.state.fetchStatus !== 'idle', started };
  }

  /** Calls `fn` whenever the view may have changed. */
  follow(refetch: Refetch, fn: () => void): () => void {
    const followers = this.#followers.get(refetch) ?? new Set();
    this.#followers.set(refetch, followers.add(fn));
    return () => {
      followers.delete(fn);
      if (followers.size === 0) this.#followers.delete(refetch);
    };
  }

  #told(event: CacheEventLike): void {
    const { type, query } = event;
    if (type === 'observerAdded') {
      const { refetch } = event.observer as ObserverLike;
      this.#queries.set(refetch as Refetch, query);
      this.#tell(refetch as Refetch);
    } else if (type === 'updated') {
      const action = (event.action as { type?: unknown } | undefined)?.type;
      if (action === 'fetch') this.#started.set(query, { tick: tick(), at: this.#now() });
      for (const observer of query.observers) this.#tell(observer.refetch as Refetch);
    }
  }

  #tell(refetch: Refetch): void {
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
