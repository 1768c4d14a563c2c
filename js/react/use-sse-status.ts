// The hook `useSSEStatus`, which returns the state of the connection.
'use client';
import { useCallback, useRef, useSyncExternalStore } from 'react';
import { idle } from '../client/snapshot.js';
import type { Snapshot } from '../model/snapshot.js';
import type { AnyClient } from '../refetch/refetcher.js';
import { useSSEContext } from './context.js';

/**
 * The state of the connection, or the part that `select` picks.
 *
 * ```tsx
 * const status = useSSEStatus((s) => s.status);
 * return <span data-status={status}>{status}</span>;
 * ```
 *
 * Renders again when the picked value is another one (`Object.is`); the counters are those of the
 * last render. Does not connect. A server, and the first render over its HTML, see `idle`.
 */
export function useSSEStatus(): Snapshot;
export function useSSEStatus<T>(select: (snapshot: Snapshot) => T, options?: { client?: AnyClient | undefined }): T;
export function useSSEStatus(
  select: (snapshot: Snapshot) => unknown = (snapshot) => snapshot,
  options: { client?: AnyClient | undefined } = {},
): unknown {
  const { client } = useSSEContext(options.client);
  // A selector that builds an object must give the same one for the same snapshot, or React would
  // render for ever.
  const last = useRef<{ snapshot: Snapshot; select: unknown; value: unknown }>(undefined);
  const pick = (snapshot: Snapshot) => {
    const known = last.current;
    if (known && known.snapshot === snapshot && known.select === select) return known.value;
    const value = select(snapshot);
    last.current = { snapshot, select, value };
    return value;
  };
  return useSyncExternalStore(
    useCallback((changed) => client.onStatus(changed), [client]),
    () => pick(client.getSnapshot()),
    () => pick(idle),
  );
}
