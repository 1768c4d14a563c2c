// @vitest-environment jsdom
// The hooks around queries of the app's own, and the provider around its client.
import { act, cleanup, render } from '@testing-library/react';
import { type ReactNode, StrictMode, useEffect, useReducer, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SSEProvider, useAutoRefetch, useSSEStatus, useSSEUpdates } from '../../js/react/index.js';
import { HandClient } from './support/client.js';

let sse: HandClient;

beforeEach(() => {
  vi.useFakeTimers();
  sse = new HandClient();
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

const App = ({ children }: { children: ReactNode }) => (
  <StrictMode>
    <SSEProvider client={sse}>{children}</SSEProvider>
  </StrictMode>
);

describe('a query of the app’s own, with a refetch of a new identity at each render', () => {
  let calls: unknown[][];
  let version: number;

  beforeEach(() => {
    calls = [];
    version = 1;
  });

  /** Fetches at mount, 20 ms each, and renders at every start and end. */
  function useOwn(parts: readonly string[]) {
    const [state, setState] = useState({ data: undefined as number | undefined, isFetching: false, dataUpdatedAt: 0 });
    const refetch = async (...given: unknown[]) => {
      calls.push(given);
      const data = version;
      setState((last) => ({ ...last, isFetching: true }));
      await new Promise((done) => setTimeout(done, 20));
      setState({ data, isFetching: false, dataUpdatedAt: Date.now() });
    };
    // biome-ignore lint/correctness/useExhaustiveDependencies: at mount alone.
    useEffect(() => void refetch(), []);
    const shown = Object.entries(state).filter(([name]) => parts.includes(name));
    return { data: state.data, refetch: (...given: unknown[]) => refetch(...given), ...Object.fromEntries(shown) };
  }

  let shown: number | undefined;
  function Own({ parts }: { parts: readonly string[] }) {
    const { data } = useAutoRefetch(useOwn(parts), 'projects');
    shown = data;
    return null;
  }

  test.each([
    ['isFetching and dataUpdatedAt', ['isFetching', 'dataUpdatedAt']],
    ['isFetching', ['isFetching']],
    ['nothing', []],
  ])('with %s: one request an update, none later, and nothing is lost', async (_, parts) => {
    render(<Own parts={parts} />, { wrapper: App });
    await pass(1000);
    calls = [];
    for (const expected of [1, 2, 3]) {
      version += 1;
      sse.update('projects');
      await pass(15_000);
      expect(calls).toHaveLength(expected);
      expect(shown).toBe(version);
    }
  });

  test('it is called without arguments', async () => {
    render(<Own parts={['isFetching', 'fetchStatus']} />, { wrapper: App });
    await pass(1000);
    calls = [];
    sse.update('projects');
    await pass(1000);
    expect(calls).toEqual([[]]);
  });

  test('one that renders all the time costs one request an update', async () => {
    function Restless() {
      const [, again] = useReducer((count: number) => count + 1, 0);
      useEffect(() => {
        const timer = setInterval(again, 10);
        return () => clearInterval(timer);
      }, []);
      return <Own parts={['isFetching']} />;
    }
    render(<Restless />, { wrapper: App });
    await pass(1000);
    calls = [];
    sse.update('projects');
    await pass(5000);
    expect(calls).toHaveLength(1);
  });

  test('one that reports that it is disabled is not called, and is when it is enabled', async () => {
    const refetch = vi.fn(async () => {});
    function Disabled({ isEnabled }: { isEnabled: boolean }) {
      useAutoRefetch({ refetch, isEnabled }, 'projects');
      return null;
    }
    const { rerender } = render(<Disabled isEnabled={false} />, { wrapper: App });
    sse.resync('first');
    sse.update('projects');
    await pass(5000);
    expect(refetch).toHaveBeenCalledTimes(0);
    rerender(<Disabled isEnabled={true} />);
    await pass(5000);
    expect(refetch).toHaveBeenCalledTimes(1);
  });

  test('a SWR-like result whose data is made anew at each render makes no storm', async () => {
    let requests = 0;
    function Mapped() {
      const [count, setCount] = useState(0);
      const mutate = async () => {
        requests += 1;
        await new Promise((done) => setTimeout(done, 20));
        setCount((last) => last + 1);
        return [count];
      };
      useAutoRefetch({ data: [count].map(String), isValidating: false, mutate }, 'projects');
      return null;
    }
    render(<Mapped />, { wrapper: App });
    sse.update('projects');
    await pass(15_000);
    expect(requests).toBe(1);
  });
});

describe('the provider', () => {
  const Connection = ({ client }: { client?: HandClient }) => <p>{useSSEUpdates(client).status}</p>;

  test('provider and useSSEUpdates on one client: the console warns once', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    render(
      <App>
        <Connection />
        <Connection />
      </App>,
    );
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]?.[0]).toContain('SSEProvider');
    expect(sse.held).toBe(3);
  });

  test('either of them alone, or both on two clients: no warning', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    render(
      <App>
        <Connection client={new HandClient()} />
        <Connection client={new HandClient()} />
      </App>,
    );
    expect(warn).not.toHaveBeenCalled();
  });

  test('in production: no warning', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    vi.stubEnv('NODE_ENV', 'production');
    render(
      <App>
        <Connection />
      </App>,
    );
    vi.unstubAllEnvs();
    expect(warn).not.toHaveBeenCalled();
  });

  test('useSSEUpdates holds the connection without a provider', () => {
    const { container, unmount } = render(<Connection client={sse} />);
    expect(container.textContent).toBe('idle');
    expect(sse.held).toBe(1);
    unmount();
    expect(sse.held).toBe(0);
  });

  test('the user is set before anything below opens a connection, and each change once', () => {
    const log: unknown[] = [];
    const setUser = sse.setUser.bind(sse);
    sse.setUser = (id) => {
      if (id !== sse.user) log.push(id);
      setUser(id);
    };
    const acquire = sse.acquire.bind(sse);
    sse.acquire = (until) => {
      log.push('acquire');
      return acquire(until);
    };
    function Below() {
      useEffect(() => sse.acquire(), []);
      return null;
    }
    const app = (user?: string | null) => (
      <SSEProvider client={sse} user={user}>
        <Below />
      </SSEProvider>
    );
    const { rerender } = render(app('ada'));
    expect(log).toEqual(['ada', 'acquire', 'acquire']);
    rerender(app('ada'));
    rerender(app(null));
    rerender(app('eve'));
    rerender(app(undefined));
    expect(log).toEqual(['ada', 'acquire', 'acquire', null, 'eve']);
    expect(sse.held).toBe(2);
  });

  test('without the prop the identity is left to the client', () => {
    render(<App>{null}</App>);
    expect(sse.user).toBeUndefined();
  });

  test('a change of user shows the connection of the former one in no frame', async () => {
    vi.useRealTimers();
    const Status = ({ user }: { user: string }) => `${user} ${useSSEStatus((snapshot) => snapshot.status)}`;
    sse.setUser = () => sse.show({ status: 'connecting' });
    const app = (user: string) => (
      <SSEProvider client={sse} user={user}>
        <Status user={user} />
      </SSEProvider>
    );
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', false);
    const element = document.createElement('div');
    const root = createRoot(element);
    // React works in immediates here; a browser paints between two of them at the earliest.
    const frames = async (user: string) => {
      root.render(app(user));
      const seen = new Set<string>();
      for (let i = 0; i < 20; i++) {
        await new Promise((done) => setImmediate(done));
        seen.add(element.textContent);
      }
      return [...seen];
    };
    await frames('ada');
    sse.show({ status: 'open' });
    await vi.waitFor(() => expect(element.textContent).toBe('ada open'));
    expect((await frames('eve')).filter((frame) => frame.startsWith('eve'))).toEqual(['eve connecting']);
    root.unmount();
  });
});

