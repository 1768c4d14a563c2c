// Tests of `POST /revoke`: streams end at once, and tokens are invalid.
import { expect, test } from 'vitest';
import { type HubClient, refused } from './support/client.js';
import type { HubStream } from './support/hub-stream.js';
import { forEachHub } from './support/hubs.js';
import { claimsOf, now, signed } from './support/tokens.js';

const asked = (hub: HubClient, token: string) =>
  hub.call('GET', '/events', { headers: { authorization: `Bearer ${token}` } });

async function ends(stream: HubStream): Promise<void> {
  expect(await stream.bye()).toEqual({ reason: 'revoked', wait: 0, retry: undefined });
  await stream.end();
}

forEachHub(({ start }) => {
  test('a revoked user is out at once, and comes back by a new token', async () => {
    const hub = await start();
    const token = await hub.token('ada');
    const streams = [await hub.stream('ada'), await hub.stream('ada', { bearer: true, query: 'types=none' })];
    const other = await hub.stream('bob');
    expect(await hub.revoke({ user: 'ada' })).toBe(2);
    for (const stream of streams) await ends(stream);
    await refused(asked(hub, token), 401, 'token_revoked');
    await refused(hub.call('GET', `/events?token=${token}`), 401, 'token_revoked');
    await hub.publish({ type: 'a' });
    expect((await other.update()).type).toBe('a');
    expect(await hub.revoke({ user: 'ada' })).toBe(0);
    expect(await hub.revoke({ user: 'nobody' })).toBe(0);
    const back = await hub.stream('ada');
    await hub.publish({ type: 'b' });
    expect((await back.update()).type).toBe('b');
    // A token that names only the second of its issue counts as issued before.
    await refused(asked(hub, signed({ sub: 'ada' })), 401, 'token_revoked');
  });

  test('a revoked login ends with what it asked for, and others do not', async () => {
    const hub = await start();
    const token = await hub.token({ user: 'ada', session: 'here' });
    const [here, there] = [await hub.stream('ada', { session: 'here' }), await hub.stream('ada', { session: 'there' })];
    expect(await hub.revoke({ jti: 'here' })).toBe(1);
    await ends(here);
    await refused(asked(hub, token), 401, 'token_revoked');
    await refused(hub.serve('/auth/sse-token', { user: 'ada', session: 'here' }), 403, 'forbidden');
    await hub.publish({ type: 'a' });
    expect((await there.update()).type).toBe('a');
    await hub.stream('ada', { session: 'again' });
  });

  test('a token is revoked by its own name', async () => {
    const hub = await start();
    const [token, other] = [await hub.token('ada'), await hub.token('ada')];
    const [stream, kept] = [await hub.stream('ada', { token }), await hub.stream('ada', { token: other })];
    expect(await hub.revoke({ jti: claimsOf(token).jti })).toBe(1);
    await ends(stream);
    await refused(asked(hub, token), 401, 'token_revoked');
    await hub.stream('ada', { token: other });
    await hub.publish({ type: 'a' });
    expect((await kept.update()).type).toBe('a');
  });

  test('everything that was issued before a time is revoked', async () => {
    const hub = await start();
    const old = await hub.stream('eve', { token: signed({ sub: 'eve', iat: now() - 500 }) });
    const stream = await hub.stream('ada');
    expect(await hub.revoke({ before: now() - 1_000 })).toBe(0);
    expect(await hub.revoke({ before: now() - 100 })).toBe(1);
    await ends(old);
    await refused(asked(hub, signed({ sub: 'eve', iat: now() - 500 })), 401, 'token_revoked');
    // Tokens that are issued until then, too.
    expect(await hub.revoke({ before: now() + 100 })).toBe(1);
    await ends(stream);
    const token = await hub.serve('/auth/sse-token', { user: 'ada' });
    if (token.status === 200) await refused(asked(hub, token.json().token as string), 401, 'token_revoked');
    else await refused(Promise.resolve(token), 403, 'forbidden');
  });

  test('a stream that lingers is ended by a revocation', async () => {
    const hub = await start({ streamAge: 200, linger: 60_000 });
    const stream = await hub.stream('ada');
    expect((await stream.bye()).reason).toBe('rotate');
    // Nothing that comes before the next stream is open has to wait for it.
    await hub.publish({ type: 'a' });
    expect((await stream.update()).type).toBe('a');
    expect(await hub.revoke({ user: 'ada' })).toBe(1);
    await ends(stream);
  });

  test('a body that names nothing, or too much, revokes nothing', async () => {
    const hub = await start();
    const stream = await hub.stream('ada');
    for (const body of [
      ...[{}, { user: '' }, { user: 'a', jti: 'b' }, { user: 'a\nb' }, { jti: 'x'.repeat(256) }, { jti: '' }],
      ...[{ before: now() * 1_000 }, { before: now() + 2 * 86_400 }, { user: null }, { user: 'a', before: 1 }],
    ]) {
      await refused(hub.serve('/revoke', body), 400, 'bad_request');
    }
    for (const body of [{ user: 1 }, { jti: [] }, { before: '1' }, { before: -1 }, { before: 1.5 }, { who: 'ada' }]) {
      await refused(hub.serve('/revoke', body), 400, 'bad_json');
    }
    for (const body of [[], 'ada', null, { user: 'ada', more: 1 }]) {
      await refused(hub.serve('/revoke', body), 400, 'bad_json');
    }
    await hub.publish({ type: 'a' });
    expect((await stream.update()).type).toBe('a');
  });
});
