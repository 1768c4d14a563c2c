'use client';
import { type ReactNode, useEffect, useMemo } from 'react';
import { type AnyClient, refetcherOf } from '../coordinate.js';
import { fetchesOf, type QueryClientLike } from '../fetches.js';
import { type RefetchPolicy, SSEContext } from './context.js';

/** What {@link SSEProvider} takes. */
export interface SSEProviderProps {
  /** Made once, outside of components. */
  client: AnyClient;
  policy?: RefetchPolicy | undefined;
  /** The TanStack `QueryClient` of the app, if it has one: see {@link useAutoRefetch} for what it makes exact. */
  queryClient?: QueryClientLike | undefined;
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
 *   <SSEProvider client={sse} queryClient={queryClient}>
 *     <App />
 *   </SSEProvider>
 * </QueryClientProvider>
 * ```
 *
 * It connects in an effect, so not on a server; a StrictMode remount or a hot reload keeps the stream (`linger`).
 */
export function SSEProvider({ client, policy, queryClient, children }: SSEProviderProps): ReactNode {
  const { minIntervalMs, resyncJitterMs, hidden } = policy ?? {};
  const value = useMemo(
    () => ({ client, policy: { minIntervalMs, resyncJitterMs, hidden }, queryClient }),
    [client, minIntervalMs, resyncJitterMs, hidden, queryClient],
  );
  useEffect(() => {
    if (queryClient) fetchesOf(queryClient);
    const unhold = refetcherOf(client).hold();
    const release = client.acquire();
    return () => {
      release();
      unhold();
    };
  }, [client, queryClient]);
  return <SSEContext.Provider value={value}>{children}</SSEContext.Provider>;
}
