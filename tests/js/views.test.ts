// What the coordinator makes of views that know less, or report more, than those of TanStack Query.
import { expect, test, vi } from 'vitest';
import { Coordinator } from '../../js/refetch/coordinator.js';
import type { Outcome, Query, View } from '../../js/refetch/query.js';
import { VirtualWorld } from './support/world.js';

/** A coordinator with one component whose view and answers the test decides. */
function setUp(first: View, more: Partial<Query> = {}) {
  const world = new VirtualWorld();
  const coordinator = new Coordinator(world);
  const state: { view: View; outcome: Outcome } = { view: first, outcome: undefined };
  const fetch = vi.fn(async (): Promise<Outcome> => state.outcome);
  const query: Query = {
    types: ['projects'],
    fetch,
    view: () => state.view,
    accepts: () => true,
    own: false,
    resync: true,
    minIntervalMs: 250,
    resyncJitterMs: 2000,
    onlyVisible: true,
    ...more,
  };
  const handle = coordinator.add(query);
  const show = (view: View) => {
    state.view = view;
    handle.observe(view);
  };
  const update = () => coordinator.update('projects', {}, { own: false, spread: 0 });
  return { world, coordinator, query, state, fetch, show, update };
}

test('a query that is switched off keeps what is due, and is fetched once when it is switched on', async () => {
  const { world, fetch, show, update } = setUp({ enabled: false, fetching: false });
  update();
  await world.run(60_000);
  expect(fetch).toHaveBeenCalledTimes(0);
  show({ enabled: true, fetching: false });
  await world.run(60_000);
  expect(fetch).toHaveBeenCalledTimes(1);
  expect(world.timers).toBe(0);
});

test('if its library fetches when it is switched on, that is the answer', async () => {
  const { world, fetch, show, update } = setUp({ enabled: false, fetching: false });
  update();
  await world.run(1000);
  show({ enabled: true, fetching: false });
  await world.run(20);
  show({ enabled: true, fetching: true });
  await world.run(100);
  show({ enabled: true, fetching: false });
  await world.run(60_000);
  expect(fetch).toHaveBeenCalledTimes(0);
});

test('a fetch that reports a start before the notification is followed by another', async () => {
  const { world, state, fetch, update } = setUp({ fetching: false, startedAt: 900_000 });
  state.outcome = world.time - 1; // it joined one in flight
  update();
  await world.run(100);
  expect(fetch).toHaveBeenCalledTimes(1);
  state.outcome = world.time + 1;
  await world.run(60_000);
  expect(fetch).toHaveBeenCalledTimes(2);
});

test('a call that did nothing is repeated when the view changes, and not before', async () => {
  const { world, state, fetch, show, update } = setUp({ fetching: false });
  state.outcome = null;
  update();
  await world.run(60_000);
  expect(fetch).toHaveBeenCalledTimes(1);
  state.outcome = undefined;
  show({ fetching: false, data: {} });
  await world.run(60_000);
  expect(fetch).toHaveBeenCalledTimes(2);
});

test('other data of unknown age is taken for old once, and the result of a fetch is not', async () => {
  const [a, b] = [{}, {}];
  const { world, fetch, show, update } = setUp({ fetching: false, data: a });
  update();
  await world.run(10);
  show({ fetching: true, data: a });
  show({ fetching: false, data: b });
  await world.run(60_000);
  expect(fetch).toHaveBeenCalledTimes(1);
  show({ fetching: false, data: a });
  await world.run(60);
  show({ fetching: true, data: a });
  show({ fetching: false, data: a });
  await world.run(60_000);
  expect(fetch).toHaveBeenCalledTimes(2);
  show({ fetching: false, data: b });
  show({ fetching: false, data: a });
  await world.run(60_000);
  expect(fetch).toHaveBeenCalledTimes(2);
});

test('of components that may show one query one calls, and the others see whether its fetch is theirs', async () => {
  const group = {};
  const { world, coordinator, query, fetch, show, update } = setUp({ fetching: false, group });
  const mate = vi.fn(async () => undefined);
  const handle = coordinator.add({ ...query, fetch: mate });
  const stranger = vi.fn(async () => undefined);
  coordinator.add({ ...query, fetch: stranger });
  update();
  await world.run(6);
  show({ fetching: true, group });
  handle.observe({ fetching: true, group });
  await world.run(60_000);
  expect([fetch, mate, stranger].map(({ mock }) => mock.calls.length)).toEqual([1, 0, 1]);
});

test('a silent fetch of other code is joined, and followed by one of our own', async () => {
  const { world, state, fetch, update } = setUp({ fetching: false, silent: true });
  state.view = { fetching: true, silent: true }; // not rendered
  update();
  await world.run(100);
  expect(fetch).toHaveBeenCalledTimes(1);
  state.view = { fetching: false, silent: true };
  await world.run(60_000);
  expect(fetch).toHaveBeenCalledTimes(2);
});

test('after a clear nothing is due, and what was notified before counts no more', async () => {
  const { world, coordinator, query, fetch, update } = setUp({ fetching: false, updatedAt: 1 });
  update();
  coordinator.clear();
  await world.run(60_000);
  const later = vi.fn(async () => undefined);
  coordinator.add({ ...query, fetch: later });
  await world.run(60_000);
  expect(fetch).toHaveBeenCalledTimes(0);
  expect(later).toHaveBeenCalledTimes(0);
  expect(world.timers).toBe(0);
});
