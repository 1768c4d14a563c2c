// The provider of the client.
'use client';
import { type ReactNode, useEffect, useMemo } from 'react';
import { fetchesOf, type QueryClientLike } from '../refetch/query-cache.js';
import type { AnyClient } from '../refetch/refetcher.js';
import { type RefetchPolicy, SSEContext } from './context.js';
import { useConnection } from './use-connection.js';
import { useCommit } from './use-latest.js';

/** What {@link SSEProvider} takes. */
export interface SSEProviderProps {
  /** Made once, outside of components. */
  client: AnyClient;
  /**
   * Who is logged in: passed to {@link Client.setUser} before a connection opens, and whenever it
   * changes. `null` means no user, and keeps no connection. Undefined, the default, leaves the
   * identity to the client.
   */
  user?: string | null | undefined;
  /** How the queries below are refetched. Default: see each member. */
  policy?: RefetchPolicy | undefined;
  /**
   * The TanStack `QueryClient` of the app, if it has one: see {@link useAutoRefetch} for what it
   * makes exact.
   */
  queryClient?: QueryClientLike | undefined;
  /** The components that use the client. */
  children?: ReactNode;
}

/**
 * Gives the components below a client, and holds its connection open while mounted.
 *
 * ```tsx
 * const sse = createClient({ url: '/events' });
 * const queryClient = new QueryClient();
 *
 * <QueryClientProvider client={queryClient}>
 *   <SSEProvider client={sse} queryClient={queryClient} user={session?.userId ?? null}>
 *     <App />
 *   </SSEProvider>
 * </QueryClientProvider>
 * ```
 *
 * It connects in an effect, so not on a server; a StrictMode remount or a hot reload keeps the
 * stream (`closeDelay`). It does what {@link useSSEUpdates} does, which is for apps without a
 * provider: use one of the two.
 */
export function SSEProvider({ client, user, policy, queryClient, children }: SSEProviderProps): ReactNode {
  const { minIntervalMs, resyncJitterMs, hidden } = policy ?? {};
  const value = useMemo(
    () => ({ client, policy: { minIntervalMs, resyncJitterMs, hidden }, queryClient }),
    [client, minIntervalMs, resyncJitterMs, hidden, queryClient],
  );
  // Before the effects of the components below, which may open a connection, and before the browser
  // paints.
  useCommit(() => {
    if (user !== undefined) client.setUser(user);
  }, [client, user]);
  useEffect(() => {
    if (queryClient) fetchesOf(queryClient);
  }, [queryClient]);
  useConnection(client, 'SSEProvider');
  return <SSEContext.Provider value={value}>{children}</SSEContext.Provider>;
}
