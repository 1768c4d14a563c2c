// Tests of windows: the first update of each key passes, and the last one follows.
import { expect, test } from 'vitest';
import { sideOf } from './support/differences.js';
import { forEachHub } from './support/hubs.js';

forEachHub(({ start, target }) => {
  test('no window holds back what a service publishes', async () => {
    const hub = await start({ coalesce: { '*': 60_000 } });
    const stream = await hub.stream('ada');
    const ids = await hub.publish([{ type: 'a' }, { type: 'a' }]);
    ids.push(...(await hub.publish({ type: 'a' })));
    for (const id of ids) expect((await stream.update()).id).toBe(id);
  });

  test('of what the process notifies, the first and the last of a window are published', async () => {
    const hub = await start({ coalesce: { projects: 200, 'compute.*': 60_000 } });
    const { notify } = hub.hub;
    if (sideOf('Windows', target) === 'server') {
      expect(notify).toBeUndefined();
      return;
    }
    const stream = await hub.stream('ada');
    for (let n = 1; n <= 100; n++) notify?.('projects', n);
    notify?.('images', 0);
    expect([(await stream.update()).data, (await stream.update()).type]).toEqual([1, 'images']);
    const last = await stream.update();
    expect([last.type, last.data]).toEqual(['projects', 100]);
    // A hub that ends publishes what its windows hold, and then ends its streams.
    for (const n of [1, 2, 3]) notify?.('compute.a', n);
    expect((await stream.update()).data).toBe(1);
    const ended = hub.hub.drain();
    expect((await stream.update()).data).toBe(3);
    expect((await stream.bye()).reason).toBe('drain');
    await stream.end();
    await ended;
    expect(await hub.metric('tinysse_updates_coalesced_total')).toBe(99);
  });
});
