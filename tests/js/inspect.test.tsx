// @vitest-environment jsdom
// `snapshot()`: what is counted where, put together.
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { act, cleanup, render } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { updates } from '../../js/client/iterate.js';
import { createClient } from '../../js/index.js';
import { latency } from '../../js/plugins/stats.js';
import { SSEProvider, useAutoRefetch } from '../../js/react/index.js';
import { Coordinator } from '../../js/refetch/coordinator.js';
import { HandClient } from './support/client.js';
import { Double, doubles } from './support/double.js';
import { VirtualWorld } from './support/world.js';

vi.mock('../../js/loader/wasm.js', () => ({ loadWasm: async () => doubles }));

const open = async () => {
  const client = createClient({ url: '/events' });
  client.acquire();
  await vi.waitFor(() => expect(Double.made).toHaveLength(1));
  return { client, wasm: Double.last };
};

beforeEach(() => {
  vi.stubGlobal('EventSource', class {});
  Double.made = [];
});

afterEach(cleanup);

describe('the detail', () => {
  test('is all zeros before the wasm is there, and a new object each time', async () => {
    const client = createClient({ url: '/events' });
    const one = await client.stats();
    expect(one).toMatchObject({
      status: 'idle',
      role: 'alone',
      connects: { initial: 0, retry: 0, glitch: 0, token: 0, rotate: 0, wake: 0, manual: 0, handover: 0, probe: 0 },
      gaps: { first: 0, epoch: 0, trimmed: 0, unknown: 0, overflow: 0, rights: 0 },
      bytes: 0,
      dropped: 0,
      refetches: 0,
      refetchesSaved: 0,
      latency: { count: 0, buckets: [], p50: 0, p95: 0, p99: 0 },
      transitions: [],
    });
    expect(await client.stats()).toEqual(one);
    expect(await client.stats()).not.toBe(one);
  });

  test('is what the wasm counts, with what others dropped added, and redacted once more', async () => {
    const { client, wasm } = await open();
    const counted = { bytes: 1234, duplicates: 2, coalesced: 4 };
    wasm.raw = { ...wasm.raw, ...counted, status: 'open', connects: 3, events: 7, role: 'leader' };
    wasm.detail = {
      connects: [1, 0, 2, 0, 0, 0, 0, 3, 4],
      gaps: [0, 1, 0, 0, 0, 0, 4],
      transitions: ['Idle -> Connecting: start', 'GET /events?token=abc'],
    };
    const iterator = updates(client, 'a', { limit: 1 });
    const first = iterator.next();
    wasm.update({ id: '1' });
    wasm.update({ id: '2' });
    wasm.update({ id: '3' });
    await first;
    expect(await client.stats()).toMatchObject({
      status: 'open',
      role: 'leader',
      connects: { initial: 1, manual: 0, glitch: 2, handover: 3, probe: 4 },
      gaps: { first: 1, epoch: 0, rights: 4 },
      bytes: 1234,
      events: 7,
      duplicates: 2,
      coalesced: 4,
      dropped: 1,
      transitions: ['Idle -> Connecting: start', 'GET /events?[redacted]'],
    });
  });
});

