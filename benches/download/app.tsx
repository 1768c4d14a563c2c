// What the app of the README has with and without tinysse: React, TanStack Query and tRPC.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { httpBatchLink } from '@trpc/client';
import { createTRPCReact } from '@trpc/react-query';
import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import type { AppRouter } from './router.js';

export const trpc = createTRPCReact<AppRouter>();
export const queryClient = new QueryClient();

const trpcClient = trpc.createClient({ links: [httpBatchLink({ url: '/trpc' })] });

export function List({ items = [] }: { items: string[] | undefined }) {
  return (
    <ul>
      {items.map((item) => (
        <li key={item}>{item}</li>
      ))}
    </ul>
  );
}

/** Renders the app into the page. */
export function mount(app: ReactNode): void {
  createRoot(document.getElementById('root') as HTMLElement).render(
    <StrictMode>
      <trpc.Provider client={trpcClient} queryClient={queryClient}>
        <QueryClientProvider client={queryClient}>{app}</QueryClientProvider>
      </trpc.Provider>
    </StrictMode>,
  );
}
