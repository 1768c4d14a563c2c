'use client';
import { useEffect } from 'react';
import type { AnyClient } from '../coordinate.js';
import type { Snapshot } from '../types.js';
import { useSSEContext } from './context.js';
import { useSSEStatus } from './use-sse-status.js';

/**
 * Keeps the connection open while the component is mounted, and gives its state.
 *
 * ```tsx
 * function App() {
 *   const { status, error } = useSSEUpdates(sse); // without an argument: the client of the provider
 *   return status === 'failed' ? <p>{error?.message}</p> : <Projects />;
 * }
 * ```
 *
 * Any number of components may: the connection is one, and counted. A server renders `idle`.
 */
export function useSSEUpdates(client?: AnyClient): Snapshot {
  const { client: used } = useSSEContext(client);
  useEffect(() => used.acquire(), [used]);
  return useSSEStatus(whole, { client: used });
}

const whole = (snapshot: Snapshot) => snapshot;
