// The hook `useAutoRefetch`, which refetches a query when its types are updated.
'use client';
import { useEffect, useRef } from 'react';
import { patterns } from '../model/patterns.js';
import type { MatchingTypes, Pattern, Update } from '../model/update.js';
import { type Executable, fetchAgain, type Mutable, type Refetchable, viewOf } from '../refetch/library.js';
import type { Handle } from '../refetch/query.js';
import { fetchesOf } from '../refetch/query-cache.js';
import { type AnyClient, refetcherOf } from '../refetch/refetcher.js';
import { useSSEContext } from './context.js';
import { useCommit, useLatest } from './use-latest.js';

/** How one component keeps its query fresh. */
export interface AutoRefetchOptions<P extends Pattern = Pattern> {
  /**
   * False stops it; true again refetches if the data is older than a notification from meanwhile.
   * Default true.
   */
  enabled?: boolean | undefined;
  /** Returns false for an update that does not matter here. */
  filter?: ((update: Update<MatchingTypes<P>>) => boolean) | undefined;
  /**
   * Changes that this tab made itself (see {@link Client.origin}): `skip`, the default, or
   * `refetch`.
   */
  fromThisTab?: 'skip' | 'refetch' | undefined;
  /** Refetch at the first open and after every gap. Default true. */
  resync?: boolean | undefined;
  /** Overrides the policy of the provider, in milliseconds. */
  minIntervalMs?: number | undefined;
  /** Instead of the client of the provider. */
  client?: AnyClient | undefined;
}

/**
 * Refetches a query when something it shows has changed, and returns the same query.
 *
 * ```tsx
 * const projects = useAutoRefetch(trpc.projects.getAll.useQuery(), 'projects');
 * const nodes = useAutoRefetch(useQuery({ queryKey: ['nodes'], queryFn }), ['compute', 'compute.*']);
 * const users = useAutoRefetch(useSWR('/api/users', load), 'users');
 * const [jobs] = useAutoRefetch(useUrqlQuery({ query, pause }), 'jobs', { enabled: !pause }); // `useQuery` of urql
 * ```
 *
 * **What it takes.** The results of TanStack Query 5, tRPC 11, RTK Query 2, SWR 2, Apollo Client 3
 * and 4, and any object with `refetch`, which is called without arguments. A query that is
 * disabled, skipped, or has no key is never run: it is fetched when it is enabled again, unless its
 * library does that by itself. The result of urql does not show that it is paused, so its tuple
 * needs `enabled`. An object of your own may have `isFetching`, `dataUpdatedAt` and `isEnabled`;
 * without `isFetching`, every `refetch` must start a request of its own.
 *
 * **Guaranteed** while mounted: after the last update, a fetch starts that started after it;
 * fetches are never cancelled; components on one query share a request; at most one start in
 * `minIntervalMs`, the first at once (within 5 ms), the last always. The unit is the mounted hook:
 * a `refetch` of a new identity at each render changes nothing. Errors stay in the query.
 *
 * **Why an update during a fetch is not lost**, whatever started that fetch: `refetch` joins a
 * fetch in flight, even one older than the update. For TanStack Query with `queryClient` on the
 * provider every start is known when it happens, and the guarantee has no conditions; it then
 * covers what was fetched before the mount too (Suspense, cached data). Otherwise the result shows,
 * which React renders a moment late. So the call waits 5 ms, until every fetch older than the
 * update would show; what is not shown then is younger, and may be joined; if one is shown, the
 * query is fetched again when it settles. That asks for the default `notifyManager` scheduler, and
 * for `isFetching` among `notifyOnChangeProps` if these are set by hand. Apollo Client joins
 * requests of one query and the same variables, whatever makes them: keep all of them in hooks.
 * Data older than the last update is refetched at mount and when the key changes.
 *
 * **On a plain server** (no tinysse hub) the native `EventSource` delivers only events whose names
 * were asked for: a pattern such as `'compute.*'` or `'*'` receives nothing there. Name each type,
 * or use `transport: 'fetch'`.
 *
 * Measured on TanStack Query 5.108 with the usual code: an update during the first fetch is lost
 * for ever, 100 updates a second make 100 requests and no screen update, 3 components make 3
 * requests.
 */
export function useAutoRefetch<Q extends Refetchable | Mutable | Executable, const P extends Pattern>(
  query: Q,
  types: P | readonly P[],
  ...[options = {}]: Q extends Executable
    ? [options: AutoRefetchOptions<P> & { enabled: boolean }]
    : [options?: AutoRefetchOptions<P>]
): Q {
  const { client, policy, queryClient } = useSSEContext(options.client);
  const { enabled = true, fromThisTab = 'skip', resync = true } = options;
  const { minIntervalMs = policy.minIntervalMs ?? 250 } = options;
  const { resyncJitterMs = 2000, hidden = 'stale' } = policy;
  const key = JSON.stringify(patterns(types));
  const handle = useRef<Handle>(undefined);
  const { refetch } = query as Partial<Refetchable>;
  const view = () => (queryClient && fetchesOf(queryClient).view(refetch)) ?? viewOf(query);
  const latest = useLatest({ query, view, filter: options.filter });

  useEffect(() => {
    if (!enabled) return;
    const added = refetcherOf(client).add({
      types: JSON.parse(key),
      fetch: () => fetchAgain(latest.current.query),
      view: () => latest.current.view(),
      accepts: (update) => latest.current.filter?.(update as Update<MatchingTypes<P>>) ?? true,
      own: fromThisTab === 'refetch',
      resync,
      minIntervalMs,
      resyncJitterMs,
      onlyVisible: hidden === 'stale',
    });
    handle.current = added;
    return () => {
      handle.current = undefined;
      added.remove();
    };
  }, [client, key, enabled, fromThisTab, resync, minIntervalMs, resyncJitterMs, hidden, latest]);

  useEffect(
    () => queryClient && fetchesOf(queryClient).follow(refetch, () => handle.current?.observe(latest.current.view())),
    [queryClient, refetch, latest],
  );

  // An exact view reads nothing of the result: TanStack Query renders a component when something
  // changes that was read.
  useCommit(() => handle.current?.observe(view()));
  return query;
}
