// Tests of every octet that a hub sends: all hubs send the same ones for the same inputs.
import { expect, test } from 'vitest';
import type { HubStream } from './support/hub-stream.js';
import { forEachHub } from './support/hubs.js';

/** What differs from run to run: epoch, name of the connection, time, random waits. */
function same(stream: HubStream): string {
  const { client, after } = stream.hello;
  return stream.events.body
    .replaceAll(client, 'CLIENT')
    .replaceAll(after.split('.')[0] as string, 'EPOCH')
    .replaceAll(/"at":1[0-9]{12}/g, '"at":AT')
    .replaceAll(/(retry: |wait=)(?!0|2500\n)[0-9]+/g, '$1MS');
}

forEachHub(({ start }) => {
  test('a stream from its hello to its end', async () => {
    const hub = await start();
    const asked = { role: 'admin', channels: ['ops.>'], query: 'types=projects,compute.*,other' };
    const [named, native] = [
      await hub.stream('ada', asked),
      await hub.stream('ada', { ...asked, query: 'wire=native' }),
    ];
    await hub.serveText('/publish', '{"type":"projects"}');
    await hub.serveText(
      '/publish',
      '[{"type":"compute.progress","data":{"percent":40},"key":"job-7","to":["user:ada","channel:ops.eu"],"origin":"tab-1"},' +
        '{"type":"hidden","to":"user:bob"},{"type":"other","data":[1,"\\u2028\\n",null],"key":"k\\n","origin":"\\"é\\""}]',
    );
    await hub.serve('/publish', { resync: ['projects', 'compute.x'] });
    await hub.serve('/publish', { resync: null });
    await hub.serve('/publish', { type: 'other' });
    await hub.revoke({ user: 'ada' });
    for (const stream of [named, native]) while (await stream.next());
    expect(same(named)).toBe(NAMED);
    expect(same(native)).toBe(NATIVE);
  });

  test('a stream that is resumed, and one that is sent away', async () => {
    const hub = await start({ streams: 1, maxCount: 3 });
    const ids = await hub.publish([{ type: 'a' }, { type: 'b', data: true }, { type: 'c', to: 'all' }]);
    const token = await hub.token('ada');
    const stream = await hub.stream('ada', { token, query: `lastEventId=${ids[0]}` });
    await stream.typesUntil('c');
    const away = await hub.open('ada', { token });
    while (await away.next());
    expect(same(stream)).toBe(RESUMED);
    expect(away.events.body).toMatch(/^retry: ([0-9]+)\nevent: tinysse\.bye\ndata: reason=drain&wait=\1\n\n$/);
  });
});

const NAMED = `retry: 2500
id: EPOCH.0
event: tinysse.hello
data: client=CLIENT&after=EPOCH.0&head=EPOCH.0&beat=15000&gap=first

id: EPOCH.1
event: projects
data: {"at":AT}

id: EPOCH.2
event: compute.progress
data: {"data":{"percent":40},"key":"job-7","origin":"tab-1","at":AT}

id: EPOCH.4
event: other
data: {"data":[1,"\\u2028\\n",null],"key":"k\\n","origin":"\\"é\\"","at":AT}

id: EPOCH.5
event: projects
data: {"at":AT}

id: EPOCH.6
event: compute.x
data: {"at":AT}

id: EPOCH.7
event: tinysse.resync
data: gap=overflow

id: EPOCH.8
event: other
data: {"at":AT}

event: tinysse.bye
data: reason=revoked&wait=0

`;

/** The same, folded: every update has one event type, and its own in its data. */
const NATIVE = NAMED.replaceAll(/event: (?!tinysse)(.*)\ndata: /g, 'event: tinysse.update\ndata: $1\ndata: ');

const RESUMED = `retry: 2500
id: EPOCH.1
event: tinysse.hello
data: client=CLIENT&after=EPOCH.1&head=EPOCH.3&beat=15000&gap=none

id: EPOCH.2
event: b
data: {"data":true,"at":AT}

id: EPOCH.3
event: c
data: {"at":AT}

`;
