// Tests of a connection that is cut many times.
import { expect, test } from './fixtures';
import { Feed } from './server';

const CUTS = 50;
/** The time after which a stream counts as stable, in the page's time ... */
const PROVEN = 5_100;
/** ... and this many losses are left to the browser. */
const TRUSTED = 3;

test.describe('a stream that the network cuts', () => {
  test.setTimeout(240_000);

  test(`${CUTS} cuts under a steady feed: the browser retries by itself, nothing is lost or doubled`, async ({
    serve,
    proxyTo,
    visit,
  }) => {
    const server = await serve('--retry', '100ms', '--token-ttl', '1h');
    const proxy = await proxyTo(server);
    const tab = await visit(server, 'ada', { events: proxy, clock: true });
    await tab.hear('tick');
    const feed = new Feed(server, 'tick', 10);

    for (let cut = 0; cut < CUTS; cut++) {
      await tab.hearsMore();
      if (cut % TRUSTED === 0) await tab.page.clock.runFor(PROVEN);
      // At another place of a frame each time, by reset and by a plain close in turns.
      proxy.cutAfter(1 + cut * 37, cut % 2 === 0 ? 'reset' : 'close');
      await expect.poll(() => proxy.counters.cut, { intervals: [10] }).toBe(cut + 1);
      await expect.poll(() => proxy.requests.length, { intervals: [10] }).toBe(cut + 2);
    }
    const published = await feed.stop();
    await tab.hearsId(published.at(-1));

    const heard = await tab.heard();
    expect(heard.map(({ id }) => id)).toEqual(published);
    expect(heard.map(({ n }) => n)).toEqual(published.map((_, n) => n));
    expect(heard.filter(({ replayed }) => replayed).length).toBeGreaterThan(0);

    // All by the browser: the same address, so the same token, with the cursor in the header.
    const [first, ...retries] = proxy.requests;
    expect(retries).toHaveLength(CUTS);
    expect(new Set(proxy.requests.map(({ url }) => url)).size).toBe(1);
    expect(first?.query.get('token')).toMatch(/^ey/);
    expect(first?.headers.has('last-event-id')).toBe(false);
    const epoch = published[0]?.split('.')[0];
    for (const retry of retries) expect(retry.headers.get('last-event-id')).toMatch(new RegExp(`^${epoch}\\.\\d+$`));
    expect(tab.count('POST', '/auth/sse-token')).toBe(1);
    expect(await tab.snapshot()).toMatchObject({ connects: CUTS + 1, duplicates: 0, resyncs: 1, status: 'open' });
  });

  test('cuts that come faster than a stream can prove good: after three retries the client takes over', async ({
    serve,
    proxyTo,
    visit,
  }) => {
    const server = await serve('--retry', '50ms');
    const proxy = await proxyTo(server);
    const tab = await visit(server, 'ada', { events: proxy });
    await tab.hear('tick');
    const feed = new Feed(server, 'tick', 10);
    for (let cut = 0; cut < 5; cut++) {
      await tab.hearsMore();
      proxy.cut();
      await expect.poll(() => proxy.requests.length, { intervals: [10], timeout: 20_000 }).toBe(cut + 2);
    }
    const published = await feed.stop();
    await tab.hearsId(published.at(-1));
    expect((await tab.heard()).map(({ id }) => id)).toEqual(published);

    const byBrowser = proxy.requests.map(({ headers }) => headers.has('last-event-id'));
    expect(byBrowser).toEqual([false, true, true, true, false, false]);
    // A stream that the client reopens resumes from the cursor in its address, with the token in
    // hand.
    for (const request of proxy.requests.slice(4)) expect(request.query.get('lastEventId')).toMatch(/^\w+\.\d+$/);
    expect(tab.count('POST', '/auth/sse-token')).toBe(1);
    expect(await tab.snapshot()).toMatchObject({ duplicates: 0, resyncs: 1 });
  });

  test('a half-open connection is found by its silence, and nothing is lost', async ({ serve, proxyTo, visit }) => {
    const server = await serve('--beat', '400ms');
    const proxy = await proxyTo(server);
    const tab = await visit(server, 'ada', { events: proxy });
    await tab.hear('tick');
    proxy.stall();
    const began = Date.now();
    const published = await server.publish([0, 1, 2, 3, 4].map((n) => ({ type: 'tick', data: { n } })));
    await tab.hearsId(published.at(-1));
    // Two beats, and the first backoff of at most a second; the rest is a busy machine.
    expect(Date.now() - began).toBeLessThan(8_000);
    const heard = await tab.heard();
    expect(heard.map(({ id }) => id)).toEqual(published);
    expect(heard.every(({ replayed }) => replayed)).toBe(true);
    await tab.shows('open');
    expect(proxy.requests).toHaveLength(2);
  });
});