describe('what was notified', () => {
  let fetched: number;
  function Query() {
    const refetch = async () => {
      fetched += 1;
    };
    useAutoRefetch({ refetch, dataUpdatedAt: 1 }, 'projects');
    return null;
  }

  beforeEach(() => {
    fetched = 0;
  });

  test('to one user is forgotten with the user: what is due is not fetched, and what mounts later neither', async () => {
    const { rerender } = render(<Query />, { wrapper: App });
    await pass(1000);
    sse.setUser('ada');
    sse.update('projects');
    sse.setUser('eve');
    await pass(5000);
    expect(fetched).toBe(0);
    rerender(
      <>
        <Query />
        <Query />
      </>,
    );
    await pass(5000);
    expect(fetched).toBe(0);
    sse.update('projects');
    await pass(5000);
    expect(fetched).toBe(2);
  });

  test('in the next life of a closed client refetches what stayed mounted', async () => {
    const { unmount } = render(<Query />, { wrapper: App });
    await pass(1000);
    const before = sse.listeners;
    sse.close();
    expect(sse.listeners).toBe(0);
    await pass(0);
    // Another part of the page holds the connection from now on.
    const release = sse.acquire();
    expect(sse.listeners).toBe(before);
    sse.update('projects');
    await pass(5000);
    expect(fetched).toBe(1);
    release();
    unmount();
    expect(sse.listeners).toBe(0);
  });
});
