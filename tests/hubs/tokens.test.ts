// Tests of tokens: how they are asked for, and which ones open a stream.
import { expect, test } from 'vitest';
import { until } from './support/bound.js';
import { refused } from './support/client.js';
import { forEachHub } from './support/hubs.js';
import { PUBLISH_KEY } from './support/target.js';
import { claimsOf, now, signed } from './support/tokens.js';

const OTHER_SECRET = 'another-secret-of-the-suite-with-32-bytes';

forEachHub(({ start }) => {
  test('every refusal of a token has its code, as a bearer and in the address', async () => {
    const hub = await start();
    await refused(hub.call('GET', '/events'), 401, 'token_missing');
    await refused(hub.call('GET', '/events?token='), 401, 'token_missing');
    const good = signed();
    const [head, payload, signature] = good.split('.');
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const cases: [why: string, token: string, code: string][] = [
      ['expired in this second', signed({ exp: now() }), 'token_expired'],
      ['expired long ago', signed({ exp: 1 }), 'token_expired'],
      ['nonsense', 'nonsense', 'token_invalid'],
      ['another secret', signed({}, OTHER_SECRET), 'token_invalid'],
      ['expired, of another secret', signed({ exp: 1 }, OTHER_SECRET), 'token_invalid'],
      ['for another audience', signed({ aud: 'tinysse-app' }), 'token_invalid'],
      ['by another issuer', signed({ iss: 'eve' }), 'token_invalid'],
      ['without an algorithm', `${none}.${payload}.`, 'token_invalid'],
      ['without a signature', `${head}.${payload}.`, 'token_invalid'],
      ['with more behind it', `${good}.x`, 'token_invalid'],
      [
        'changed',
        `${head}.${payload}.${signature?.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`,
        'token_invalid',
      ],
      ['critical', signed({}, undefined, { crit: ['x'], x: 1 }), 'token_invalid'],
      ['of another algorithm', signed({}, undefined, { alg: 'HS384' }), 'token_invalid'],
      ['not valid yet', signed({ nbf: now() + 60 }), 'token_invalid'],
      ['issued in the future', signed({ iat: now() + 60 }), 'token_invalid'],
      ['without a user', signed({ sub: undefined }), 'token_invalid'],
      ['with an empty user', signed({ sub: '' }), 'token_invalid'],
      ['with a line break in the user', signed({ sub: 'ada\nadmin' }), 'token_invalid'],
      ['with a NUL in the role', signed({ role: 'a\0' }), 'token_invalid'],
      ['with a line break in a channel', signed({ channels: ['ops\r'] }), 'token_invalid'],
      ['with a claim of another type', signed({ channels: 'ops' }), 'token_invalid'],
      ['without an end', signed({ exp: undefined }), 'token_invalid'],
      ['longer than 8 KiB', signed({ more: 'x'.repeat(9_000) }), 'token_invalid'],
    ];
    for (const [why, token, code] of cases) {
      const inAddress = await refused(hub.call('GET', `/events?token=${token}`), 401, code);
      expect(inAddress.detail, why).not.toContain(token);
      await refused(hub.call('GET', '/events', { headers: { authorization: `Bearer ${token}` } }), 401, code);
    }
  });

  test('a good token has what it needs, and may have more', async () => {
    const hub = await start();
    for (const claims of [
      {},
      { aud: ['another', 'tinysse'] },
      { role: null, channels: null, nbf: null, iat: null, jti: null, sid: null, gen: null, auth_ms: null },
      { iat: undefined, jti: undefined },
      { nbf: now() + 3, iat: now() + 3 },
      { unknown: { to: 'both' } },
    ]) {
      await hub.stream('ada', { token: signed(claims) });
    }
    const stream = await hub.stream('ada', { token: signed({ sub: 'zoë', role: 'admin', channels: ['ops.>'] }) });
    await hub.publish([
      { type: 'a', to: 'user:ada' },
      { type: 'b', to: 'user:zoë' },
      { type: 'c', to: 'role:admin' },
      { type: 'd', to: 'channel:ops.eu' },
    ]);
    expect(await stream.typesUntil('d')).toEqual(['b', 'c', 'd']);
  });

  test('a bearer counts, also against a good token in the address', async () => {
    const hub = await start();
    const [good, expired] = [signed(), signed({ exp: 1 })];
    await hub.stream('ada', { token: 'nonsense', headers: { authorization: `Bearer ${good}` } });
    for (const [bearer, code] of [
      [expired, 'token_expired'],
      ['a b', 'token_invalid'],
      [`${good} x`, 'token_invalid'],
    ]) {
      const asked = hub.call('GET', `/events?token=${good}`, { headers: { authorization: `Bearer ${bearer}` } });
      await refused(asked, 401, code as string);
    }
    // What is no bearer is not the hub's.
    await hub.stream('ada', { token: good, headers: { authorization: 'Basic eDp5' } });
    await refused(hub.call('GET', '/events', { headers: { authorization: `Basic ${good}` } }), 401, 'token_missing');
  });

  test('a service asks for the token of a user', async () => {
    const hub = await start({ tokenTtl: 30_000 });
    const asked = { user: 'ada', role: 'admin', channels: ['ops.>', 'a.*.b'], session: 's-1' };
    const answer = await hub.serve('/auth/sse-token', asked);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    const { token, ...rest } = answer.json() as { token: string };
    expect(rest).toEqual({ expires_in: 30, user: 'ada' });
    const claims = claimsOf(token);
    const { gen, iat, exp, jti } = claims as Record<string, number | string>;
    expect(claims).toEqual({
      ...{ iss: 'tinysse', aud: 'tinysse', sub: 'ada', role: 'admin', channels: asked.channels, sid: 's-1' },
      ...{ gen, iat, exp, jti },
    });
    expect(gen).toBeGreaterThan(1_700_000_000_000);
    expect([30, 31]).toContain(Number(exp) - Number(iat));
    expect(jti).toMatch(/^[0-9a-f]{16,}$/);
    expect(claimsOf(await hub.token(asked)).jti).not.toBe(jti);
    const plain = claimsOf(await hub.token({ user: 'ada' }));
    expect(plain).toMatchObject({ role: '', channels: [] });
    expect('sid' in plain).toBe(false);
    await hub.serve('/auth/sse-token', { user: 'ada', role: null, channels: null, session: null });
  });

  test('a token is not issued for what has no sound name', async () => {
    const hub = await start();
    const asked = (body: unknown) => hub.serve('/auth/sse-token', body);
    const long = 'x'.repeat(256);
    for (const body of [
      ...[{ user: '' }, { user: 'a\nb' }, { user: long }, { user: 'é'.repeat(128) }, { user: '\x7f' }],
      ...[
        { user: 'a', role: 'x\0' },
        { user: 'a', role: long },
        { user: 'a', session: long },
        { user: 'a', session: '\r' },
      ],
      ...[
        { user: 'a', channels: ['\n'] },
        { user: 'a', channels: [''] },
        { user: 'a', channels: [long] },
      ],
      { user: 'a', channels: Array.from({ length: 1_001 }, () => 'c') },
      { user: 'a', channels: [Array.from({ length: 33 }, () => 'c').join('.')] },
      // Each of them sound, and too many for one token.
      { user: 'a', channels: Array.from({ length: 100 }, (_, n) => `${n}${'x'.repeat(200)}`) },
    ]) {
      await refused(asked(body), 422, 'bad_name');
    }
    for (const body of [
      {},
      { user: 1 },
      { user: 'a', admin: true },
      { user: 'a', role: 1 },
      { user: 'a', session: {} },
    ]) {
      await refused(asked(body), 400, 'bad_json');
    }
    for (const body of [{ user: 'a', channels: 'c' }, { user: 'a', channels: [1] }, [], 'a', null]) {
      await refused(asked(body), 400, 'bad_json');
    }
    await refused(hub.serveText('/auth/sse-token', '{"user":'), 400, 'bad_json');
    for (const user of ['x'.repeat(255), 'é'.repeat(127), ' ', '../../etc', '{"a":1}']) {
      const stream = await hub.stream(user);
      await hub.publish([{ type: 'a', to: `user:${user}` }]);
      expect((await stream.update()).type).toBe('a');
    }
  });

  test('a page asks for the token of its own user', async () => {
    const hub = await start();
    const headers = await hub.hub.logIn('ada', 'admin', ['ops']);
    const ask = (more: object = {}) => hub.call('POST', '/auth/sse-token', { headers, ...more });
    // A body is ignored: the session names the user.
    for (const answer of [await ask(), await ask({ json: { user: 'eve' } }), await ask({ body: 'user=eve' })]) {
      expect(answer.status, answer.text).toBe(200);
      expect(answer.headers['cache-control']).toBe('no-store');
      const { token, expires_in, user } = answer.json();
      expect({ expires_in, user }).toEqual({ expires_in: 60, user: 'ada' });
      expect(claimsOf(token as string)).toMatchObject({ sub: 'ada', role: 'admin', channels: ['ops'] });
      await hub.stream('ada', { token: token as string });
    }
    const bad: Record<string, string>[] = [{}, { authorization: 'Bearer guessed' }, { cookie: 'login=99' }];
    bad.push({ authorization: `Bearer ${await hub.token('ada')}` }, { authorization: `Basic ${PUBLISH_KEY}` });
    for (const other of bad) {
      await refused(hub.call('POST', '/auth/sse-token', { headers: other }), 401, 'unauthenticated');
    }
  });

  test('a secret is not among the public keys', async () => {
    const hub = await start();
    const answer = await hub.call('GET', '/.well-known/jwks.json');
    expect([answer.status, answer.json()]).toEqual([200, { keys: [] }]);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/jwk-set+json',
      'cache-control': 'public, max-age=60',
      'referrer-policy': 'no-referrer',
    });
  });

  test('a single-use token opens one stream', async () => {
    const hub = await start({ singleUse: true, streams: 2 });
    const [token, bearer] = [await hub.token('ada'), true];
    const asked = (shown: string) => hub.call('GET', '/events', { headers: { authorization: `Bearer ${shown}` } });
    const first = await hub.stream('ada', { token });
    // The browser's own retry comes with the same address: it has to ask for a new token.
    await refused(hub.call('GET', `/events?token=${token}`), 401, 'token_used');
    first.close();
    await refused(asked(token), 401, 'token_used');
    const open = async (count: number) => (await hub.metric('tinysse_streams_open')) === count;
    await until('no stream is open', () => open(0));
    // A client that is sent away has not used its token.
    const streams = [await hub.stream('ada'), await hub.stream('ada')];
    const kept = await hub.token('ada');
    await refused(asked(kept), 503, 'busy');
    for (const stream of streams) stream.close();
    await until('no stream is open', () => open(0));
    (await hub.stream('ada', { token: kept, bearer })).close();
    await refused(asked(kept), 401, 'token_used');
    // Without a name it cannot be distinguished from others.
    await refused(asked(signed({ jti: undefined })), 401, 'token_used');
  });

  test('of many streams at once with a single-use token one is opened', async () => {
    const hub = await start({ singleUse: true });
    const token = await hub.token('ada');
    const asked = Array.from({ length: 8 }, async () => {
      const answer = hub.call('GET', '/events', { headers: { authorization: `Bearer ${token}` } });
      return answer.then(
        ({ status }) => status,
        (error: Error) => (error.message.startsWith('a stream was opened') ? 200 : Promise.reject(error)),
      );
    });
    const statuses = await Promise.all(asked);
    expect(statuses.sort()).toEqual([200, 401, 401, 401, 401, 401, 401, 401]);
  });

  test('a stream may end with its token', async () => {
    const hub = await start({ endWithToken: true, linger: 100 });
    const stream = await hub.stream('ada', { token: signed({ exp: now() + 2 }) });
    await hub.publish({ type: 'a' });
    expect((await stream.update()).type).toBe('a');
    expect(await stream.bye()).toEqual({ reason: 'token', wait: 0, retry: undefined });
    // Open for the linger time, without updates.
    await hub.publish({ type: 'b' });
    await stream.end();
  });
});