describe('latency', () => {
  test('from the server’s `at` to the listener, by powers of two; a clock that is behind counts as 0, a replay does not count', async () => {
    vi.spyOn(Date, 'now').mockReturnValue(1_000_000);
    const { client, wasm } = await open();
    client.subscribe('a', () => {});
    for (const late of [0, -5, 1, 2, 3, 4, 7, 8, 1000]) wasm.update({ at: 1_000_000 - late });
    wasm.update({ at: 1, replayed: true });
    wasm.update();
    const { latency: seen } = await client.stats();
    expect(seen.count).toBe(9);
    expect(seen.buckets).toEqual([2, 1, 2, 2, 1, 0, 0, 0, 0, 0, 1]);
  });

  test('nonsense of a server breaks nothing', async () => {
    const { client, wasm } = await open();
    const heard: unknown[] = [];
    client.subscribe('a', ({ at }) => heard.push(at));
    for (const at of ['x', -1e300, Number.POSITIVE_INFINITY, {}]) wasm.update({ at: at as number });
    expect(heard).toHaveLength(4);
    const { latency: seen } = await client.stats();
    expect(seen.buckets.length).toBeLessThan(1100);
    expect(Number.isFinite(seen.p99)).toBe(true);
  });

  test.each([
    [1, 100],
    [7, 3],
    [2000, 40],
  ])('quantiles of 1 to 10,000 samples around %i ms are right within a factor of two', (middle, spread) => {
    const samples = Array.from({ length: 10_000 }, (_, i) => Math.floor(middle + (i * spread) / 10_000));
    const late: number[] = [];
    for (const ms of samples) {
      const bucket = Math.ceil(Math.log2(ms + 1));
      late[bucket] = (late[bucket] ?? 0) + 1;
    }
    const seen = latency(late);
    expect(seen.count).toBe(10_000);
    for (const [q, estimate] of [
      [0.5, seen.p50],
      [0.95, seen.p95],
      [0.99, seen.p99],
    ] as const) {
      const exact = samples[Math.ceil(q * samples.length) - 1] ?? 0;
      expect(estimate).toBeGreaterThanOrEqual(exact / 2);
      expect(estimate).toBeLessThanOrEqual(exact * 2 + 1);
    }
    expect(seen.p50).toBeLessThanOrEqual(seen.p95);
    expect(seen.p95).toBeLessThanOrEqual(seen.p99);
  });

  test('one sample is its own every quantile, within its bucket', () => {
    const { p50, p99 } = latency([0, 0, 0, 0, 1]);
    expect(p50).toBeGreaterThanOrEqual(8);
    expect(p99).toBeLessThanOrEqual(16);
  });
});

describe('refetches saved', () => {
  test('a storm: each notification either costs a refetch or is counted as saved', async () => {
    const world = new VirtualWorld();
    const tally = { refetches: 0, saved: 0 };
    const coordinator = new Coordinator(world, tally);
    let calls = 0;
    coordinator.add({
      types: ['a'],
      fetch: () => {
        calls += 1;
        return new Promise((done) => world.setTimeout(() => done(undefined), 150));
      },
      view: () => ({ fetching: false }),
      accepts: () => true,
      own: false,
      resync: true,
      minIntervalMs: 250,
      resyncJitterMs: 0,
      onlyVisible: false,
    });
    for (let i = 0; i < 100; i++) {
      coordinator.update('a', {}, { own: false, spread: 0 });
      await world.run(10);
    }
    await world.run(5000);
    expect(tally.refetches).toBe(calls);
    expect(calls).toBeLessThanOrEqual(6);
    expect(tally.saved).toBe(100 - calls);
  });

  test('three components on one query: two of three refetches are saved, and what does not concern them counts for nothing', async () => {
    const client = new HandClient();
    const queryClient = new QueryClient();
    let requests = 0;
    const queryFn = async () => {
      requests += 1;
      return requests;
    };
    function Row() {
      useAutoRefetch(useQuery({ queryKey: ['q'], queryFn, staleTime: Number.POSITIVE_INFINITY }), 'a');
      return null;
    }
    render(
      <QueryClientProvider client={queryClient}>
        <SSEProvider client={client} queryClient={queryClient}>
          <Row />
          <Row />
          <Row />
        </SSEProvider>
      </QueryClientProvider>,
    );
    await vi.waitFor(() => expect(requests).toBe(1));
    await act(async () => {
      client.update('b');
      client.update('a');
    });
    await vi.waitFor(() => expect(requests).toBe(2));
    await vi.waitFor(async () => expect(await client.stats()).toMatchObject({ refetches: 1, refetchesSaved: 2 }));
    queryClient.clear();
  });
});
