// @vitest-environment jsdom
// useAutoRefetch around real TanStack Query and a real HTTP server, with and without the query
// client on the provider.
import { QueryClient, QueryClientProvider, useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { act, cleanup, render, screen, waitFor } from '@testing-library/react';
import { type ReactNode, StrictMode, Suspense, useEffect } from 'react';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AutoRefetchOptions, SSEProvider, useAutoRefetch } from '../../js/react/index.js';
import { HandClient } from './support/client.js';
import { CountingServer } from './support/http.js';

let server: CountingServer;
let sse: HandClient;
let queryClient: QueryClient;

beforeEach(async () => {
  server = await CountingServer.start();
  sse = new HandClient();
  queryClient = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY } } });
});

afterEach(async () => {
  cleanup();
  queryClient.clear();
  await server.stop();
});

const query = (key = 'projects') => ({
  queryKey: [key],
  queryFn: async (): Promise<{ version: number }> => (await fetch(server.url)).json(),
});

function Projects({ name = 'projects', options }: { name?: string; options?: AutoRefetchOptions }) {
  const { data } = useAutoRefetch(useQuery(query(name)), 'projects', options);
  return <p>{data ? `v${data.version}` : 'none'}</p>;
}

/** What changed on the server, and the news of it. */
function change(more = {}) {
  server.version += 1;
  sse.update('projects', more);
}

const shown = () => screen.queryAllByText(/v\d/).map((element) => element.textContent);

const policy = { minIntervalMs: 50, resyncJitterMs: 20 };

/** Longer than any needless refetch would wait; only to show the absence of one. */
const quiet = () => act(() => new Promise((done) => setTimeout(done, 150)));

