// Tests of readers that do not keep up, over sockets whose buffers are full.
import { expect, test } from 'vitest';
import { until } from './support/bound.js';
import type { HubClient } from './support/client.js';
import type { Frame } from './support/event-stream.js';
import { type HubStream, seqOf } from './support/hub-stream.js';
import { forEachHub } from './support/hubs.js';

const COUNT = 10_000;
const AT_ONCE = 1_000;
/** With this much each, the buffers of the system hold a part of them only. */
const SIZE = 900;

/** Updates with their numbers, from the one behind `from` on. */
function numbered(type: string, from: number, count: number, size: number, key?: (n: number) => string) {
  return range(from, count).map((n) => ({ type, data: { n, x: 'x'.repeat(size) }, ...(key && { key: key(n) }) }));
}

/** The number of a frame; without a parser, since there are many. */
const numberOf = ({ data }: Frame) => Number(/"n":([0-9]+)/.exec(data)?.[1]);

/** Reads `count` updates of a type, and returns their numbers. */
async function numbers(stream: HubStream, type: string, count: number): Promise<number[]> {
  const read: number[] = [];
  while (read.length < count) {
    const frame = await stream.next();
    if (frame?.event !== type) throw new Error(`no update: ${frame?.raw ?? 'the stream ended'}`);
    read.push(numberOf(frame));
  }
  return read;
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

/** Opens a stream and reads nothing behind its hello. */
async function deaf(hub: HubClient, user: string, query = ''): Promise<HubStream> {
  const stream = await hub.stream(user, { query });
  stream.events.pause();
  return stream;
}

/** Waits until the streams have been given all that they take now. */
async function settled(hub: HubClient): Promise<number> {
  let [given, same] = [-1, 0];
  await until('the streams are given nothing more', async () => {
    // Between two looks the hub answers a request, after what it had to do before.
    await hub.call('GET', '/cursor');
    const now = await hub.metric('tinysse_frames_total');
    same = now === given ? same + 1 : 0;
    given = now;
    return same >= 50;
  });
  return given;
}

forEachHub(({ start }) => {
  test('a reader that reads nothing holds up nobody, and gets everything afterwards', async () => {
    const hub = await start({ stallTimeout: 60_000, maxCount: 2 * COUNT, maxBytes: 64 << 20 });
    const [slow, fast] = [await deaf(hub, 'ada'), await hub.stream('bob')];
    for (let from = 0; from < COUNT; from += AT_ONCE) {
      await hub.publish(numbered('a', from, AT_ONCE, SIZE));
      // The other reader has all of them while this one takes nothing.
      expect(await numbers(fast, 'a', AT_ONCE)).toEqual(range(from, AT_ONCE));
    }
    // Two readers, and one of them was given a part.
    expect(await settled(hub)).toBeLessThan(2 * COUNT - AT_ONCE);
    slow.events.resume();
    expect(await numbers(slow, 'a', COUNT)).toEqual(range(0, COUNT));
    await hub.publish({ type: 'last' });
    expect([(await slow.update()).type, (await fast.update()).type]).toEqual(['last', 'last']);
  });

  test('a reader that falls behind the log gets a resync in the place of what was trimmed', async () => {
    const hub = await start({ stallTimeout: 60_000, maxCount: 2 * AT_ONCE });
    const [slow, fast] = [await deaf(hub, 'ada'), await hub.stream('bob')];
    for (let from = 0; from < COUNT; from += AT_ONCE) {
      await hub.publish(numbered('a', from, AT_ONCE, SIZE));
      expect(await numbers(fast, 'a', AT_ONCE)).toEqual(range(from, AT_ONCE));
    }
    const [last] = await hub.publish({ type: 'last' });
    slow.events.resume();
    let [resyncs, received, next, id] = [0, 0, 0, ''];
    while (id !== last) {
      const frame = await slow.next();
      if (!frame) throw new Error('the stream ended');
      id = frame.id ?? id;
      if (frame.event === 'tinysse.resync') {
        expect(frame.data).toMatch(/^gap=overflow(&types=a(,last)?)?$/);
        resyncs += 1;
        // It covers what is before its id.
        next = seqOf(id);
      } else if (frame.event === 'a') {
        if (numberOf(frame) !== next) throw new Error(`${numberOf(frame)} came in the place of ${next}`);
        next += 1;
        received += 1;
      }
    }
    expect(received).toBeLessThan(COUNT);
    expect(resyncs).toBeGreaterThanOrEqual(1);
    expect(await hub.metric('tinysse_resyncs_total', { gap: 'overflow' })).toBe(resyncs);
  });

  test('the newest, a refetch, and everything, each by its rule', async () => {
    const hub = await start({
      ...{ stallTimeout: 60_000, slowLag: 8, heartbeat: 600_000 },
      slowRules: { latest: 'coalesce', 'again.*': 'resync', strict: 'disconnect' },
    });
    const slow = await deaf(hub, 'ada', 'types=latest,again.*,plain,last');
    const [count, atOnce] = [300, 30];
    for (let from = 0; from < count; from += atOnce) {
      await hub.publish(numbered('latest', from, atOnce, 32 * 1_024, (n) => (n % 2 === 0 ? 'even' : 'odd')));
    }
    expect(await settled(hub)).toBeLessThan(count - 20);
    for (let n = 0; n < 20; n++) {
      await hub.publish([...numbered('again.a', n, 1, 10), ...numbered('plain', n, 1, 10), { type: 'strict' }]);
    }
    await hub.publish({ type: 'last' });
    slow.events.resume();
    const seen: [event: string, n: number | string][] = [];
    for (;;) {
      const frame = await slow.next();
      if (!frame) throw new Error('the stream ended');
      if (frame.event === 'last') break;
      seen.push([frame.event, frame.event === 'tinysse.resync' ? frame.data : numberOf(frame)]);
    }
    const of = (type: string) => seen.filter(([event]) => event === type).map(([, n]) => n);
    const latest = of('latest') as number[];
    expect(latest.length).toBeLessThan(count - 20);
    expect(latest).toEqual([...latest].sort((a, b) => a - b));
    expect(latest.slice(-2), 'the newest of each key').toEqual([count - 2, count - 1]);
    // What is to be refetched was not sent, and is named before anything that follows it.
    expect(of('tinysse.resync')).toEqual(['gap=overflow&types=again.a']);
    expect(of('again.a')).toEqual([]);
    const place = (type: string) => seen.findIndex(([event]) => event === type);
    expect(place('tinysse.resync')).toBeLessThan(place('plain'));
    // And nothing of the rest is missing.
    expect(of('plain')).toEqual(range(0, 20));
    expect(await hub.metric('tinysse_updates_passed_over_total')).toBe(count - latest.length + 20);
  });

  test('who lags behind a strict type is cut off, and comes back to everything', async () => {
    const hub = await start({ stallTimeout: 60_000, slowLag: 8, slowRules: { strict: 'disconnect' } });
    const slow = await deaf(hub, 'ada');
    const count = 300;
    for (let from = 0; from < count; from += 30) await hub.publish(numbered('strict', from, 30, 32 * 1_024));
    await until('it is cut off', async () => (await hub.metric('tinysse_streams_open')) === 0);
    // What was on its way arrives, and then the connection ends without an end of the body.
    slow.events.resume();
    let read = 0;
    for (let frame = await slow.next(); frame; frame = await slow.next()) read += 1;
    expect(slow.events.ended).toBe('cut');
    expect(read).toBeLessThan(count);
    const back = await hub.stream('ada', { query: `lastEventId=${slow.hello.after}` });
    expect(back.hello.gap).toBe('none');
    expect(await numbers(back, 'strict', count)).toEqual(range(0, count));
  });

  test('a connection that takes nothing for too long is cut', async () => {
    const hub = await start({ stallTimeout: 1_000 });
    const [slow, fast] = [await deaf(hub, 'ada'), await hub.stream('bob')];
    const count = 300;
    for (let from = 0; from < count; from += 30) await hub.publish(numbered('a', from, 30, 32 * 1_024));
    for (let n = 0; n < count; n++) await fast.update();
    await until('it is cut off', async () => (await hub.metric('tinysse_streams_open')) === 1);
    slow.events.resume();
    while (await slow.next());
    expect(slow.events.ended).toBe('cut');
    await hub.publish({ type: 'b' });
    expect((await fast.update()).type).toBe('b');
  });
});
