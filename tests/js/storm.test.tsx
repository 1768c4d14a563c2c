// @vitest-environment jsdom
// 100 updates a second over 150 ms fetches: real TanStack Query, virtual time.
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SSEProvider, useAutoRefetch } from '../../js/react/index.js';
import { HandClient } from './support/client.js';

beforeEach(() => void vi.useFakeTimers());

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

test.each([
  ['rendered', false],
  ['exact', true],
])('%s view: at most 5 requests a second, the screen keeps moving, and ends fresh', async (_, exact) => {
  let version = 0;
  let requests = 0;
  const queryFn = async () => {
    requests += 1;
    const answer = version;
    await new Promise((done) => setTimeout(done, 150));
    return answer;
  };
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  const sse = new HandClient();
  const seen = new Set<number>();
  function Version() {
    const { data } = useAutoRefetch(useQuery({ queryKey: ['v'], queryFn }), 'projects');
    if (data !== undefined) seen.add(data);
    return <p>v{data}</p>;
  }
  render(
    <QueryClientProvider client={queryClient}>
      <SSEProvider client={sse} queryClient={exact ? queryClient : undefined}>
        <Version />
        <Version />
        <Version />
      </SSEProvider>
    </QueryClientProvider>,
  );
  await pass(1000);
  expect(requests).toBe(1);
  const timersAtRest = vi.getTimerCount();

  const seconds = 5;
  for (let i = 0; i < seconds * 100; i++) {
    version += 1;
    sse.update('projects');
    await pass(10);
  }
  expect(requests - 1).toBeLessThanOrEqual(seconds * 5);
  expect(seen.size).toBeGreaterThanOrEqual(seconds * 3);

  await pass(2000);
  expect(screen.getAllByText('v500')).toHaveLength(3);
  expect(requests - 1).toBeLessThanOrEqual(seconds * 5);
  expect(vi.getTimerCount()).toBe(timersAtRest);
});
