// Tests of which origins may read answers.
import { expect, test } from 'vitest';
import { refused } from './support/client.js';
import { forEachHub } from './support/hubs.js';

const APP = 'https://app.example';
const OTHERS = [
  'https://evil.example',
  'null',
  'https://app.example.evil.example',
  'http://app.example',
  'HTTPS://APP.EXAMPLE',
];

const words = (text: string | undefined) => (text ?? '').toLowerCase().split(/ *, */);

forEachHub(({ start }) => {
  test('a listed origin may read streams, with credentials', async () => {
    const hub = await start({ cors: ['http://localhost:5173', APP] });
    for (const origin of ['http://localhost:5173', APP]) {
      const { headers } = (await hub.stream('ada', { headers: { origin } })).events;
      expect(headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'referrer-policy': 'no-referrer',
      });
      const exposed = words(headers['access-control-expose-headers']);
      expect(exposed).toEqual(expect.arrayContaining(['tinysse-wire', 'tinysse-cursor', 'retry-after']));
      // A cache must not give one origin the answer for another.
      expect(words(headers.vary)).toContain('origin');
    }
  });

  test('other origins may not, and nobody may if none is listed', async () => {
    const [listed, open] = [await start({ cors: [APP] }), await start()];
    for (const origin of OTHERS) {
      const { headers } = (await listed.stream('ada', { headers: { origin } })).events;
      expect(headers['access-control-allow-origin'], origin).toBeUndefined();
      expect(words(headers.vary)).toContain('origin');
    }
    for (const headers of [{ origin: APP }, {}]) {
      const without = (await open.stream('ada', { headers })).events.headers;
      expect(without['access-control-allow-origin']).toBeUndefined();
      const refusal = await refused(open.call('GET', '/events', { headers }), 401, 'token_missing');
      expect(refusal.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  test('refusals are readable, too: a client must see why', async () => {
    const hub = await start({ cors: [APP] });
    const headers = { origin: APP };
    const { headers: missing } = await refused(hub.call('GET', '/events', { headers }), 401, 'token_missing');
    expect(missing['access-control-allow-origin']).toBe(APP);
    const { headers: wrong } = await refused(hub.serve('/publish', {}, headers), 400, 'bad_json');
    expect(wrong['access-control-allow-origin']).toBe(APP);
    const { headers: login } = await refused(hub.call('POST', '/auth/sse-token', { headers }), 401, 'unauthenticated');
    expect(login['access-control-allow-origin']).toBe(APP);
    const token = await hub.serve('/auth/sse-token', { user: 'ada' }, headers);
    expect([token.status, token.headers['access-control-allow-origin']]).toEqual([200, APP]);
  });

  test('a preflight names the methods and headers that are allowed', async () => {
    const hub = await start({ cors: [APP] });
    const preflight = (origin: string, path: string, method: string) =>
      hub.call('OPTIONS', path, {
        headers: {
          origin,
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,content-type',
        },
      });
    for (const [path, method] of [
      ['/events', 'GET'],
      ['/auth/sse-token', 'POST'],
      ['/publish', 'POST'],
    ] as const) {
      const { status, headers, text } = await preflight(APP, path, method);
      expect([status, text]).toEqual([200, '']);
      expect(headers).toMatchObject({
        'access-control-allow-origin': APP,
        'access-control-allow-credentials': 'true',
        'access-control-max-age': '600',
      });
      expect(words(headers['access-control-allow-methods'])).toContain(method.toLowerCase());
      expect(words(headers['access-control-allow-headers'])).toEqual(
        expect.arrayContaining([
          ...['authorization', 'content-type', 'cache-control', 'last-event-id'],
          ...['x-tinysse-origin', 'idempotency-key'],
        ]),
      );
      expect(words(headers.vary)).toContain('origin');
    }
    for (const origin of OTHERS) {
      const { headers } = await preflight(origin, '/events', 'GET');
      expect(headers['access-control-allow-origin'], origin).toBeUndefined();
    }
  });
});
