// A counter of refetches, taken from the query cache.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

/** How often something shown was fetched again; the first fetch of each query is not counted. */
export function useRefetches(): number {
  const client = useQueryClient();
  const [count, setCount] = useState(0);
  useEffect(
    () =>
      client.getQueryCache().subscribe((event) => {
        if (event.type !== 'updated' || event.action.type !== 'fetch') return;
        if (event.query.state.dataUpdateCount > 0) setCount((n) => n + 1);
      }),
    [client],
  );
  return count;
}
