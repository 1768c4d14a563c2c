// The entry of the page: providers, and the connection of the user who is logged in.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { SSEProvider } from 'tinysse/react';
import { App } from './components/App';
import { sse } from './sse';
import { trpc, trpcClient } from './trpc';
import '../../../hub/admin/tokens.css';
import '../../../hub/admin/parts.css';
import '../../dashboard/src/styles/base.css';
import '../../dashboard/src/styles/controls.css';
import '../../dashboard/src/styles/layout.css';
import '../../dashboard/src/styles/lists.css';
import '../../dashboard/src/styles/progress.css';
import '../../dashboard/src/styles/wire.css';
import '../../dashboard/src/styles/log.css';
import './style.css';

// What is shown is fresh: the server reports every change.
const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });

/** One connection for the whole page, and none while no user is logged in. */
function Live({ children }: { children: ReactNode }) {
  const me = trpc.authentication.me.useQuery();
  return (
    <SSEProvider client={sse} queryClient={queryClient} user={me.data ?? null}>
      {children}
    </SSEProvider>
  );
}

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <trpc.Provider client={trpcClient} queryClient={queryClient}>
      <QueryClientProvider client={queryClient}>
        <Live>
          <App />
        </Live>
      </QueryClientProvider>
    </trpc.Provider>
  </StrictMode>,
);
