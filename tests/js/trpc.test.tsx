// @vitest-environment jsdom
// useAutoRefetch around real tRPC queries, both React integrations, against a real tRPC server.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { act, cleanup, render, screen, waitFor } from '@testing-library/react';
import { createTRPCClient, httpLink } from '@trpc/client';
import { createTRPCReact } from '@trpc/react-query';
import { initTRPC } from '@trpc/server';
import { createHTTPServer } from '@trpc/server/adapters/standalone';
import { createTRPCContext } from '@trpc/tanstack-react-query';
import { type ReactNode, StrictMode } from 'react';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SSEProvider, useAutoRefetch } from '../../js/react/index.js';
import { HandClient } from './support/client.js';

const t = initTRPC.create();
let version = 1;
let requests = 0;
const appRouter = t.router({
  projects: t.router({
    getAll: t.procedure.query(() => {
      requests += 1;
      return [`v${version}`];
    }),
  }),
});
type AppRouter = typeof appRouter;

const trpc = createTRPCReact<AppRouter>();
const { TRPCProvider, useTRPC } = createTRPCContext<AppRouter>();

let server: Server;
let sse: HandClient;
let queryClient: QueryClient;

beforeEach(async () => {
  version = 1;
  requests = 0;
  sse = new HandClient();
  queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  server = createHTTPServer({ router: appRouter });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});

afterEach(async () => {
  cleanup();
  queryClient.clear();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function Classic() {
  const projects = useAutoRefetch(trpc.projects.getAll.useQuery(), 'projects');
  return <p>{projects.data?.[0]}</p>;
}

function Options() {
  const projects = useAutoRefetch(useQuery(useTRPC().projects.getAll.queryOptions()), 'projects');
  return <p>{projects.data?.[0]}</p>;
}

function ClassicApp({ children }: { children: ReactNode }) {
  const client = trpc.createClient({ links: [httpLink({ url: url() })] });
  return (
    <trpc.Provider client={client} queryClient={queryClient}>
      {children}
    </trpc.Provider>
  );
}

function OptionsApp({ children }: { children: ReactNode }) {
  const client = createTRPCClient<AppRouter>({ links: [httpLink({ url: url() })] });
  return (
    <TRPCProvider trpcClient={client} queryClient={queryClient}>
      {children}
    </TRPCProvider>
  );
}

test.each([
  ['trpc.projects.getAll.useQuery(), rendered view', ClassicApp, Classic, false],
  ['trpc.projects.getAll.useQuery(), exact view', ClassicApp, Classic, true],
  ['useQuery(trpc.projects.getAll.queryOptions()), rendered view', OptionsApp, Options, false],
  ['useQuery(trpc.projects.getAll.queryOptions()), exact view', OptionsApp, Options, true],
])('%s', async (_, App, Projects, exact) => {
  render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <App>
          <SSEProvider client={sse} queryClient={exact ? queryClient : undefined}>
            <Projects />
            <Projects />
            <Projects />
          </SSEProvider>
        </App>
      </QueryClientProvider>
    </StrictMode>,
  );
  await waitFor(() => expect(screen.getAllByText('v1')).toHaveLength(3));
  const before = requests;
  version = 2;
  sse.update('projects');
  await waitFor(() => expect(screen.getAllByText('v2')).toHaveLength(3));
  await act(() => new Promise((done) => setTimeout(done, 350)));
  expect(requests).toBe(before + 1);
});
