// A network that loses requests for the parts of the package that are loaded later.
import { expect, test } from '@playwright/test';
import { connect, Site } from './site';

let site: Site;

test.beforeEach(async () => {
  site = await Site.start();
});

test.afterEach(() => site.end());

const update = ['projects', 7];
const lost = 3;

for (const [transport, chunks] of [
  ['eventsource', ['wasm/glue.js', 'loader/inlined.js', 'wasm/inline.js']],
  ['fetch', ['wasm/fetch/glue.js', 'loader/inlined-fetch.js', 'wasm/fetch/inline.js']],
] as const) {
  for (const chunk of chunks) {
    test(`${transport}: the first requests for ${chunk} are lost, and it connects`, async ({ page }) => {
      site.drops.set(`/pkg/${chunk}`, lost);
      await page.goto(site.url);
      await connect(page, `{ url: '/events', transport: '${transport}', quiet: true }`);
      await expect.poll(() => page.evaluate('seen'), { timeout: 30_000 }).toContainEqual(update);
      const seen = (await page.evaluate('seen')) as unknown[][];
      expect(seen[0]?.[0], 'it was told').toBe('wasm');
      expect(await page.evaluate('sse.getSnapshot()')).toMatchObject({ status: 'open', error: null });
    });
  }
}

test('while it waits: `connecting`, the error, the number of attempts, and when the next is due', async ({ page }) => {
  site.drops.set('/pkg/wasm/glue.js', 1_000);
  await page.goto(site.url);
  await connect(page, "{ url: '/events', quiet: true }");
  await expect.poll(() => page.evaluate('sse.getSnapshot().attempt')).toBeGreaterThan(1);
  const { status, error, retryAt } = (await page.evaluate(
    '({ ...sse.getSnapshot(), error: sse.getSnapshot().error?.toJSON() })',
  )) as { status: string; error: object; retryAt: number };
  expect(status).toBe('connecting');
  expect(error).toMatchObject({ code: 'wasm', retryable: true });
  expect(retryAt).toBeGreaterThan(Date.now() - 1_000);
  expect(
    site.asked('/pkg/wasm/glue.js').some((url) => url.includes('?retry=')),
    'a fresh address is tried',
  ).toBe(true);
});

test('a long wait ends when the network is back', async ({ page }) => {
  site.drops.set('/pkg/wasm/glue.js', 1_000);
  // The longest delays: the network, not the clock, must end one.
  await page.addInitScript(() => {
    Math.random = () => 1;
  });
  await page.goto(site.url);
  await connect(page, "{ url: '/events', quiet: true }");
  await expect.poll(() => page.evaluate('sse.getSnapshot().attempt'), { timeout: 30_000 }).toBe(4);
  expect(await page.evaluate('sse.getSnapshot().retryAt - Date.now()')).toBeGreaterThan(5_000);
  site.drops.clear();
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await expect.poll(() => page.evaluate('seen'), { timeout: 3_000 }).toContainEqual(update);
});

test('released or closed while it waits, nothing is asked for again', async ({ page }) => {
  site.drops.set('/pkg/wasm/glue.js', 1_000);
  await page.goto(site.url);
  await connect(page, "{ url: '/events', quiet: true }");
  await expect.poll(() => page.evaluate('sse.getSnapshot().attempt')).toBeGreaterThan(0);
  await page.evaluate('sse.close()');
  const asked = site.asked('/pkg/wasm/glue.js').length;
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.evaluate(() => fetch('/pkg/package.json')); // whatever was asked before this came before it
  expect(site.asked('/pkg/wasm/glue.js').length).toBe(asked);
  expect(await page.evaluate('sse.getSnapshot().status')).toBe('idle');
});

for (const [part, options] of [
  ['plugins/index.js', 'persist: true, log: () => {}'],
  ['plugins/index.js', "persist: true, user: 'ada'"],
] as const) {
  test(`without ${part} it connects with ${options}: the requests for it are lost`, async ({ page }) => {
    site.drops.set(`/pkg/${part}`, 1_000);
    await page.goto(site.url);
    await connect(page, `{ url: '/events', ${options} }`);
    await expect.poll(() => page.evaluate('seen')).toContainEqual(update);
  });

  test(`without ${part} it connects with ${options}: the request for it is never answered`, async ({ page }) => {
    site.hangs.add(`/pkg/${part}`);
    await page.goto(site.url);
    await connect(page, `{ url: '/events', ${options} }`);
    await expect.poll(() => page.evaluate('seen')).toContainEqual(update);
  });
}
