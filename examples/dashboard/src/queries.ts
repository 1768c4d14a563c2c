// The query client and the queries of the page.
import { QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useAutoRefetch } from 'tinysse/react';
import { type ListName, list, progress } from './api';
import { explain, HttpError } from './http';
import { say } from './notice';
import { adopted, type Person, REMEMBERED, SESSION, signIn, signOut, useSession } from './session';
import { sse } from './sse';

/**
 * No polling, no refetch on focus, never stale by age: the server reports what changed. That is the point of the page.
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

/** From now on this person uses the page, or nobody. The provider changes the user of the stream; what is shown is fetched again. */
async function become(person: Person | null): Promise<void> {
  queryClient.setQueryData([SESSION], person);
  const predicate = ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey[0] !== SESSION;
  if (person) await queryClient.invalidateQueries({ predicate });
  else queryClient.removeQueries({ predicate });
}

/**
 * Signs a person in. Until the server answers, nobody is signed in: the stream of the former session ends before the server revokes
 * it, and the same person gets a new one too.
 */
export function useSignIn() {
  return useMutation({
    mutationFn: signIn,
    onMutate: () => {
      const former = queryClient.getQueryData<Person | null>([SESSION]);
      queryClient.setQueryData([SESSION], null);
      return former;
    },
    onSuccess: become,
    onError: (error, _, former) => {
      say(explain(error));
      queryClient.setQueryData([SESSION], former);
    },
  });
}

/** Signs out: here first, then at the server. */
export function useSignOut() {
  return useMutation({
    mutationFn: async () => {
      void become(null);
      await sse.forget();
      await signOut();
    },
  });
}

addEventListener('storage', ({ key }) => {
  if (key === REMEMBERED) void become(adopted());
});
