// On a server: no window, no EventSource. Nothing connects, nothing throws, the state is `idle`.
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { renderToString } from 'react-dom/server';
import { createClient, type Snapshot } from 'tinysse';
import { SSEProvider, useAutoRefetch, useSSEEvent, useSSEStatus, useSSEUpdates } from 'tinysse/react';
import { expect, test } from 'vitest';

const sse = createClient({ url: '/events' });

test('there is no page here', () => {
  expect(typeof window).toBe('undefined');
  expect(typeof document).toBe('undefined');
  expect(typeof EventSource).toBe('undefined');
});

test('the hooks render `idle`', () => {
  let whole: Snapshot | undefined;
  function App() {
    whole = useSSEUpdates();
    useSSEEvent('projects', () => {});
    const status = useSSEStatus((snapshot) => snapshot.status);
    const query = useAutoRefetch(useQuery({ queryKey: ['p'], queryFn: () => 1 }), 'projects');
    return `${status} ${query.status}`;
  }
  const html = renderToString(
    <QueryClientProvider client={new QueryClient()}>
      <SSEProvider client={sse}>
        <App />
      </SSEProvider>
    </QueryClientProvider>,
  );
  expect(html).toBe('idle pending');
  expect(whole).toMatchObject({ status: 'idle', error: null, lastEventId: '' });
});

test('acquire does nothing, and the rest may be called', () => {
  const off = sse.subscribe('projects', () => {});
  const release = sse.acquire();
  expect(sse.getSnapshot().status).toBe('idle');
  sse.pause();
  sse.resume();
  sse.reconnect();
  release();
  off();
  expect(sse.origin).toMatch(/^[\w-]{22}$/);
  sse.close();
});

test('a hook without a client reports what is missing', () => {
  function Bare() {
    return useSSEUpdates().status;
  }
  expect(() => renderToString(<Bare />)).toThrow('SSEProvider');
});
