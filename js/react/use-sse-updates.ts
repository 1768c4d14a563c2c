// The hook `useSSEUpdates`, which opens the connection of an application.
'use client';
import type { Snapshot } from '../model/snapshot.js';
import type { AnyClient } from '../refetch/refetcher.js';
import { useSSEContext } from './context.js';
import { useConnection } from './use-connection.js';
import { useSSEStatus } from './use-sse-status.js';

/**
 * Keeps the connection open while the component is mounted, and returns its state.
 *
 * ```tsx
 * function App() {
 *   const { status, error } = useSSEUpdates(sse); // once per app
 *   return status === 'failed' ? <p>{error?.message}</p> : <Projects />;
 * }
 * ```
 *
 * For apps without {@link SSEProvider}, which holds the connection by itself; below it
 * {@link useSSEStatus} returns the state. Holders are counted, and the connection is one. Without
 * an argument it takes the client of the provider. In development the console warns once if both
 * hold it. A server renders `idle`.
 */
export function useSSEUpdates(client?: AnyClient): Snapshot {
  const { client: used } = useSSEContext(client);
  useConnection(used, 'useSSEUpdates');
  return useSSEStatus(whole, { client: used });
}

const whole = (snapshot: Snapshot) => snapshot;
