// Tests of `POST /publish`: what is taken, what is refused, and what reaches a stream.
import { expect, test } from 'vitest';
import { type HubClient, refused } from './support/client.js';
import { seqOf } from './support/hub-stream.js';
import { forEachHub } from './support/hubs.js';
import { PUBLISH_KEY } from './support/target.js';

const many = (count: number) => Array.from({ length: count }, () => ({ type: 'a' }));

/** Nothing was published so far. */
async function untouched(hub: HubClient): Promise<void> {
  expect(seqOf((await hub.publish({ type: 'first' }))[0] as string)).toBe(1);
}

forEachHub(({ start }) => {
  test('only services publish', async () => {
    const hub = await start();
    const body = { json: { type: 'a' } };
    const bearers = ['wrong', `${PUBLISH_KEY}2`, PUBLISH_KEY.slice(1), await hub.token('ada')];
    const shown = bearers.map((bearer) => ({ authorization: `Bearer ${bearer}` }));
    for (const headers of [{}, ...shown, { authorization: `Basic ${PUBLISH_KEY}` }, await hub.hub.logIn('ada')]) {
      for (const path of ['/publish', '/revoke', '/rights']) {
        await refused(hub.call('POST', path, { ...body, headers }), 401, 'unauthenticated');
      }
    }
    const answer = await hub.serve('/publish', { type: 'a' });
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'referrer-policy': 'no-referrer' });
    expect(answer.json()).toEqual({ ids: [expect.stringMatching(/\.1$/)], durability: 'memory' });
  });

  test('the scheme of the key is written in any case', async () => {
    const hub = await start();
    const headers = { authorization: `bearer ${PUBLISH_KEY}` };
    expect((await hub.call('POST', '/publish', { json: { type: 'a' }, headers })).status).toBe(200);
  });

  test('a body that is no JSON, or has other members, is refused', async () => {
    const hub = await start();
    const bad = [
      ...['', '{', '[1]', '{"type":1}', '{}', '{"type":"a","tpye":1}', '[{"type":"a"},{}]', '{"type":"a"} x', 'null'],
      ...['"a"', '1', '[[{"type":"a"}]]', '{"type":null}', '{"type":"a","key":1}', '{"type":"a","to":1}'],
      ...['{"type":"a","to":[1]}', '{"type":"a","origin":[]}', '{"type":"a","except":{}}', '{"type":"a","to":{}}'],
      ...['{"type":"a","at":1}', '{"type":"a","id":"x"}', '{"type":"a","__proto__":1}', '{"type":"a","data":01}'],
      ...['{"type":"a","data":NaN}', "{'type':'a'}", '{"type":"a",}', '{"type":"a","type":"b"}'],
    ];
    for (const body of bad) await refused(hub.serveText('/publish', body), 400, 'bad_json');
    // Neither UTF-8 nor UTF-16.
    for (const bytes of [Buffer.from('{"type":"a","data":"\xff"}', 'latin1'), Buffer.from('{"type":"a"}', 'utf16le')]) {
      await refused(hub.serveText('/publish', bytes), 400, 'bad_json');
    }
    await untouched(hub);
  });

  test('an update that is wrong is refused by its own reason, and keeps the others out', async () => {
    const hub = await start();
    const one = (members: object) => hub.serve('/publish', { type: 'a', ...members });
    const types = ['a\r\nid: 9', 'a\n', '\r', 'a\0', '', 'a b', 'a/b', 'é', '*', 'compute.*', 'x'.repeat(129)];
    for (const type of types) await refused(one({ type }), 400, 'bad_type');
    for (const type of ['tinysse.hello', 'tinysse.resync', 'tinysse.', 'tinysse.mine']) {
      await refused(one({ type }), 400, 'reserved_type');
    }
    const hundredAndOne = Array.from({ length: 101 }, (_, n) => `user:${n}`);
    const audiences = [
      'everybody',
      'user:',
      '',
      'All',
      'all:x',
      'user',
      'group:a',
      'user:a\nb',
      `user:${'x'.repeat(256)}`,
    ];
    for (const to of [...audiences, [], ['all', 'x'], hundredAndOne]) await refused(one({ to }), 400, 'bad_audience');
    for (const name of ['key', 'origin', 'except']) {
      await refused(one({ [name]: 'x'.repeat(256) }), 400, 'bad_field');
      // Bytes, not characters.
      await refused(one({ [name]: 'é'.repeat(128) }), 400, 'bad_field');
    }
    await refused(hub.serve('/publish', []), 400, 'too_many');
    await refused(hub.serve('/publish', many(1_001)), 400, 'too_many');
    await refused(hub.serve('/publish', [{ type: 'a' }, { type: 'tinysse.a' }]), 400, 'reserved_type');
    await refused(hub.serve('/publish', [{ type: 'a' }, { type: 'b', to: 'x' }]), 400, 'bad_audience');
    await untouched(hub);
  });

  test('what is just within the limits is taken', async () => {
    const hub = await start();
    const stream = await hub.stream('ada');
    expect(await hub.publish(many(1_000))).toHaveLength(1_000);
    for (let n = 0; n < 1_000; n++) await stream.update();
    const names = { key: 'é'.repeat(127), origin: 'x'.repeat(255), except: 'x'.repeat(255) };
    const to = Array.from({ length: 100 }, (_, n) => (n === 99 ? 'user:ada' : `role:${n}`));
    await hub.publish({ type: 'x'.repeat(128), to, ...names });
    const update = await stream.update();
    expect(update).toMatchObject({ type: 'x'.repeat(128), key: names.key, origin: names.origin });
  });

  test('a body has a bound and a content type', async () => {
    const hub = await start({ maxBytes: 65_536 });
    const large = (bytes: number) => ({ type: 'a', data: 'x'.repeat(bytes) });
    await refused(hub.serve('/publish', large(1 << 20)), 413, 'body_too_large');
    await refused(hub.serve('/publish', large(8 << 20)), 413, 'body_too_large');
    await refused(hub.serve('/publish', large(100_000)), 413, 'update_too_large');
    for (const path of ['/publish', '/revoke', '/rights', '/auth/sse-token']) {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'json', '']) {
        await refused(hub.serveText(path, '{}', { 'content-type': type }), 415, 'unsupported_media_type');
      }
    }
    const typed = (type: string) => hub.serveText('/publish', '{"type":"a"}', { 'content-type': type });
    for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/json ;x=y']) {
      expect((await typed(type)).status, type).toBe(200);
    }
    expect(await hub.publish(large(60_000))).toHaveLength(1);
  });

  test('who sends a large body before reading sees why it is refused', async () => {
    const hub = await start();
    const body = ' '.repeat(8 << 20);
    const headers = { 'content-type': 'application/json' };
    await refused(hub.call('POST', '/publish', { body, headers }), 401, 'unauthenticated');
    await refused(hub.serveText('/publish', body), 413, 'body_too_large');
    await refused(hub.serveText('/publish', body, { 'content-type': 'text/plain' }), 415, 'unsupported_media_type');
  });

  test('every field reaches the client as it was written', async () => {
    const hub = await start();
    const stream = await hub.stream('ada');
    const body =
      '\ufeff{"type":"a.b",\r\n"data":{\r\n "n": 12345678901234567890123, "f": [1.50, -0, 1e2],\n "2":1,"1":2,"a":1,"a":2,' +
      '\n "s":"\\r\\n\\u0000\u2028\\u0041"},"key":"k\\n","origin":"tab\\rid: 7"}';
    const answer = await hub.serveText('/publish', body);
    expect(answer.status, answer.text).toBe(200);
    const frame = await stream.next();
    expect([frame?.event, [frame?.id]]).toEqual(['a.b', answer.json().ids]);
    expect(frame?.raw.match(/[\r\n]/g)).toHaveLength(4);
    const { data, key, origin, at } = JSON.parse(frame?.data ?? '') as Record<string, unknown>;
    expect(data).toMatchObject({ s: '\r\n\0\u2028A', f: [1.5, -0, 100] });
    expect([key, origin]).toEqual(['k\n', 'tab\rid: 7']);
    expect(at).toBeGreaterThan(1_700_000_000_000);
    // Digit by digit, in the order of the text.
    expect(frame?.data).toContain('"n": 12345678901234567890123, "f": [1.50, -0, 1e2]');
    expect(frame?.data).toContain('"2":1,"1":2,"a":1,"a":2,');
    await hub.publish([
      { type: 'bare' },
      { type: 'null', data: null, key: null, origin: null, except: null, to: null },
    ]);
    expect(Object.keys(JSON.parse((await stream.next())?.data ?? ''))).toEqual(['at']);
    expect(Object.keys(JSON.parse((await stream.next())?.data ?? ''))).toEqual(['at']);
    for (const data of [false, 0, '', [], {}]) {
      await hub.publish({ type: 'a', data });
      expect((await stream.update()).data).toEqual(data);
    }
  });

  test('the same key publishes once', async () => {
    const hub = await start();
    const send = async (body: unknown, key: string) =>
      (await hub.publish(body, { 'idempotency-key': key }))[0] as string;
    const first = await send({ type: 'a' }, 'one');
    expect(await send({ type: 'a' }, 'one')).toBe(first);
    const other = hub.serve('/publish', { type: 'b' }, { 'idempotency-key': 'one' });
    await refused(other, 422, 'idempotency_mismatch');
    expect(await send({ type: 'a' }, 'two')).not.toBe(first);
    // What was refused may be tried again under the same key.
    await refused(hub.serve('/publish', { type: 'tinysse.a' }, { 'idempotency-key': 'three' }), 400, 'reserved_type');
    expect(seqOf(await send({ type: 'a' }, 'three'))).toBe(3);
    for (const key of ['', 'x'.repeat(256), 'k\xe9']) {
      await refused(hub.serve('/publish', { type: 'a' }, { 'idempotency-key': key }), 400, 'bad_idempotency_key');
    }
    // At the same time, too.
    const [a, b] = await Promise.all([send({ type: 'a' }, 'four'), send({ type: 'a' }, 'four')]);
    expect(a).toBe(b);
    // And of several updates, behind others.
    const batch = await hub.publish([{ type: 'a' }, { type: 'b' }], { 'idempotency-key': 'x'.repeat(255) });
    await hub.publish({ type: 'z' });
    expect(await hub.publish([{ type: 'a' }, { type: 'b' }], { 'idempotency-key': 'x'.repeat(255) })).toEqual(batch);
    expect((await hub.publish({ type: 'z' })).map(seqOf)).toEqual([8]);
  });

  test('a publisher announces what it lost', async () => {
    const hub = await start();
    const stream = await hub.stream('ada');
    for (const resync of [[], Array.from({ length: 1_001 }, () => 'a')]) {
      await refused(hub.serve('/publish', { resync }), 400, 'too_many');
    }
    for (const bad of [{ resync: 'a' }, { resync: [1] }, { resync: null, type: 'a' }, [{ resync: null }]]) {
      await refused(hub.serve('/publish', bad), 400, 'bad_json');
    }
    await refused(hub.serve('/publish', { resync: ['a', 'b c'] }), 400, 'bad_type');
    await refused(hub.serve('/publish', { resync: ['tinysse.x'] }), 400, 'reserved_type');
    // The types, without data, for everyone; once for each key.
    const lost = { resync: ['projects', 'compute'] };
    const ids = await hub.publish(lost, { 'idempotency-key': 'r-1' });
    expect(await hub.publish(lost, { 'idempotency-key': 'r-1' })).toEqual(ids);
    for (const [at, type] of lost.resync.entries()) {
      const update = await stream.update();
      expect(update).toMatchObject({ type, id: ids[at] });
      expect(update.envelope).toBe(`{"at":${update.at}}`);
    }
    // Everything.
    const [id] = await hub.publish({ resync: null });
    expect(await stream.resync()).toEqual({ gap: 'overflow', types: undefined, id });
    const [next] = await hub.publish({ type: 'next' });
    expect(seqOf(next as string)).toBe(4);
    expect((await stream.update()).id).toBe(next);
    // A client that was away is notified, too.
    const away = await hub.stream('ada', { query: `lastEventId=${ids[1]}` });
    expect(away.hello).toMatchObject({ gap: 'trimmed', after: next });
  });

  test('the announcement of everything is made once for each key', async () => {
    const hub = await start();
    const stream = await hub.stream('ada');
    const key = { 'idempotency-key': 'r-2' };
    const ids = await hub.publish({ resync: null }, key);
    expect(await hub.publish({ resync: null }, key)).toEqual(ids);
    await refused(hub.serve('/publish', { type: 'a' }, key), 422, 'idempotency_mismatch');
    await hub.publish({ type: 'next' });
    await stream.resync();
    expect((await stream.update()).type).toBe('next');
  });
});
