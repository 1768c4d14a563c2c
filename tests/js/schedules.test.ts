// The coordinator against its rule, over seeded random schedules: whatever happens in whatever
// order, at rest the last fetch started after the last notification. The oracle reads the model
// query, which the coordinator sees only through its views.
import { describe, expect, test } from 'vitest';
import { Coordinator } from '../../js/refetch/coordinator.js';
import { lastTick } from '../../js/refetch/logical-clock.js';
import type { Handle } from '../../js/refetch/query.js';
import { ModelQuery } from './support/query.js';
import { seeded, VirtualWorld } from './support/world.js';

const schedules = Number(process.env.TINYSSE_SCHEDULES ?? 2000);

interface Outcome {
  /** The last notification that counts, on the logical clock. */
  notified: number;
  notifications: number;
  log: string[];
  world: VirtualWorld;
  query: ModelQuery;
}

/** One random life of a query with one to three components. */
async function live(seed: number, exact: boolean): Promise<Outcome> {
  const random = seeded(seed);
  const below = (n: number) => Math.floor(random() * n);
  const world = new VirtualWorld();
  world.random = random;
  const query = new ModelQuery(world);
  const slow = random() < 0.3;
  query.duration = () => (slow ? 200 + below(600) : below(200));
  const failures = random() < 0.3 ? 0.5 : 0;
  query.failing = () => random() < failures;
  const coordinator = new Coordinator(world);
  const lag = below(5);
  const outcome: Outcome = { notified: 0, notifications: 0, log: [], world, query };
  const mounted: { handle: Handle; off: () => void }[] = [];

  const mount = () => {
    const handle = coordinator.add(query.asQuery({ exact }));
    // Renders come in the order of the changes, a constant moment later, and show what is true by
    // then.
    const observe = () => handle.observe(query.view(exact));
    mounted.push({ handle, off: query.onChange(exact ? observe : () => world.setTimeout(observe, lag)) });
  };
  const count = () => {
    outcome.notified = lastTick();
    outcome.notifications += 1;
  };
  const update = (spread: number) => {
    coordinator.update('projects', {}, { own: false, spread });
    count();
  };
  const foreign = () => void query.fetch(false);
  const show = (visible: boolean) => {
    world.visible = visible;
    if (visible) coordinator.shown();
  };
  // The page computes: time goes by, and every timer is late.
  const block = () => {
    world.time += below(60);
  };
  const unmount = () => {
    // The first stays: with nothing mounted there is nothing to keep fresh.
    const last = mounted.length > 1 ? mounted.pop() : undefined;
    last?.off();
    last?.handle.remove();
  };
  const resync = () => {
    coordinator.resync(random() < 0.5 ? null : ['projects'], 'epoch');
    count();
  };
  const actions: readonly (readonly [weight: number, name: string, act: () => void])[] = [
    [10, 'update', () => update(0)],
    [2, 'spread', () => update(500)],
    [2, 'burst', () => Array.from({ length: 1 + below(20) }).forEach(() => void update(0))],
    [1, 'own', () => coordinator.update('projects', {}, { own: true, spread: 0 })],
    [1, 'other', () => coordinator.update('images', {}, { own: false, spread: 0 })],
    [1, 'resync', resync],
    [4, 'foreign', foreign],
    [1, 'foreign, cancels', () => void query.fetch(false, true)],
    [2, 'foreign, then update', () => [foreign, () => update(0)].forEach((act) => void act())],
    [2, 'update, then foreign', () => [() => update(0), foreign].forEach((act) => void act())],
    [2, 'block', block],
    [2, 'update, then block', () => [() => update(0), block].forEach((act) => void act())],
    [1, 'hide', () => show(false)],
    [1, 'show', () => show(true)],
    [1, 'mount', () => mounted.length < 3 && mount()],
    [1, 'unmount', unmount],
  ];
  const deck = actions.flatMap((action) => Array.from({ length: action[0] }, () => action));

  // Some lives are all haste, where views are behind most of the time.
  const pace = random() < 0.4 ? () => below(4) : () => (random() < 0.5 ? below(8) : below(400));
  mount();
  for (let i = below(3); i > 0; i--) mount();
  for (let i = 5 + below(40); i > 0; i--) {
    const [, name, act] = deck[below(deck.length)] ?? [0, 'nothing', () => {}];
    outcome.log.push(`${world.time - 1_000_000} ${name}`);
    act();
    await world.run(pace());
  }
  show(true);
  await world.run(29_000);
  return outcome;
}

describe.each([
  ['exact', true],
  ['rendered', false],
])('%s views', (_, exact) => {
  test(`${schedules} schedules end fresh, spaced, and at rest`, async () => {
    for (let seed = 1; seed <= schedules; seed++) {
      const { notified, notifications, log, world, query } = await live(seed, exact);
      const starts = query.starts;
      const story = `seed ${seed}\n${log.join('\n')}\nstarts: ${starts.map((s) => `${s.at - 1_000_000}${s.ours ? '' : ' foreign'}`).join(', ')}`;
      if (notified > 0) expect(starts.at(-1)?.tick ?? 0, story).toBeGreaterThan(notified);
      // Two components whose views differ may both ask, but no more than that.
      expect(query.ours, story).toBeLessThanOrEqual(exact ? notifications : 2 * notifications);
      expect(world.timers, story).toBe(0);
      if (exact) {
        expect(query.joins, story).toBe(0);
        // Every fetch of the client keeps its distance from whatever started before it.
        starts.forEach((start, i) => {
          const before = starts[i - 1];
          if (start.ours && before) expect(start.at - before.at, story).toBeGreaterThanOrEqual(250);
        });
      }
    }
  }, 120_000);
});
