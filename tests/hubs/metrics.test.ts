// Tests of what is counted: where both hubs count the same, name, labels and number are the same.
import { expect, test } from 'vitest';
import { until } from './support/bound.js';
import { refused } from './support/client.js';
import { sideOf } from './support/differences.js';
import { forEachHub } from './support/hubs.js';

/** Series and numbers behind the scenario of the test. */
const COUNTED: [name: string, labels: Record<string, string>, number: number][] = [
  ['tinysse_streams_open', {}, 2],
  ['tinysse_streams_opened_total', { transport: 'native' }, 3],
  ['tinysse_streams_opened_total', { transport: 'fetch' }, 1],
  ['tinysse_streams_shed_total', { transport: 'native' }, 1],
  ['tinysse_streams_shed_total', { transport: 'fetch' }, 1],
  ['tinysse_updates_total', { type: 'a' }, 2],
  ['tinysse_updates_total', { type: 'b' }, 1],
  ['tinysse_updates_coalesced_total', {}, 0],
  ['tinysse_updates_skipped_total', {}, 0],
  ['tinysse_updates_passed_over_total', {}, 0],
  ['tinysse_frames_total', {}, 4],
  ['tinysse_frames_replayed_total', {}, 1],
  ['tinysse_beats_total', {}, 0],
  ['tinysse_replays_total', { result: 'hit' }, 1],
  ['tinysse_replays_total', { result: 'miss' }, 1],
  ['tinysse_resyncs_total', { gap: 'epoch' }, 1],
  ['tinysse_resyncs_total', { gap: 'overflow' }, 2],
  ['tinysse_auth_failures_total', { code: 'token_missing' }, 1],
  ['tinysse_auth_failures_total', { code: 'unauthenticated' }, 2],
  ['tinysse_log_updates', {}, 0],
];

/** Metrics that the hub in Node has, and no number for: their label or unit is the hub's own. */
const OTHERS = ['tinysse_updates_refused_total', 'tinysse_log_bytes'];

forEachHub(({ start, target }) => {
  test('both hubs count the same', async () => {
    const hub = await start({ streams: 3, maxCount: 100 });
    const gone = await hub.stream('eve', { query: 'types=none' });
    gone.close();
    await until('the stream is gone', async () => (await hub.metric('tinysse_streams_open')) === 0);
    const [first] = await hub.publish([{ type: 'a' }, { type: 'a' }]);
    const streams = [
      await hub.stream('ada', { query: `lastEventId=${first}` }),
      await hub.stream('ada', { query: 'lastEventId=dead.1' }),
      await hub.stream('bob', { bearer: true }),
    ];
    const token = await hub.token('eve');
    await refused(hub.call('GET', '/events', { headers: { authorization: `Bearer ${token}` } }), 503, 'busy');
    (await hub.open('eve', { token })).close();
    await hub.publish({ type: 'b' });
    expect(await streams[0]?.typesUntil('b')).toEqual(['a', 'b']);
    for (const stream of streams.slice(1)) expect((await stream.update()).type).toBe('b');
    await refused(hub.call('GET', '/events'), 401, 'token_missing');
    for (const path of ['/publish', '/revoke'])
      await refused(hub.call('POST', path, { json: {} }), 401, 'unauthenticated');
    streams[0]?.close();
    await until('the stream is gone', async () => (await hub.metric('tinysse_streams_open')) === 2);
    await hub.publish({ resync: null });
    for (const stream of streams.slice(1)) expect((await stream.resync()).gap).toBe('overflow');
    const counted: typeof COUNTED = [];
    for (const [name, labels] of COUNTED) counted.push([name, labels, await hub.metric(name, labels)]);
    expect(counted).toEqual(COUNTED);

    const kinds = [...(await hub.hub.metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name]) => name as string);
    const known = [...new Set([...COUNTED.map(([name]) => name), ...OTHERS])];
    if (sideOf('Operation', target) === 'node') expect(kinds.sort()).toEqual(known.sort());
    // A family without a series is not shown by the server.
    else expect(kinds).toEqual(expect.arrayContaining(known.filter((name) => name !== OTHERS[0])));
  });
});
