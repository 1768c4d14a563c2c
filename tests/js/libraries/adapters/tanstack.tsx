// The behaviour table's adapter for TanStack Query.
import {
  QueryClient,
  QueryClientProvider,
  skipToken,
  useInfiniteQuery,
  useQuery,
  useSuspenseQuery,
} from '@tanstack/react-query';
import { Suspense } from 'react';
import { useAutoRefetch } from '../../../../js/react/index.js';
import { type App, type Library, type Load, type RowProps, text } from '../library.js';

type Row = (load: Load) => App['Row'];

/** `wrapped`: as in apps that give their queries a `refetch` of their own, new at each render. */
const rows: Record<string, Row> = {
  'useQuery, enabled': (load) =>
    function Enabled({ name, on }: RowProps) {
      const query = useQuery({ queryKey: [name], queryFn: () => load(name), enabled: on });
      return <p>{text(useAutoRefetch(query, 'projects').data)}</p>;
    },
  'useQuery, skipToken': (load) =>
    function Token({ name, on }: RowProps) {
      const query = useQuery({ queryKey: [name], queryFn: on ? () => load(name) : skipToken });
      return <p>{text(useAutoRefetch(query, 'projects').data)}</p>;
    },
  'useQuery, refetch in a new closure': (load) =>
    function Wrapped({ name, on }: RowProps) {
      const query = useQuery({ queryKey: [name], queryFn: () => load(name), enabled: on });
      const wrapped = { ...query, refetch: () => query.refetch() };
      return <p>{text(useAutoRefetch(wrapped, 'projects').data)}</p>;
    },
  useInfiniteQuery: (load) =>
    function Infinite({ name, on }: RowProps) {
      const query = useInfiniteQuery({
        queryKey: [name],
        queryFn: () => load(name),
        initialPageParam: 0,
        getNextPageParam: () => undefined,
        enabled: on,
      });
      return <p>{text(useAutoRefetch(query, 'projects').data?.pages[0])}</p>;
    },
  useSuspenseQuery: (load) => {
    function Inner({ name }: { name: string }) {
      const query = useSuspenseQuery({ queryKey: [name], queryFn: () => load(name) });
      return <p>{text(useAutoRefetch(query, 'projects').data)}</p>;
    }
    // It cannot be disabled; apps leave it out instead.
    return ({ name, on }: RowProps) => (
      <Suspense fallback={<p>none</p>}>{on ? <Inner name={name} /> : <p>none</p>}</Suspense>
    );
  },
};

function tanstack(kind: string, row: Row, exact: boolean): Library {
  return {
    name: `TanStack Query 5, ${kind}${exact ? ', queryClient' : ''}`,
    // Suspense mounts the component after the fetch, whose start is known to the cache alone: it
    // may be older than the update.
    ...(kind === 'useSuspenseQuery' && !exact ? { costs: { 'first on': 2 } } : {}),
    app(load) {
      const queryClient = new QueryClient({
        defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY, retry: false } },
      });
      return {
        Provider: ({ children }) => <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>,
        Row: row(load),
        fetch: (name) => queryClient.refetchQueries({ queryKey: [name] }),
        ...(exact ? { queryClient } : {}),
        end: () => queryClient.clear(),
      };
    },
  };
}

export const libraries: Library[] = Object.entries(rows).flatMap(([kind, row]) =>
  [false, true].map((exact) => tanstack(kind, row, exact)),
);
