// Tests of content security policies that refuse wasm or the URL.
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures';
import type { Server } from './server';
import { Site } from './site';

let site: Site;

test.beforeAll(async () => {
  site = await Site.start();
});

test.afterAll(() => site.end());

/**
 * Opens the site's page under a policy; answers the status and the error that its client ends with.
 */
async function under(policy: string, page: Page, server: Server, ends: 'failed' | 'connecting') {
  site.policy = policy;
  await page.goto(`${site.url}/?events=${encodeURIComponent(`${server.url}/events`)}`);
  const snapshot = () =>
    page.evaluate(() => {
      const { status, error, connects } = window.__tinysse?.getSnapshot() ?? {};
      return { status, connects, code: error?.code, message: error?.message, retryable: error?.retryable };
    });
  await expect.poll(async () => (await snapshot()).status).toBe(ends);
  if (ends === 'connecting') await expect.poll(async () => (await snapshot()).connects).toBeGreaterThan(0);
  return snapshot();
}

test('a policy without wasm-unsafe-eval: failed with the code `csp`, and the message names what is needed', async ({
  serve,
  page,
}) => {
  const server = await serve();
  const seen = await under(`script-src 'self'; connect-src 'self' ${server.url}`, page, server, 'failed');
  expect(seen).toMatchObject({ code: 'csp', retryable: false });
  expect(seen.message).toContain("'wasm-unsafe-eval'");
});

test('a policy that forbids the stream: failed with the code `csp`, and it does not try again', async ({
  serve,
  page,
}) => {
  const server = await serve();
  const seen = await under("script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'", page, server, 'failed');
  expect(seen).toMatchObject({ code: 'csp', retryable: false, connects: 1 });
  await page.waitForTimeout(1_500);
  expect(await page.evaluate(() => window.__tinysse.getSnapshot().connects)).toBe(1);
});

test('a policy that allows both: nothing is forbidden', async ({ serve, page }) => {
  const server = await serve();
  const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${server.url}`;
  // Without a token the server answers 401, which a native stream sees as a refusal: the policy is
  // not what it fails by.
  const seen = await under(policy, page, server, 'connecting');
  expect(seen.code).not.toBe('csp');
});
