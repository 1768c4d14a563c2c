// The behaviour table's adapter for tRPC.
import { QueryClient, QueryClientProvider, skipToken, useQuery } from '@tanstack/react-query';
import { createTRPCClient, type TRPCLink } from '@trpc/client';
import { createTRPCReact } from '@trpc/react-query';
import { initTRPC } from '@trpc/server';
import { observable } from '@trpc/server/observable';
import { createTRPCContext } from '@trpc/tanstack-react-query';
import { useAutoRefetch } from '../../../../js/react/index.js';
import { type Library, type Load, text } from '../library.js';

const t = initTRPC.create();
const router = t.router({
  project: t.procedure.input((name: unknown) => String(name)).query(() => ({ version: 0 })),
});
type Router = typeof router;

/** Ends every link chain in `load`. */
const link = (load: Load): TRPCLink<Router> => {
  return () =>
    ({ op }) =>
      observable((observer) => {
        load(op.input as string).then(
          (data) => {
            observer.next({ result: { type: 'data', data } });
            observer.complete();
          },
          (error) => observer.error(error),
        );
      });
};

const trpc = createTRPCReact<Router>();
const { TRPCProvider, useTRPC } = createTRPCContext<Router>();

const client = () =>
  new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY, retry: false } } });

const classic = (exact: boolean): Library => ({
  name: `tRPC 11, @trpc/react-query${exact ? ', queryClient' : ''}`,
  app(load) {
    const queryClient = client();
    const api = trpc.createClient({ links: [link(load)] });
    return {
      Provider: ({ children }) => (
        <trpc.Provider client={api} queryClient={queryClient}>
          <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>
        </trpc.Provider>
      ),
      Row: ({ name, on }) => (
        <p>{text(useAutoRefetch(trpc.project.useQuery(name, { enabled: on }), 'projects').data)}</p>
      ),
      fetch: () => queryClient.refetchQueries(),
      ...(exact ? { queryClient } : {}),
      end: () => queryClient.clear(),
    };
  },
});

const options = (exact: boolean): Library => ({
  name: `tRPC 11, @trpc/tanstack-react-query, skipToken${exact ? ', queryClient' : ''}`,
  app(load) {
    const queryClient = client();
    const api = createTRPCClient<Router>({ links: [link(load)] });
    return {
      Provider: ({ children }) => (
        <QueryClientProvider client={queryClient}>
          <TRPCProvider trpcClient={api} queryClient={queryClient}>
            {children}
          </TRPCProvider>
        </QueryClientProvider>
      ),
      Row: ({ name, on }) => {
        const query = useQuery(useTRPC().project.queryOptions(on ? name : skipToken));
        return <p>{text(useAutoRefetch(query, 'projects').data)}</p>;
      },
      fetch: () => queryClient.refetchQueries(),
      ...(exact ? { queryClient } : {}),
      end: () => queryClient.clear(),
    };
  },
});

export const libraries: Library[] = [classic(false), classic(true), options(false), options(true)];
