// @vitest-environment jsdom
// The whole client: facade, real wasm, a real EventSource, a real HTTP server that speaks
// tinysse/1.
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { act, cleanup, render, screen, waitFor } from '@testing-library/react';
import { EventSource } from 'eventsource';
import { StrictMode, useEffect } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Client, type ClientOptions, createClient, type SseError, type Update } from '../../js/index.js';
import { SSEProvider, useAutoRefetch, useSSEEvent, useSSEStatus, useSSEUpdates } from '../../js/react/index.js';
import { CountingServer } from './support/http.js';
import { SseServer } from './support/sse-server.js';

let server: SseServer;
const clients: Client[] = [];

const connect = (more: Partial<ClientOptions> = {}) => {
  const client = createClient({ url: server.url, closeDelay: 30, ...more });
  clients.push(client);
  return client;
};

const pause = (ms: number) => act(() => new Promise((done) => setTimeout(done, ms)));
const until = (check: () => void) => waitFor(check, { timeout: 5000 });

beforeEach(async () => {
  vi.stubGlobal('EventSource', EventSource);
  server = await SseServer.start();
});

afterEach(async () => {
  cleanup();
  for (const client of clients.splice(0)) client.close();
  await server.stop();
});

describe('the client', () => {
  test('connects at the first acquire, delivers, and lets go after the last release', async () => {
    const client = connect();
    const updates: Update[] = [];
    client.subscribe('compute.*', (update) => updates.push(update));
    expect(client.getSnapshot().status).toBe('idle');
    const releases = [client.acquire(), client.acquire()];
    expect(client.getSnapshot().status).toBe('connecting');
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    server.update('compute.progress', { data: { percent: 7 }, origin: 'x', at: 5 });
    server.update('images');
    await until(() => expect(updates).toHaveLength(1));
    expect(updates[0]).toMatchObject({
      type: 'compute.progress',
      data: { percent: 7 },
      origin: 'x',
      at: 5,
      id: '4f9a2c.1',
      replayed: false,
    });
    for (const release of releases) release();
    await until(() => expect(client.getSnapshot().status).toBe('idle'));
    await until(() => expect(server.open).toBe(0));
    expect(server.opened).toBe(1);
  });

  test('the snapshot is frozen, and the same object while nothing happens', async () => {
    const client = connect();
    client.acquire();
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    const snapshot = client.getSnapshot();
    expect(Object.isFrozen(snapshot)).toBe(true);
    expect(client.getSnapshot()).toBe(snapshot);
    expect(snapshot).toMatchObject({ clientId: 'c1', error: null, retryAt: null, connects: 1, events: 0 });
    server.update('projects');
    await until(() => expect(client.getSnapshot().events).toBe(1));
    expect(client.getSnapshot()).not.toBe(snapshot);
    expect(client.getSnapshot()).toBe(client.getSnapshot());
  });

  test('goes on from its cursor after a release, and after a cut; nothing is lost or doubled', async () => {
    const client = connect();
    const ids: string[] = [];
    client.subscribe('*', (update) => ids.push(update.id));
    const release = client.acquire();
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    server.update('a');
    await until(() => expect(ids).toHaveLength(1));
    release();
    await until(() => expect(server.open).toBe(0));
    server.update('b');
    client.acquire();
    await until(() => expect(ids).toEqual(['4f9a2c.1', '4f9a2c.2']));
    server.cut();
    server.update('c');
    await until(() => expect(ids).toEqual(['4f9a2c.1', '4f9a2c.2', '4f9a2c.3']));
    expect(client.getSnapshot().duplicates).toBe(0);
  });

  test('shows the provider’s token, and asks for another when the stream is refused', async () => {
    const reasons: string[] = [];
    const client = connect({
      token: async ({ reason, signal }) => {
        expect(signal).toBeInstanceOf(AbortSignal);
        reasons.push(reason);
        return { token: `t${reasons.length}`, expires_in: 60 };
      },
    });
    server.refused.add('t1');
    client.acquire();
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    // `EventSource` hides the status of a refusal, so it is asked for once with `fetch`.
    expect(server.urls.map((url) => url.searchParams.get('token'))).toEqual(['t1', 't1', 't2']);
    expect(reasons).toEqual(['initial', 'rejected']);
  });

  test('a provider that answers 403 ends it with a typed error; reconnect tries again', async () => {
    let allowed = false;
    const client = connect({
      token: () => {
        if (allowed) return 'good';
        throw Object.assign(new Error('not you'), { status: 403 });
      },
    });
    const errors: SseError[] = [];
    client.onError((error) => errors.push(error));
    client.acquire();
    await until(() => expect(client.getSnapshot().status).toBe('failed'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ name: 'SseError', code: 'unauthorized', status: 403, retryable: false });
    expect(errors[0]).toBe(client.getSnapshot().error);
    allowed = true;
    client.reconnect();
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    expect(client.getSnapshot().error).toBeNull();
  });

  test('a wrong option is a typed error that names it, and is reported', async () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.stubGlobal('reportError', undefined);
    const client = connect({ silnce: 5 } as Partial<ClientOptions>);
    client.acquire();
    await until(() => expect(client.getSnapshot().status).toBe('failed'));
    expect(client.getSnapshot().error).toMatchObject({ code: 'options', message: expect.stringContaining('silnce') });
    expect(reported).toHaveBeenCalledOnce();
  });

  test('pause and resume, before and after the wasm is there', async () => {
    const client = connect();
    client.pause();
    client.acquire();
    await until(() => expect(client.getSnapshot().status).toBe('paused'));
    await pause(50);
    expect(server.urls).toHaveLength(0);
    client.resume();
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    client.pause();
    await until(() => expect(server.open).toBe(0));
  });

  test('after close, also by a listener, nothing is called and nothing is open', async () => {
    const client = connect();
    const calls: string[] = [];
    client.subscribe('*', (update) => {
      calls.push(update.type);
      client.close();
    });
    client.onStatus((snapshot) => calls.push(snapshot.status));
    client.acquire();
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    server.update('last');
    server.update('never');
    await until(() => expect(server.open).toBe(0));
    await pause(50);
    expect(calls).toEqual(['connecting', 'open', 'last']);
    expect(client.getSnapshot().status).toBe('idle');
  });

  test('a listener that throws is reported and disturbs no other listener', async () => {
    const reported: unknown[] = [];
    vi.stubGlobal('reportError', (thrown: unknown) => reported.push(thrown));
    const client = connect();
    const heard: string[] = [];
    client.subscribe('a', () => {
      throw new Error('mine');
    });
    client.subscribe('a', (update) => heard.push(update.id));
    client.acquire();
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    server.update('a');
    server.update('a');
    await until(() => expect(heard).toHaveLength(2));
    expect(reported).toEqual([new Error('mine'), new Error('mine')]);
  });
});

