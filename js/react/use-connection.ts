// The hook that keeps the connection open while a component is mounted.
'use client';
import { useEffect } from 'react';
import { type AnyClient, refetcherOf } from '../refetch/refetcher.js';

/** Replaced by bundlers; a browser has none. */
declare const process: { readonly env: { readonly NODE_ENV?: string } };

/** What holds the connection of each client, for the warning. */
const holders = new WeakMap<AnyClient, string>();

/** Holds the connection while the component is mounted. */
export function useConnection(client: AnyClient, holder: 'SSEProvider' | 'useSSEUpdates'): void {
  useEffect(() => {
    // A new life of a closed client begins here, and its subscriptions with it.
    const release = client.acquire();
    const unhold = refetcherOf(client).hold();
    try {
      if (process.env.NODE_ENV !== 'production') warnOfBoth(client, holder);
    } catch {
      // Not bundled: a browser has no `process`.
    }
    return () => {
      unhold();
      release();
    };
  }, [client, holder]);
}

/** Once per client. */
function warnOfBoth(client: AnyClient, holder: string): void {
  const other = holders.get(client) ?? holder;
  holders.set(client, other === holder ? holder : 'both');
  if (other === holder || other === 'both') return;
  console.warn(
    'tinysse: <SSEProvider> and useSSEUpdates() both hold the connection of one client. The provider is enough: remove ' +
      'useSSEUpdates(), and read the state with useSSEStatus().',
  );
}
