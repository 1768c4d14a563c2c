// Tests of tokens that expire while streams are cut.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from './fixtures';
import type { Relay } from './proxy';
import type { Server } from './server';
import type { Tab } from './tab';

const ROTATIONS = 10;
const token = ['POST', '/auth/sse-token'] as const;

test.describe('a token that lives two seconds', () => {
  test.setTimeout(120_000);

  test(`${ROTATIONS} cuts: the client knows that its token is over, and asks for another before it opens`, async ({
    serve,
    proxyTo,
    visit,
  }) => {
    const server = await serve('--token-ttl', '2s');
    const proxy = await proxyTo(server);
    const tab = await visit(server, 'ada', { events: proxy, clock: true });
    const published = await rotate(server, proxy, tab, false);
    await complete(tab, published);
    // Every request had a token of its own, and none was refused.
    expect(tab.count(...token)).toBe(ROTATIONS + 1);
    expect(tokens(proxy)).toHaveLength(ROTATIONS + 1);
    expect(new Set(tokens(proxy)).size).toBe(ROTATIONS + 1);
  });

  test(`${ROTATIONS} cuts, and the provider does not report how long a token lives: the server refuses the browser's retry`, async ({
    serve,
    proxyTo,
    visit,
  }) => {
    const server = await serve('--token-ttl', '2s', '--retry', '100ms');
    const proxy = await proxyTo(server);
    const tab = await visit(server, 'ada', {
      events: proxy,
      clock: true,
      before: ({ page }) =>
        page.route('**/auth/sse-token', async (route) => {
          const response = await route.fetch();
          const { token } = await response.json();
          await route.fulfill({ response, json: { token } });
        }),
    });
    const published = await rotate(server, proxy, tab, true);
    await complete(tab, published);
    // Each token was used three times: by its own stream, by the browser's retry of it, which was
    // refused, and to learn why.
    expect(tab.count(...token)).toBe(ROTATIONS + 1);
    expect(tokens(proxy)).toHaveLength(3 * ROTATIONS + 1);
    expect(new Set(tokens(proxy)).size).toBe(ROTATIONS + 1);
  });
});

const tokens = (proxy: Relay) => proxy.requests.map(({ query }) => query.get('token') ?? '');

/**
 * Cuts the stream each time its token is over, for the server too if wanted, and publishes while it
 * is away. Answers all ids.
 */
async function rotate(server: Server, proxy: Relay, tab: Tab, overForAll: boolean): Promise<string[]> {
  const published: string[] = [];
  await tab.hear('tick');
  for (let n = 0; n < ROTATIONS; n++) {
    published.push(...(await server.publish({ type: 'tick', data: { n: -1 } })));
    await tab.hearsId(published.at(-1));
    // The stream proved good, and in the page's time its token is over.
    await tab.page.clock.runFor(5_100);
    if (overForAll) await over(tokens(proxy).at(-1) ?? '');
    proxy.hold();
    proxy.cut();
    published.push(...(await server.publish([0, 1, 2].map((n) => ({ type: 'tick', data: { n } })))));
    proxy.admit();
    await tab.hearsId(published.at(-1));
    await tab.shows('open');
  }
  return published;
}

/** Waits until the token is over: `exp` is in whole seconds. */
async function over(jwt: string): Promise<void> {
  const { exp } = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
  await sleep(Math.max(0, (exp + 1) * 1000 - Date.now()));
}

/** Everything came once and in order, and what was missed is marked as replayed. */
async function complete(tab: Tab, published: string[]): Promise<void> {
  const heard = await tab.heard();
  expect(heard.map(({ id }) => id)).toEqual(published);
  // One of four was live.
  expect(heard.map(({ replayed }) => replayed)).toEqual(heard.map(({ n }) => n >= 0));
  expect(await tab.snapshot()).toMatchObject({ status: 'open', duplicates: 0, resyncs: 1, error: null });
}
