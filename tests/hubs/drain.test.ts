// Tests of planned ends: a hub that shuts down, and streams that are old enough.
import { expect, test } from 'vitest';
import { refused } from './support/client.js';
import { forEachHub } from './support/hubs.js';

forEachHub(({ start }) => {
  test('a hub that shuts down ends every stream with a bye, and then itself', async () => {
    const hub = await start();
    const streams = [await hub.stream('ada'), await hub.stream('bob', { bearer: true }), await hub.stream('eve')];
    await hub.publish({ type: 'a' });
    const ended = hub.hub.drain();
    for (const stream of streams) {
      expect((await stream.update()).type).toBe('a');
      const bye = await stream.bye();
      expect(bye.reason).toBe('drain');
      expect(bye.wait).toBeGreaterThanOrEqual(2_500);
      expect(bye.retry).toBeGreaterThanOrEqual(2_500);
      await stream.end();
    }
    await ended;
    await expect(hub.call('GET', '/events')).rejects.toThrow();
  });

  test('while it drains, streams linger with their updates, and no stream is opened', async () => {
    const hub = await start({ linger: 60_000 });
    const [stream, token] = [await hub.stream('ada'), await hub.token('ada')];
    const ended = hub.hub.drain();
    expect((await stream.bye()).reason).toBe('drain');
    const shown = { authorization: `Bearer ${token}` };
    await refused(hub.call('GET', '/events', { headers: shown }), 503, 'busy');
    const native = await hub.open('ada', { token });
    expect((await native.bye()).reason).toBe('drain');
    await native.end();
    // Publishing goes on, and so does what else services ask for.
    const [id] = await hub.publish({ type: 'a' });
    expect((await stream.update()).id).toBe(id);
    await hub.token('ada');
    // When all are gone there is nothing to wait for.
    stream.close();
    await ended;
  });

  test('a hub without streams ends at once', async () => {
    const hub = await start({ linger: 60_000 });
    await hub.publish({ type: 'a' });
    await hub.hub.drain();
  });

  test('a reader that reads nothing does not keep a hub alive', async () => {
    const hub = await start({ linger: 100, stallTimeout: 300 });
    const slow = await hub.stream('ada');
    slow.events.pause();
    const update = { type: 'a', data: 'x'.repeat(32 * 1_024) };
    for (let n = 0; n < 10; n++) await hub.publish(Array.from({ length: 30 }, () => update));
    await hub.hub.drain();
  });

  test('a stream rotates before it is too old, and lingers until the next one is open', async () => {
    const hub = await start({ streamAge: 300, linger: 60_000 });
    const old = await hub.stream('ada');
    expect(await old.bye()).toEqual({ reason: 'rotate', wait: 0, retry: undefined });
    const next = await hub.stream('ada', { query: `lastEventId=${old.hello.after}` });
    expect(next.hello.gap).toBe('none');
    // Nothing that comes before the next stream is open has to wait for it.
    const [id] = await hub.publish({ type: 'a' });
    expect((await old.update()).id).toBe(id);
    // On a busy machine this one may be old enough already.
    let frame = await next.next();
    while (frame?.event === 'tinysse.bye') frame = await next.next();
    expect(frame?.id).toBe(id);
  });
});
