// Tests of streams: heads, hello, beats, native folding, queries that are refused, connections.
import { expect, test } from 'vitest';
import { until } from './support/bound.js';
import { refused } from './support/client.js';
import { HubStream, seqOf, updateOf } from './support/hub-stream.js';
import { forEachHub } from './support/hubs.js';

forEachHub(({ start }) => {
  test('a stream has the headers that proxies and browsers need', async () => {
    const hub = await start();
    for (const ask of [{}, { bearer: true }, { query: 'wire=native' }]) {
      const { headers } = (await hub.stream('ada', ask)).events;
      expect(headers).toMatchObject({
        'content-type': 'text/event-stream',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
        'tinysse-wire': '1',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'transfer-encoding': 'chunked',
        date: expect.stringMatching(/ GMT$/),
      });
      expect(headers['content-encoding']).toBeUndefined();
    }
  });

  test('the hello names the connection, the cursor, the head, the beat and the gap', async () => {
    const hub = await start({ heartbeat: 2_000, retry: 1_234 });
    const [a, b] = [await hub.stream('ada'), await hub.stream('ada')];
    expect(a.hello).toEqual({ ...a.hello, head: a.hello.after, beat: 2_000, gap: 'first', retry: 1_234 });
    expect(seqOf(a.hello.after)).toBe(0);
    expect(a.hello.client).toMatch(/^[A-Za-z0-9._:,-]{16,}$/);
    expect(a.hello.client).not.toBe(b.hello.client);
    const ids = await hub.publish([{ type: 'a' }, { type: 'b' }]);
    const replayed = await hub.stream('ada', { query: `lastEventId=${ids[0]}` });
    expect(replayed.hello).toMatchObject({ after: ids[0], head: ids[1], gap: 'none' });
  });

  test('a silent stream has beats, which move the cursor past what is for others', async () => {
    const hub = await start({ heartbeat: 1_000 });
    const stream = await hub.stream('ada');
    const [id] = await hub.publish({ type: 'a', to: 'user:bob' });
    const beat = (at: string | undefined) => `id: ${at}\nevent: tinysse.beat\ndata: \n\n`;
    let frame = await stream.next();
    // On a busy machine the first one may be older than the update.
    while (frame?.raw === beat(stream.hello.after)) frame = await stream.next();
    expect(frame?.raw).toBe(beat(id));
  });

  test('a native reader gets folded updates, and control frames as they are', async () => {
    const hub = await start();
    const [native, named] = [await hub.stream('ada', { query: 'wire=native' }), await hub.stream('ada')];
    await hub.publish({ type: 'compute.progress', data: { percent: 40 }, key: 'job-7', origin: 'tab-1' });
    const [folded, plain] = [await native.next(), await named.next()];
    expect([folded?.event, plain?.event]).toEqual(['tinysse.update', 'compute.progress']);
    expect(folded?.data).toBe(`compute.progress\n${plain?.data}`);
    expect(folded && updateOf(folded)).toEqual(plain && updateOf(plain));
    expect(await hub.revoke({ user: 'ada' })).toBe(2);
    expect((await native.bye()).reason).toBe('revoked');
    await native.end();
  });

  test('a query that is wrong is refused and not quoted', async () => {
    const hub = await start();
    const token = await hub.token('ada');
    const asked = (query: string) => hub.call('GET', `/events?token=${token}&${query}`);
    for (const name of ['token', 'lastEventId', 'types', 'wire']) {
      const { detail } = await refused(
        hub.call('GET', `/events?${name}=${token}&x=1&${name}=${token}`),
        400,
        'bad_query',
      );
      expect(detail).not.toContain(token);
    }
    for (const wire of ['Native', 'smoke', 'native,native', token])
      await refused(asked(`wire=${wire}`), 400, 'bad_wire');
    const many = (count: number) => Array.from({ length: count }, () => 'a').join(',');
    for (const types of ['a*b', 'a,,b', '*.a', 'a,', ',', 'a.*.b', '.*', many(65)]) {
      await refused(asked(`types=${types}`), 400, 'bad_types');
    }
    // Where an `&` was forgotten, a token is in the list.
    const { detail } = await refused(hub.call('GET', `/events?types=a,,token=${token}`), 400, 'bad_types');
    expect(detail).not.toContain(token);
    for (const good of ['types=&wire=', 'utm=1&utm=2', `types=${many(64)}`, 'types=%61%2Cb.*', 'lastEventId=', '&&']) {
      await hub.stream('ada', { query: good });
    }
  });

  test('what is wrong with a query matters more than what is wrong with a token', async () => {
    const hub = await start();
    await refused(hub.call('GET', '/events?wire=smoke'), 400, 'bad_wire');
    await refused(hub.call('GET', '/events?types=a,,b'), 400, 'bad_types');
  });

  test('wrong addresses and methods are problems', async () => {
    const hub = await start();
    const wrong = await refused(hub.serve('/events', {}), 405, 'method_not_allowed');
    expect(wrong.headers.allow).toContain('GET');
    for (const path of ['/publish', '/revoke', '/rights', '/auth/sse-token']) {
      const answer = await refused(hub.call('GET', path), 405, 'method_not_allowed');
      expect(answer.headers.allow).toBe('POST');
    }
    await refused(hub.serve('/cursor', {}), 405, 'method_not_allowed');
    await refused(hub.call('GET', '/nothing'), 404, 'not_found');
    await refused(hub.call('GET', '/events/'), 404, 'not_found');
    await refused(hub.serve('/auth/nothing', {}), 404, 'not_found');
  });

  test('a stream behind another answer on its connection is whole', async () => {
    const hub = await start();
    const cursor =
      'GET /cursor HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer the-publish-key-of-the-suite\r\n\r\n';
    const path = `/events?token=${await hub.token('ada')}`;
    const stream = await HubStream.open(hub.hub.url, { path, before: [cursor, cursor] });
    expect(stream.events.heads).toHaveLength(2);
    for (const head of stream.events.heads) expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    await stream.readHello();
    // What a client sends on its stream harms nothing.
    stream.events.send(cursor);
    await hub.publish([{ type: 'a' }, { type: 'b', data: 'x'.repeat(40_000) }, { type: 'c' }]);
    expect(await stream.typesUntil('c')).toEqual(['a', 'b', 'c']);
    stream.close();
  });

  test('HTTP/1.0 gets its stream without chunks', async () => {
    const hub = await start();
    const path = `/events?token=${await hub.token('ada')}`;
    const stream = await HubStream.open(hub.hub.url, { path, version: '1.0' });
    expect(stream.events.headers['transfer-encoding']).toBeUndefined();
    await stream.readHello();
    await hub.publish({ type: 'a' });
    expect((await stream.update()).type).toBe('a');
    await hub.revoke({ user: 'ada' });
    expect((await stream.bye()).reason).toBe('revoked');
    await stream.end();
  });

  test('a client that goes away is forgotten', async () => {
    const hub = await start();
    const streams = [await hub.stream('ada'), await hub.stream('ada', { bearer: true }), await hub.stream('bob')];
    expect(await hub.metric('tinysse_streams_open')).toBe(3);
    for (const stream of streams.slice(1)) stream.close();
    await until('one stream is open', async () => (await hub.metric('tinysse_streams_open')) === 1);
    await hub.publish({ type: 'a' });
    expect((await streams[0]?.update())?.type).toBe('a');
    expect(await hub.metric('tinysse_streams_opened_total', { transport: 'native' })).toBe(2);
    expect(await hub.metric('tinysse_streams_opened_total', { transport: 'fetch' })).toBe(1);
  });
});
