// Tests of a user who is revoked.
import { expect, test } from './fixtures';

test('a user who is revoked: failed with a typed error, no storm, and back after a new login', async ({
  serve,
  proxyTo,
  visit,
}) => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const tab = await visit(server, 'ada', { events: proxy });
  const bob = await visit(server, 'bob');
  const token = ['POST', '/auth/sse-token'] as const;

  await server.revoke('ada');
  await tab.shows('failed');
  await expect(tab.banner).toBeVisible();
  expect((await tab.snapshot()).error).toMatchObject({ code: 'unauthorized', status: 401, retryable: false });
  // It asked once, was refused, and that was all.
  expect(tab.count(...token)).toBe(2);
  expect(proxy.requests).toHaveLength(1);
  await tab.page.waitForTimeout(3_000);
  expect(tab.count(...token)).toBe(2);
  expect(proxy.requests).toHaveLength(1);
  await bob.shows('open');

  // Without a login the way out leads nowhere, and costs one question.
  await tab.page.getByTestId('banner-reconnect').click();
  await expect.poll(() => tab.count(...token)).toBe(3);
  await tab.shows('failed');
  expect(proxy.requests).toHaveLength(1);

  // What changes meanwhile is there afterwards.
  await bob.rename('Gemini', 'Jemini');
  await tab.page.getByTestId('login-submit').click();
  await tab.shows('open');
  await expect(tab.banner).toBeHidden();
  await expect(tab.names).toHaveText(['Apollo', 'Jemini', 'Mercury']);
  await bob.rename('Mercury', 'Hermes');
  await expect(tab.names).toHaveText(['Apollo', 'Jemini', 'Hermes']);
  expect(proxy.requests).toHaveLength(2);
});
