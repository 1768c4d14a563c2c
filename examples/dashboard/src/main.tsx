// The entry of the page: providers, and the connection of the signed-in user.
import { QueryClientProvider } from '@tanstack/react-query';
import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { SSEProvider } from 'tinysse/react';
import { App } from './components/App';
import { queryClient } from './queries';
import { useSession } from './session';
import { sse } from './sse';
import '../../../hub/admin/tokens.css';
import '../../../hub/admin/parts.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/layout.css';
import './styles/lists.css';
import './styles/progress.css';
import './styles/wire.css';
import './styles/log.css';
import './styles/motion.css';

/** The connection of the signed-in user. Nobody is signed in, or it is not known yet: no connection. */
function Live({ children }: { children: ReactNode }) {
  const user = useSession().data?.user ?? null;
  return (
    <SSEProvider client={sse} queryClient={queryClient} user={user}>
      {children}
    </SSEProvider>
  );
}

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <Live>
        <App />
      </Live>
    </QueryClientProvider>
  </StrictMode>,
);
