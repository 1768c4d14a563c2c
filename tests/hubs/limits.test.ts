// Tests of limits: streams in all and of a user, tokens of a user and of an address.
import { expect, test } from 'vitest';
import { until } from './support/bound.js';
import { type HubClient, refused } from './support/client.js';
import { forEachHub } from './support/hubs.js';

/** Opens no stream, over either transport. */
async function full(hub: HubClient, user: string): Promise<void> {
  const token = await hub.token(user);
  const { headers } = await refused(
    hub.call('GET', '/events', { headers: { authorization: `Bearer ${token}` } }),
    503,
    'busy',
  );
  expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(3);
  // A native EventSource takes a 503 for final, so it gets a stream with a bye.
  const native = await hub.open(user, { token });
  expect(native.events.headers).toMatchObject({
    'cache-control': 'no-store, no-transform',
    'tinysse-wire': '1',
    'x-accel-buffering': 'no',
    'referrer-policy': 'no-referrer',
  });
  const bye = await native.bye();
  expect(bye).toEqual({ reason: 'drain', wait: bye.retry, retry: bye.wait });
  expect(bye.wait).toBeGreaterThanOrEqual(2_500);
  await native.end();
}

forEachHub(({ start }) => {
  test('a full hub sends clients away with a time to come back', async () => {
    const hub = await start({ streams: 2 });
    const streams = [await hub.stream('ada'), await hub.stream('bob')];
    await full(hub, 'eve');
    expect(await hub.metric('tinysse_streams_shed_total')).toBe(2);
    streams[0]?.close();
    await until('there is space again', async () => (await hub.metric('tinysse_streams_open')) === 1);
    await hub.stream('eve');
    await full(hub, 'ada');
  });

  test('a user has a number of streams, and others have theirs', async () => {
    const hub = await start({ streamsPerUser: 2 });
    const streams = [await hub.stream('ada'), await hub.stream('ada', { bearer: true })];
    await full(hub, 'ada');
    await hub.stream('bob');
    streams[0]?.close();
    await until('there is space again', async () => (await hub.metric('tinysse_streams_open')) === 2);
    await hub.stream('ada');
    await full(hub, 'ada');
    // A stream that was ended counts no more.
    expect(await hub.revoke({ user: 'ada' })).toBe(2);
    await until('there is space again', async () => (await hub.metric('tinysse_streams_open')) === 1);
    await hub.stream('ada');
  });

  test('tokens of a user have a rate', async () => {
    const hub = await start({ tokensPerUser: 3 });
    for (let n = 0; n < 3; n++) await hub.token('ada');
    const { headers } = await refused(hub.serve('/auth/sse-token', { user: 'ada' }), 429, 'too_many_requests');
    // One in twenty seconds.
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(20);
    await hub.token('bob');
    // It is the user's rate, also if a page asks.
    const page = { headers: await hub.hub.logIn('ada') };
    await refused(hub.call('POST', '/auth/sse-token', page), 429, 'too_many_requests');
    // No name without a bound is remembered.
    await refused(hub.serve('/auth/sse-token', { user: 'x'.repeat(300) }), 422, 'bad_name');
    expect(await hub.metric('tinysse_auth_failures_total', { code: 'too_many_requests' })).toBe(2);
  });

  test('tokens of an address have a rate, which is not that of services', async () => {
    const hub = await start({ tokensPerAddress: 2 });
    const login = await hub.hub.logIn('ada');
    const from = (address: string) =>
      hub.call('POST', '/auth/sse-token', { headers: { ...login, 'x-forwarded-for': address } });
    for (let n = 0; n < 2; n++) expect((await from('192.0.2.1')).status).toBe(200);
    const { headers } = await refused(from('192.0.2.1'), 429, 'too_many_requests');
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(30);
    expect((await from('192.0.2.2')).status).toBe(200);
    // What a client writes in front of the proxy's own entry does not count.
    await refused(from('192.0.2.99, 192.0.2.1'), 429, 'too_many_requests');
    // Guessing costs as much as knowing.
    const guess = () => hub.call('POST', '/auth/sse-token', { headers: { 'x-forwarded-for': '192.0.2.3' } });
    for (let n = 0; n < 2; n++) await refused(guess(), 401, 'unauthenticated');
    await refused(guess(), 429, 'too_many_requests');
    for (let n = 0; n < 5; n++) await hub.token('ada');
  });
});
