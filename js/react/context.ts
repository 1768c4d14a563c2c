// The React context with the client and the refetch policy.
'use client';
import { createContext, useContext } from 'react';
import type { QueryClientLike } from '../refetch/query-cache.js';
import type { AnyClient } from '../refetch/refetcher.js';

/** How queries are refetched, for all of a provider. Times are milliseconds. */
export interface RefetchPolicy {
  /**
   * Least time between two refetches of a query. Default 250: 4 a second, however many updates
   * come.
   */
  minIntervalMs?: number | undefined;
  /**
   * After a gap, refetch within a random part of this, so that a restarted hub is not stormed.
   * Default 2000.
   */
  resyncJitterMs?: number | undefined;
  /**
   * In a hidden tab: `stale`, the default, waits until it is shown and fetches once; `refetch` does
   * not wait.
   */
  hidden?: 'stale' | 'refetch' | undefined;
}

/** What the provider hands down. */
export interface SSEContextValue {
  readonly client: AnyClient;
  readonly policy: RefetchPolicy;
  readonly queryClient: QueryClientLike | undefined;
}

export const SSEContext = createContext<SSEContextValue | null>(null);

/** The client given, or that of the nearest provider. */
export function useSSEContext(client?: AnyClient): SSEContextValue {
  const context = useContext(SSEContext);
  if (client && client !== context?.client)
    return { client, policy: context?.policy ?? {}, queryClient: context?.queryClient };
  if (!context) throw new Error('tinysse: no client. Put <SSEProvider client={sse}> above, or pass the client.');
  return context;
}
