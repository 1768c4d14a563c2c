import { QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useAutoRefetch } from 'tinysse/react';
import { type ListName, list, progress } from './api';
import { explain, HttpError } from './http';
import { say } from './notice';
import { SESSION, signIn, useSession } from './session';
import { sse } from './sse';

/**
 * No polling, no refetch on focus, never stale by age: the server says what changed. That is the point of the page.
 */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: (failures, error) => failures < 2 && !(error instanceof HttpError && error.status < 500),
    },
    mutations: { onError: (error) => say(explain(error)) },
  },
});

export function useList<L extends ListName>(name: L) {
  const enabled = Boolean(useSession().data);
  return useAutoRefetch(useQuery({ queryKey: [name], queryFn: ({ signal }) => list(name, signal), enabled }), name);
}

export function useProgress() {
  const enabled = Boolean(useSession().data);
  return useAutoRefetch(
    useQuery({ queryKey: ['progress'], queryFn: ({ signal }) => progress(signal), enabled }),
    'progress',
  );
}

/**
 * A change made here. It stays pending until the list is fetched again, so a row can show `variables` meanwhile and never
 * jumps back. The update that comes back over the stream is our own and is skipped: one change, one request.
 */
export function useChange<V>(name: ListName, run: (variables: V) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: run, onSettled: () => client.invalidateQueries({ queryKey: [name] }) });
}

/** Another person in the same tab: what is shown is fetched again, and the stream is opened anew with that person's rights. */
export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: signIn,
    onSuccess: (person) => {
      client.setQueryData([SESSION], person);
      sse.reconnect();
      return client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== SESSION });
    },
  });
}
