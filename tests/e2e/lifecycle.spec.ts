// Tests of offline pages and the back/forward cache.
import { expect, test } from './fixtures';

test('offline and online: a stream that lives goes on, a lost one is shown as offline, and what was missed is replayed', async ({
  serve,
  proxyTo,
  visit,
}) => {
  const server = await serve('--retry', '100ms');
  const proxy = await proxyTo(server);
  const tab = await visit(server, 'ada', { events: proxy });
  const context = tab.page.context();
  await tab.hear('tick');
  const tokens = tab.count('POST', '/auth/sse-token');

  await context.setOffline(true);
  const alive = await server.publish({ type: 'tick', data: { n: 0 } });
  await tab.hearsId(alive.at(-1));
  await tab.shows('open');

  proxy.cut();
  await tab.shows('offline');
  const missed = await server.publish([1, 2, 3].map((n) => ({ type: 'tick', data: { n } })));
  await server.rename('Apollo', 'Artemis');

  await context.setOffline(false);
  await tab.shows('open');
  await tab.hearsId(missed.at(-1));
  const heard = await tab.heard();
  expect(heard.map(({ id }) => id)).toEqual([...alive, ...missed]);
  expect(heard.map(({ replayed }) => replayed)).toEqual([false, true, true, true]);
  await expect(tab.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  expect(await tab.snapshot()).toMatchObject({ resyncs: 1, duplicates: 0, error: null });
  expect(tab.count('POST', '/auth/sse-token')).toBe(tokens);
});

test('the back/forward cache: the stream does not keep the page out, and goes on when it comes back', async ({
  serve,
  proxyTo,
  visit,
}) => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const tab = await visit(server, 'ada', { events: proxy });
  const { page } = tab;
  await tab.hear('tick');
  await page.evaluate(() => {
    window.addEventListener('pageshow', ({ persisted }) => {
      document.documentElement.dataset.persisted = String(persisted);
    });
  });

  await page.goto('/healthz');
  // Put away, not gone: and without a listener meanwhile.
  await expect.poll(() => proxy.open).toBe(0);
  const published = await server.publish([0, 1, 2].map((n) => ({ type: 'tick', data: { n } })));
  await server.rename('Apollo', 'Artemis');
  await page.goBack({ waitUntil: 'commit' });

  await expect(page.locator('html'), await whyNot(tab.page)).toHaveAttribute('data-persisted', 'true');
  await tab.shows('open');
  await tab.hearsId(published.at(-1));
  const heard = await tab.heard();
  expect(heard.map(({ id }) => id)).toEqual(published);
  expect(heard.every(({ replayed }) => replayed)).toBe(true);
  await expect(tab.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  await expect(tab.banner).toBeHidden();
  await expect(page.getByTestId('notice')).toBeHidden();
  expect(await tab.snapshot()).toMatchObject({ resyncs: 1, duplicates: 0, error: null });
  expect(proxy.requests).toHaveLength(2);
});

/** Why the browser did not bring the page back as it was. */
function whyNot(page: import('@playwright/test').Page): Promise<string> {
  return page.evaluate(() => {
    const [entry] = performance.getEntriesByType('navigation');
    return JSON.stringify(
      (entry as unknown as { notRestoredReasons?: unknown })?.notRestoredReasons ?? 'no reason told',
    );
  });
}
