'use client';
import { useEffect, useRef } from 'react';
import { type AnyClient, refetcherOf } from '../coordinate.js';
import { fetchesOf } from '../fetches.js';
import type { Handle, View } from '../job.js';
import { patterns } from '../match.js';
import type { Matched, Pattern, Update } from '../types.js';
import { useSSEContext } from './context.js';
import { useCommit, useLatest } from './use-latest.js';

/** What a query must be able to do: results of TanStack Query are, and those of tRPC. */
export interface Refetchable {
  /** Starts a request, or joins the one under way; the promise settles with it. */
  refetch(options?: { cancelRefetch?: boolean }): unknown;
  /** A request is under way. Without it, every `refetch` must start a request of its own. */
  readonly isFetching?: boolean | undefined;
  /** When the data came, in milliseconds since 1970. */
  readonly dataUpdatedAt?: number | undefined;
}

/** How one component keeps its query fresh. */
export interface AutoRefetchOptions<P extends Pattern = Pattern> {
  /** False stops it; true again refetches if the data is older than what was heard meanwhile. Default true. */
  enabled?: boolean | undefined;
  /** False for an update that does not matter here. */
  filter?: ((update: Update<Matched<P>>) => boolean) | undefined;
  /** Changes that this tab made itself (see {@link Client.origin}): `skip`, the default, or `refetch`. */
  self?: 'skip' | 'refetch' | undefined;
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
 * ```
 *
 * **Guaranteed** while mounted: after the last update, a fetch starts that started after it; fetches are never cancelled;
 * components on one query share a request, since they call `refetch({ cancelRefetch: false })` in one go; at most one start in
 * `minIntervalMs`, the first at once (within 5 ms), the last always. Errors stay in the query.
 *
 * **Why an update during a fetch is not lost**, whoever started that fetch: `refetch` joins a fetch in flight, even one older than
 * the update. With `queryClient` on the provider every start is known when it happens, and the guarantee has no
 * conditions; it then covers what was fetched before the mount too (Suspense, cached data). Without it `isFetching` tells,
 * which React shows a moment late (TanStack Query notifies by `setTimeout(0)`). So the call waits 5 ms, until every fetch older than the update
 * would show; what is not shown then is younger, and may be joined; if one is shown, the query is fetched again when it
 * settles. That asks for the default `notifyManager` scheduler, and for `isFetching` among `notifyOnChangeProps`
 * if these are set by hand. Data older than the last update heard is refetched at mount and when the key changes.
 *
 * Measured on TanStack Query 5.108 with the usual code: an update during the first fetch is lost for ever, 100 updates a second make
 * 100 requests and no screen update, 3 components make 3 requests.
 */
export function useAutoRefetch<Q extends Refetchable, const P extends Pattern>(
  query: Q,
  types: P | readonly P[],
  options: AutoRefetchOptions<P> = {},
): Q {
  const { client, policy, queryClient } = useSSEContext(options.client);
  const { enabled = true, self = 'skip', resync = true } = options;
  const { minIntervalMs = policy.minIntervalMs ?? 250 } = options;
  const { resyncJitterMs = 2000, hidden = 'stale' } = policy;
  const key = JSON.stringify(patterns(types));
  const latest = useLatest({ query, filter: options.filter });
  const handle = useRef<Handle>(undefined);
  const { refetch } = query;

  useEffect(() => {
    if (!enabled) return;
    const fetches = queryClient && fetchesOf(queryClient);
    const exact = fetches?.view(refetch) ? fetches : undefined;
    const view = () => exact?.view(refetch) ?? viewOf(latest.current.query);
    const added = refetcherOf(client).add({
      types: JSON.parse(key),
      fetch: () => latest.current.query.refetch({ cancelRefetch: false }),
      view,
      exact: exact !== undefined,
      accepts: (update) => latest.current.filter?.(update as Update<Matched<P>>) ?? true,
      own: self === 'refetch',
      resync,
      minIntervalMs,
      resyncJitterMs,
      onlyVisible: hidden === 'stale',
    });
    const unfollow = exact?.follow(refetch, () => added.observe(view()));
    if (!exact) handle.current = added;
    return () => {
      handle.current = undefined;
      unfollow?.();
      added.remove();
    };
  }, [client, queryClient, refetch, key, enabled, self, resync, minIntervalMs, resyncJitterMs, hidden, latest]);

  // Reading them makes TanStack Query render the component when they change: not done for an exact view, which needs no render.
  useCommit(() => handle.current?.observe(viewOf(query)));
  return query;
}

function viewOf(query: Refetchable): View {
  return { fetching: query.isFetching === true, updatedAt: query.dataUpdatedAt };
}
