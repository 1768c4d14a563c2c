// Tests of cursors: where a stream resumes, and what is announced where it cannot.
import { expect, test } from 'vitest';
import { refused } from './support/client.js';
import { epochOf, seqOf } from './support/hub-stream.js';
import { forEachHub } from './support/hubs.js';
import { PUBLISH_KEY } from './support/target.js';

const four = [{ type: 'a' }, { type: 'b' }, { type: 'c' }, { type: 'd' }];

forEachHub(({ start }) => {
  test('missed updates are replayed, and the header beats the address', async () => {
    const hub = await start();
    const ids = await hub.publish(four);
    const query = `lastEventId=${ids[0]}`;
    const byQuery = await hub.stream('ada', { query });
    expect(byQuery.hello).toMatchObject({ gap: 'none', after: ids[0], head: ids[3] });
    expect(await byQuery.typesUntil('d')).toEqual(['b', 'c', 'd']);
    // A native retry: the address is old, the header new.
    const retry = await hub.stream('ada', { query, headers: { 'last-event-id': ids[2] as string } });
    expect(retry.hello).toMatchObject({ gap: 'none', after: ids[2] });
    expect((await retry.update()).id).toBe(ids[3]);
    const byHeader = await hub.stream('ada', { bearer: true, headers: { 'last-event-id': ids[1] as string } });
    expect(await byHeader.typesUntil('d')).toEqual(['c', 'd']);
    // An empty header has no meaning.
    const empty = await hub.stream('ada', { query, headers: { 'last-event-id': '' } });
    expect(await empty.typesUntil('d')).toEqual(['b', 'c', 'd']);
    // A cursor at the head has nothing behind it, and the stream goes on from there.
    const head = await hub.stream('ada', { query: `lastEventId=${ids[3]}` });
    expect(head.hello).toMatchObject({ gap: 'none', after: ids[3], head: ids[3] });
    const [next] = await hub.publish({ type: 'e' });
    expect((await head.update()).id).toBe(next);
  });

  test('a position is written in decimal, and each id once', async () => {
    const hub = await start();
    const stream = await hub.stream('ada');
    const epoch = epochOf(stream.hello.after);
    const ids = await hub.publish(Array.from({ length: 30 }, () => ({ type: 'a' })));
    expect(ids).toEqual(Array.from({ length: 30 }, (_, at) => `${epoch}.${at + 1}`));
    expect((await hub.publish([{ type: 'b' }, { type: 'b' }])).map(seqOf)).toEqual([31, 32]);
    for (const id of ids) expect((await stream.update()).id).toBe(id);
  });

  test('a cursor that cannot be honoured is named', async () => {
    const hub = await start({ maxCount: 2 });
    const ids = (await hub.publish(four)) as [string, string, string, string];
    const [epoch, head] = [epochOf(ids[3]), ids[3]];
    const cases: [cursor: string, gap: string][] = [
      ['', 'first'],
      ['dead.4', 'epoch'],
      ['0.0', 'epoch'],
      [`${epoch}.0`, 'trimmed'],
      [ids[0], 'trimmed'],
      [`${epoch}.5`, 'unknown'],
      [`${epoch}.18446744073709551615`, 'unknown'],
      [`${epoch}.18446744073709551616`, 'unknown'],
      [`${epoch}.04`, 'unknown'],
      [`${epoch}.x`, 'unknown'],
      [`0${epoch}.4`, 'unknown'],
      [epoch, 'unknown'],
      ['nonsense', 'unknown'],
      ['%00', 'unknown'],
      ['..%2F..%2Fetc', 'unknown'],
      ['x'.repeat(2_000), 'unknown'],
    ];
    for (const [cursor, gap] of cases) {
      const stream = await hub.stream('ada', { query: `lastEventId=${cursor}` });
      expect(stream.hello, cursor).toMatchObject({ gap, after: head, head });
    }
    // As a header, too; also what is not even text.
    for (const [cursor, gap] of [
      ['dead.4', 'epoch'],
      ['\xff\xfe', 'unknown'],
      ['../../etc', 'unknown'],
    ] as const) {
      const stream = await hub.stream('ada', { headers: { 'last-event-id': cursor } });
      expect(stream.hello, cursor).toMatchObject({ gap, after: head });
    }
    const resumed = await hub.stream('ada', { query: `lastEventId=${ids[1]}` });
    expect(resumed.hello.gap).toBe('none');
    expect(await resumed.typesUntil('d')).toEqual(['c', 'd']);
    expect(await hub.metric('tinysse_resyncs_total', { gap: 'trimmed' })).toBe(2);
    expect(await hub.metric('tinysse_resyncs_total', { gap: 'epoch' })).toBe(3);
    expect(await hub.metric('tinysse_replays_total', { result: 'hit' })).toBe(1);
  });

  test('what was trimmed and is for others is no loss', async () => {
    const hub = await start({ maxCount: 2 });
    const [before] = await hub.publish({ type: 'first' });
    await hub.publish([
      ...Array.from({ length: 5 }, () => ({ type: 'a', to: 'user:bob' })),
      { type: 'b', to: 'user:ada' },
      { type: 'c' },
    ]);
    const query = `lastEventId=${before}`;
    const ada = await hub.stream('ada', { query });
    expect(ada.hello).toMatchObject({ gap: 'none', after: before });
    expect(await ada.typesUntil('c')).toEqual(['b', 'c']);
    expect((await hub.stream('bob', { query })).hello.gap).toBe('trimmed');
    // Not asked for is not lost either.
    expect((await hub.stream('bob', { query: `${query}&types=c` })).hello.gap).toBe('none');
  });

  test('another life of the log is another epoch', async () => {
    const [first, second] = [await start(), await start()];
    const [old] = await first.publish({ type: 'a' });
    const [own] = await second.publish({ type: 'b' });
    expect(epochOf(old as string)).not.toBe(epochOf(own as string));
    const stream = await second.stream('ada', { query: `lastEventId=${old}` });
    expect(stream.hello).toMatchObject({ gap: 'epoch', after: own });
  });

  test('the cursor route names the head, and a stream from there misses nothing', async () => {
    const hub = await start();
    const [first] = await hub.publish({ type: 'a' });
    const service = { authorization: `Bearer ${PUBLISH_KEY}` };
    for (const headers of [service, await hub.hub.logIn('ada')]) {
      const answer = await hub.call('GET', '/cursor', { headers });
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'tinysse-cursor': first,
        'referrer-policy': 'no-referrer',
      });
      expect(answer.json()).toEqual({ cursor: first });
    }
    const [second] = await hub.publish({ type: 'b' });
    const stream = await hub.stream('ada', { query: `lastEventId=${first}` });
    expect((await stream.update()).id).toBe(second);
    // How much is published must not be disclosed.
    await refused(hub.call('GET', '/cursor'), 401, 'unauthenticated');
    await refused(hub.call('GET', '/cursor', { headers: { authorization: 'Bearer guessed' } }), 401, 'unauthenticated');
  });
});
