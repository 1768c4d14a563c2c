import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { SSEProvider } from 'tinysse/react';
import { App } from './components/App';
import { queryClient } from './queries';
import { sse } from './sse';
import '../../look/tokens.css';
import '../../look/parts.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/layout.css';
import './styles/lists.css';
import './styles/progress.css';
import './styles/wire.css';
import './styles/log.css';
import './styles/motion.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <SSEProvider client={sse} queryClient={queryClient}>
        <App />
      </SSEProvider>
    </QueryClientProvider>
  </StrictMode>,
);