describe('in React', () => {
  function Row() {
    const status = useSSEStatus((snapshot) => snapshot.status);
    useSSEUpdates();
    return <p>{status}</p>;
  }

  test('StrictMode with many components opens one connection, and leaves none', async () => {
    const client = connect();
    const { unmount } = render(
      <StrictMode>
        <SSEProvider client={client}>
          <Row />
          <Row />
          <Row />
        </SSEProvider>
      </StrictMode>,
    );
    await until(() => expect(screen.getAllByText('open')).toHaveLength(3));
    await pause(100);
    expect(server.opened).toBe(1);
    expect(server.open).toBe(1);
    unmount();
    await until(() => expect(server.open).toBe(0));
    await pause(100);
    expect(server.opened).toBe(1);
  });

  test('a component that closes its client in a cleanup connects again under StrictMode, and leaves nothing', async () => {
    const client = connect();
    const heard: string[] = [];
    function App() {
      useEffect(() => () => client.close(), []);
      useSSEEvent('a', (update) => heard.push(update.id));
      return <Row />;
    }
    const { unmount } = render(
      <StrictMode>
        <SSEProvider client={client}>
          <App />
        </SSEProvider>
      </StrictMode>,
    );
    await until(() => expect(screen.getAllByText('open')).toHaveLength(1));
    server.update('a');
    await until(() => expect(heard).toEqual(['4f9a2c.1']));
    expect(server.open).toBe(1);
    unmount();
    await until(() => expect(server.open).toBe(0));
    expect(client.getSnapshot().status).toBe('idle');
  });

  test('a remount within the close delay keeps the stream', async () => {
    const client = connect({ closeDelay: 500 });
    const app = (
      <SSEProvider client={client}>
        <Row />
      </SSEProvider>
    );
    const first = render(app);
    await until(() => expect(screen.getByText('open')).toBeDefined());
    first.unmount();
    await pause(50);
    render(app);
    await pause(600);
    expect(screen.getByText('open')).toBeDefined();
    expect(server.opened).toBe(1);
  });

  test('useSSEEvent calls the handler of the last render', async () => {
    const client = connect();
    const heard: string[] = [];
    function Listener({ name }: { name: string }) {
      useSSEEvent('a', (update) => heard.push(`${name} ${update.id}`));
      return null;
    }
    const app = (name: string) => (
      <SSEProvider client={client}>
        <Listener name={name} />
      </SSEProvider>
    );
    const { rerender } = render(app('one'));
    await until(() => expect(client.getSnapshot().status).toBe('open'));
    server.update('a');
    await until(() => expect(heard).toEqual(['one 4f9a2c.1']));
    rerender(app('two'));
    server.update('a');
    await until(() => expect(heard).toEqual(['one 4f9a2c.1', 'two 4f9a2c.2']));
  });

  test.each([
    ['tinysse', false],
    ['plain server-sent events', true],
  ])('an update refetches a query, over %s, once for three components', async (_, plain) => {
    server.plain = plain;
    const api = await CountingServer.start();
    const client = connect();
    const queryClient = new QueryClient();
    function Projects() {
      const queryFn = async () => {
        // Without the query cache, a fetch that is over before it is rendered cannot be
        // distinguished from none, and costs a request.
        await pause(50);
        return (await fetch(api.url)).json();
      };
      const query = useQuery({ queryKey: ['projects'], queryFn });
      const { data } = useAutoRefetch(query, 'projects');
      return <p>v{data?.version}</p>;
    }
    render(
      <StrictMode>
        <QueryClientProvider client={queryClient}>
          <SSEProvider client={client}>
            <Projects />
            <Projects />
            <Projects />
          </SSEProvider>
        </QueryClientProvider>
      </StrictMode>,
    );
    try {
      await until(() => expect(client.getSnapshot().status).toBe('open'));
      // The first open refetches: what was fetched before it may be stale.
      await until(() => expect(screen.getAllByText('v1')).toHaveLength(3));
      await pause(400);
      const before = api.requests;
      expect(before).toBeLessThanOrEqual(2);
      api.version = 2;
      server.update('projects');
      await until(() => expect(screen.getAllByText('v2')).toHaveLength(3));
      await pause(400);
      expect(api.requests).toBe(before + 1);
    } finally {
      cleanup();
      queryClient.clear();
      await api.stop();
    }
  });
});
