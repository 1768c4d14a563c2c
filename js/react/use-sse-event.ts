// The hook `useSSEEvent`, which calls a function for each update.
'use client';
import { useEffect } from 'react';
import { patterns } from '../model/patterns.js';
import type { MatchingTypes, Pattern, Update } from '../model/update.js';
import type { AnyClient } from '../refetch/refetcher.js';
import { useSSEContext } from './context.js';
import { useLatest } from './use-latest.js';

/**
 * Calls `fn` for each update of the types while the component is mounted.
 *
 * ```tsx
 * useSSEEvent('compute.progress', (update) => setPercent(update.data.percent));
 * ```
 *
 * The `fn` of the last render is called, and a new one does not subscribe again. Does not connect.
 * On a plain server (no tinysse hub) the native `EventSource` delivers only events whose names were
 * asked for: `'*'` and `'prefix.*'` receive nothing there.
 */
export function useSSEEvent<const P extends Pattern>(
  types: P | readonly P[],
  fn: (update: Update<MatchingTypes<P>>) => void,
  options: { client?: AnyClient | undefined } = {},
): void {
  const { client } = useSSEContext(options.client);
  const latest = useLatest(fn);
  const key = JSON.stringify(patterns(types));
  useEffect(
    () => client.subscribe(JSON.parse(key), (update) => latest.current(update as Update<MatchingTypes<P>>)),
    [client, key, latest],
  );
}