describe.each([
  ['rendered', false],
  ['exact', true],
])('%s view', (_, exact) => {
  function App({ children }: { children: ReactNode }) {
    return (
      <StrictMode>
        <QueryClientProvider client={queryClient}>
          <SSEProvider client={sse} policy={policy} queryClient={exact ? queryClient : undefined}>
            {children}
          </SSEProvider>
        </QueryClientProvider>
      </StrictMode>
    );
  }

  test('three components on one query make one request for one update', async () => {
    render(
      <App>
        {[1, 2, 3].map((i) => (
          <Projects key={i} />
        ))}
      </App>,
    );
    await waitFor(() => expect(shown()).toEqual(['v1', 'v1', 'v1']));
    expect(server.requests).toBe(1);
    // From rest to rest: without the cache a view sees a fetch only as it is rendered, and what it
    // cannot distinguish costs a request.
    await quiet();
    server.hold();
    change();
    await waitFor(() => expect(server.requests).toBe(2));
    await quiet();
    server.release();
    await waitFor(() => expect(shown()).toEqual(['v2', 'v2', 'v2']));
    await quiet();
    expect(server.requests).toBe(2);
  });

  test('it returns the same query', async () => {
    let same = false;
    function Same() {
      const result = useQuery(query());
      same = useAutoRefetch(result, 'projects') === result;
      return null;
    }
    render(<Same />, { wrapper: App });
    expect(same).toBe(true);
  });

  test('an update during the first fetch is not lost', async () => {
    server.hold();
    render(<Projects />, { wrapper: App });
    await waitFor(() => expect(server.requests).toBe(1));
    change();
    await act(() => new Promise((done) => setTimeout(done, 50)));
    expect(server.requests).toBe(1);
    server.release();
    await waitFor(() => expect(shown()).toEqual(['v2']));
    expect(server.requests).toBe(2);
  });

  test('an update during a background fetch is not lost, whatever started it', async () => {
    render(
      <App>
        {[1, 2, 3].map((i) => (
          <Projects key={i} />
        ))}
      </App>,
    );
    await waitFor(() => expect(shown()).toEqual(['v1', 'v1', 'v1']));
    server.hold();
    void queryClient.refetchQueries({ queryKey: ['projects'] });
    await waitFor(() => expect(server.requests).toBe(2));
    change();
    await act(() => new Promise((done) => setTimeout(done, 50)));
    server.release();
    await waitFor(() => expect(shown()).toEqual(['v2', 'v2', 'v2']));
    await quiet();
    expect(server.requests).toBe(3);
  });

  test.each([
    ['at once', (fn: () => void) => fn()],
    ['in a microtask', (fn: () => void) => queueMicrotask(fn)],
    ['in the next turn', (fn: () => void) => setTimeout(fn, 0)],
  ])('a fetch in flight that no render has shown is not taken for the answer (update %s)', async (_when, later) => {
    render(
      <App>
        {[1, 2, 3].map((i) => (
          <Projects key={i} />
        ))}
      </App>,
    );
    await waitFor(() => expect(shown()).toEqual(['v1', 'v1', 'v1']));
    // The server answers what it has when the request comes: the first request must be older than
    // the change.
    server.hold();
    const turn = new Promise<void>((done) => {
      void queryClient.refetchQueries({ queryKey: ['projects'] });
      later(() => {
        sse.update('projects');
        done();
      });
    });
    await turn;
    await waitFor(() => expect(server.requests).toBe(2));
    server.version += 1;
    server.release();
    await waitFor(() => expect(shown()).toEqual(['v2', 'v2', 'v2']));
    await quiet();
    expect(server.requests).toBe(3);
  });

  test('a hidden tab makes no request, and one when it is shown', async () => {
    render(<Projects />, { wrapper: App });
    await waitFor(() => expect(shown()).toEqual(['v1']));
    let visibility: DocumentVisibilityState = 'hidden';
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => visibility });
    try {
      for (let i = 0; i < 5; i++) change();
      await quiet();
      expect(server.requests).toBe(1);
      visibility = 'visible';
      act(() => void document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
      await waitFor(() => expect(shown()).toEqual(['v6']));
      await quiet();
      expect(server.requests).toBe(2);
    } finally {
      Reflect.deleteProperty(document, 'visibilityState');
    }
  });

  test('the first open and a resync refetch', async () => {
    render(<Projects />, { wrapper: App });
    await waitFor(() => expect(shown()).toEqual(['v1']));
    server.version = 2;
    sse.resync('first');
    await waitFor(() => expect(shown()).toEqual(['v2']));
    server.version = 3;
    sse.resync('epoch');
    await waitFor(() => expect(shown()).toEqual(['v3']));
    sse.resync('rights', ['images']);
    await quiet();
    expect(server.requests).toBe(3);
  });

  test('own changes, filtered and disabled ones make no request; enabling catches up', async () => {
    const options: AutoRefetchOptions = { filter: (update) => update.data === 'yes' };
    const { rerender } = render(<Projects options={options} />, { wrapper: App });
    await waitFor(() => expect(shown()).toEqual(['v1']));
    change({ data: 'yes', origin: sse.origin });
    change({ data: 'no' });
    await quiet();
    expect(server.requests).toBe(1);
    rerender(<Projects options={{ enabled: false }} />);
    change({ data: 'yes' });
    await quiet();
    expect(server.requests).toBe(1);
    rerender(<Projects />);
    await waitFor(() => expect(shown()).toEqual(['v4']));
    expect(server.requests).toBe(2);
  });

  test('a change of key to data that is older than an update refetches it', async () => {
    const { rerender } = render(<Projects name="a" />, { wrapper: App });
    await waitFor(() => expect(shown()).toEqual(['v1']));
    rerender(<Projects name="b" />);
    await waitFor(() => expect(queryClient.getQueryData(['b'])).toEqual({ version: 1 }));
    change();
    await waitFor(() => expect(shown()).toEqual(['v2']));
    rerender(<Projects name="a" />);
    await waitFor(() => expect(queryClient.getQueryData(['a'])).toEqual({ version: 2 }));
    await quiet();
    expect(server.requests).toBe(4);
  });

  test('an update while Suspense waits for the first fetch is not lost', async () => {
    function Suspended() {
      const { data } = useAutoRefetch(useSuspenseQuery(query()), 'projects');
      return <p>v{data.version}</p>;
    }
    server.hold();
    render(<Suspense fallback="wait">{<Suspended />}</Suspense>, { wrapper: App });
    await waitFor(() => expect(server.requests).toBe(1));
    change();
    server.release();
    await waitFor(() => expect(shown()).toEqual(['v2']));
    await quiet();
    expect(server.requests).toBe(2);
  });

  test('a failed refetch stays in the query and is not repeated', async () => {
    render(<Projects />, { wrapper: App });
    await waitFor(() => expect(shown()).toEqual(['v1']));
    await server.stop();
    change();
    await waitFor(() => expect(queryClient.getQueryState(['projects'])?.status).toBe('error'));
    const failures = queryClient.getQueryState(['projects'])?.errorUpdateCount;
    await quiet();
    expect(queryClient.getQueryState(['projects'])?.errorUpdateCount).toBe(failures);
  });

  test('nothing is left behind after the unmount', async () => {
    const { unmount } = render(<Projects />, { wrapper: App });
    await waitFor(() => expect(shown()).toEqual(['v1']));
    expect(sse.held).toBe(1);
    unmount();
    expect(sse.held).toBe(0);
    expect(sse.listeners).toBe(0);
  });
});

test('an exact view renders no more often than the data changes', async () => {
  const counts = { exact: 0, rendered: 0 };
  function Counted({ name }: { name: 'exact' | 'rendered' }) {
    const { data } = useAutoRefetch(useQuery(query()), 'projects');
    useEffect(() => {
      counts[name] += 1;
    });
    return <p>v{data?.version}</p>;
  }
  render(
    <QueryClientProvider client={queryClient}>
      <SSEProvider client={sse} queryClient={queryClient}>
        <Counted name="exact" />
      </SSEProvider>
      <SSEProvider client={new HandClient()}>
        <Counted name="rendered" />
      </SSEProvider>
    </QueryClientProvider>,
  );
  await waitFor(() => expect(shown()).toEqual(['v1', 'v1']));
  const before = { ...counts };
  // Held back until the start is rendered: a quick answer would show start and end in one.
  server.hold();
  change();
  await waitFor(() => expect(counts.rendered - before.rendered).toBe(1));
  server.release();
  await waitFor(() => expect(shown()).toEqual(['v2', 'v2']));
  expect(counts.exact - before.exact).toBe(1);
  expect(counts.rendered - before.rendered).toBe(2);
});
