// Tests of the refetch rule in virtual time.
import { describe, expect, test, vi } from 'vitest';
import { setUp } from './support/coordinator.js';

describe.each([
  ['an exact view', true],
  ['a rendered view', false],
])('with %s', (_, exact) => {
  test('an update makes one request, however many components', async () => {
    const { world, query, update } = setUp({ exact }, 3);
    update();
    await world.run(10_000);
    expect(query.starts).toHaveLength(1);
    expect(world.timers).toBe(0);
  });

  test('updates in one turn make one request', async () => {
    const { world, query, update } = setUp({ exact });
    update();
    update();
    await world.run(10_000);
    expect(query.starts).toHaveLength(1);
  });

  test('another type makes none', async () => {
    const { world, query, update } = setUp({ exact });
    update('images');
    await world.run(10_000);
    expect(query.starts).toHaveLength(0);
  });

  test('an update during the first fetch is answered by a second', async () => {
    const { world, query, update } = setUp({ exact });
    query.fetch(false);
    await world.run(50);
    update();
    await world.run(10_000);
    expect(query.starts.map((start) => start.ours)).toEqual([false, true]);
  });

  test('a fetch that starts in the same turn, before the update, is not taken for the answer', async () => {
    const { world, query, update } = setUp({ exact }, 3);
    query.fetch(false);
    update();
    await world.run(10_000);
    expect(query.starts).toHaveLength(2);
    expect(query.starts[1]?.at).toBeGreaterThanOrEqual(world.time - 10_000 + 150);
  });

  test('components that see the end of a slow fetch one after the other still share the next', async () => {
    const { world, query, update } = setUp({ exact }, 3);
    query.duration = () => 600;
    query.fetch(false);
    await world.run(50);
    update();
    await world.run(10_000);
    expect(query.starts).toHaveLength(2);
  });

  test('components whose one render takes milliseconds share the next fetch, however short that is', async () => {
    const { world, query, coordinator, update } = setUp({ exact }, 0);
    const handles = [1, 2, 3].map(() => coordinator.add(query.asQuery({ exact })));
    const observe = () => {
      for (const handle of handles) {
        handle.observe(query.view(exact));
        world.time += 2;
      }
    };
    query.onChange(exact ? observe : () => world.setTimeout(observe, 1));
    query.duration = () => (query.starts.length === 1 ? 600 : 0.5);
    query.fetch(false);
    await world.run(50);
    update();
    await world.run(10_000);
    expect(query.starts).toHaveLength(2);
    expect(world.timers).toBe(0);
  });

  test('a fetch that others start after the update is the answer', async () => {
    const { world, query, update } = setUp({ exact, minIntervalMs: 1000 });
    update();
    await world.run(200);
    update();
    await world.run(200);
    query.fetch(false);
    await world.run(10_000);
    expect(query.starts.map((start) => start.ours)).toEqual([true, false]);
  });

  test('updates during our own fetch are answered by one more', async () => {
    const { world, query, update } = setUp({ exact });
    query.duration = () => 400;
    update();
    await world.run(100);
    for (let i = 0; i < 5; i++) update();
    await world.run(10_000);
    expect(query.starts).toHaveLength(2);
    expect(query.joins).toBe(0);
  });

  test('a storm is answered four times a second, and once after its end', async () => {
    const { world, query, update } = setUp({ exact }, 3);
    for (let i = 0; i < 500; i++) {
      update();
      await world.run(10);
    }
    const during = query.starts.length;
    const end = world.time;
    await world.run(10_000);
    expect(during).toBeGreaterThanOrEqual(19);
    expect(during).toBeLessThanOrEqual(21);
    expect(query.starts.at(-1)?.at).toBeGreaterThan(end - 10);
    expect(query.starts.length).toBeLessThanOrEqual(during + 1);
  });

  test('a faster storm starves no query', async () => {
    const { world, query, update } = setUp({ exact });
    for (let i = 0; i < 1000; i++) {
      update();
      await world.run(2);
    }
    expect(query.starts.length).toBeGreaterThanOrEqual(7);
    expect(query.starts.length).toBeLessThanOrEqual(9);
  });

  test('a fetch between two updates in one moment answers the first alone', async () => {
    const { world, query, update } = setUp({ exact });
    update();
    await world.run(3);
    query.fetch(false);
    await world.run(1);
    update();
    await world.run(10_000);
    expect(query.starts.map((start) => start.ours)).toEqual([false, true]);
  });

  test('a failing refetch neither loops nor swallows the update that came meanwhile', async () => {
    const { world, query, update } = setUp({ exact });
    query.failing = () => true;
    update();
    await world.run(50);
    update();
    await world.run(10_000);
    expect(query.starts).toHaveLength(2);
    expect(world.timers).toBe(0);
  });

  test('a hidden tab makes no request, and one when it is shown', async () => {
    const { world, query, coordinator, update } = setUp({ exact }, 3);
    world.visible = false;
    for (let i = 0; i < 20; i++) {
      update();
      await world.run(100);
    }
    expect(query.starts).toHaveLength(0);
    world.visible = true;
    coordinator.shown();
    await world.run(10_000);
    expect(query.starts).toHaveLength(1);
  });

  test('if others refetch when the tab is shown, that is the one, even for a query that joins nothing', async () => {
    const { world, query, coordinator, update } = setUp({ exact, fetch: () => query.fetch(true, true) });
    world.visible = false;
    update();
    await world.run(1000);
    world.visible = true;
    coordinator.shown();
    query.fetch(false, true);
    await world.run(10_000);
    expect(query.starts).toHaveLength(1);
  });

  test('a resync is answered within the jitter, the first open at once', async () => {
    const { world, query, coordinator } = setUp({ exact });
    world.draws = [0.25];
    coordinator.resync(null, 'first');
    await world.run(6);
    expect(query.starts).toHaveLength(1);
    await world.run(1000);
    coordinator.resync(['images'], 'trimmed');
    const before = world.time;
    coordinator.resync(['proj.*', 'projects'], 'epoch');
    await world.run(10_000);
    expect(query.starts.map((start) => start.at)).toEqual([expect.any(Number), before + 500]);
  });
});

test('an update is answered after a random part of its spread, and later draws do not hurry it', async () => {
  const { world, query, update } = setUp();
  world.draws = [0.5, 0.1];
  const before = world.time;
  update('projects', { spread: 2000 });
  update('projects', { spread: 2000 });
  await world.run(10_000);
  expect(query.starts.map((start) => start.at)).toEqual([before + 1000]);
});

test('an update without a spread does not wait for one with it', async () => {
  const { world, query, update } = setUp();
  const before = world.time;
  update('projects', { spread: 2000 });
  update();
  await world.run(10_000);
  expect(query.starts.map((start) => start.at)).toEqual([before + 5]);
});

test('own changes are skipped unless asked for', async () => {
  const { world, query, update } = setUp();
  update('projects', { own: true });
  await world.run(1000);
  expect(query.starts).toHaveLength(0);
  const asked = setUp({ own: true });
  asked.update('projects', { own: true });
  await asked.world.run(1000);
  expect(asked.query.starts).toHaveLength(1);
});

test('a filter decides; one that throws is reported and does not cost the update', async () => {
  const reported = vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.stubGlobal('reportError', undefined);
  const no = setUp({ accepts: () => false });
  no.update();
  await no.world.run(1000);
  expect(no.query.starts).toHaveLength(0);
  const broken = setUp({
    accepts: () => {
      throw new Error('filter');
    },
  });
  broken.update();
  await broken.world.run(1000);
  expect(broken.query.starts).toHaveLength(1);
  expect(reported).toHaveBeenCalledOnce();
});

test('a fetch that throws is reported and not repeated', async () => {
  const reported = vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.stubGlobal('reportError', undefined);
  const fetch = vi.fn(() => {
    throw new Error('fetch');
  });
  const { world, update } = setUp({ exact: false, fetch });
  update();
  await world.run(10_000);
  expect(fetch).toHaveBeenCalledOnce();
  expect(reported).toHaveBeenCalledOnce();
});

test('a component that is gone fetches no more, and leaves no timer', async () => {
  const { world, query, handles, update } = setUp({}, 2);
  update('projects', { spread: 1000 });
  for (const handle of handles) handle.remove();
  await world.run(10_000);
  expect(query.starts).toHaveLength(0);
  expect(world.timers).toBe(0);
});

test('a view that stays busy for ever does not silence the query', async () => {
  const { world, query, coordinator } = setUp({}, 0);
  const busy = query.asQuery({ exact: false, view: () => ({ fetching: true }) });
  coordinator.add(busy);
  coordinator.update('projects', {}, { own: false, spread: 0 });
  await world.run(29_000);
  expect(query.starts).toHaveLength(0);
  await world.run(5_000);
  // The first may have joined what was stuck, so there is a second, and no third.
  expect(query.starts).toHaveLength(2);
  await world.run(120_000);
  expect(query.starts).toHaveLength(2);
});

describe('what was heard before the mount', () => {
  test('data older than that is fetched once', async () => {
    const { world, query, mount, update } = setUp({ exact: false }, 0);
    query.updatedAt = world.time - 5000;
    update();
    await world.run(20_000);
    mount();
    await world.run(10_000);
    expect(query.starts).toHaveLength(1);
    mount();
    await world.run(10_000);
    expect(query.starts).toHaveLength(1);
  });

  test('nothing is fetched for data that is younger, or without a notification', async () => {
    const { world, query, mount, update } = setUp({ exact: false }, 0);
    query.updatedAt = world.time;
    mount();
    await world.run(1000);
    update('images');
    const late = setUp({ exact: false }, 0);
    late.update();
    await late.world.run(20_000);
    late.query.updatedAt = late.world.time - 2000;
    late.mount();
    await late.world.run(10_000);
    expect(query.starts).toHaveLength(0);
    expect(late.query.starts).toHaveLength(0);
  });

  test('data just fetched by a suspended render may be older than an update that came meanwhile', async () => {
    const { world, query, mount, update } = setUp({ exact: false }, 0);
    update();
    await world.run(100);
    query.updatedAt = world.time;
    mount();
    await world.run(10_000);
    expect(query.starts).toHaveLength(1);
  });

  test('an exact view knows whether the fetch was older', async () => {
    const { world, query, mount, update } = setUp({}, 0);
    query.fetch(false);
    update();
    await world.run(1000);
    mount();
    await world.run(1000);
    expect(query.starts).toHaveLength(2);
    mount();
    await world.run(1000);
    expect(query.starts).toHaveLength(2);
  });

  test('a change of key to older data is fetched, and a failure of that is not repeated', async () => {
    const { world, query, handles, update } = setUp({ exact: false });
    update();
    await world.run(1000);
    query.failing = () => true;
    handles[0]?.observe({ fetching: false, updatedAt: world.time - 5000 });
    await world.run(10_000);
    expect(query.starts).toHaveLength(2);
  });
});
