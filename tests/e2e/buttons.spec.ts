// Tests of the buttons of the live page that disturb the connection.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from './fixtures';

const list = ['GET', '/api/projects'] as const;
const token = ['POST', '/auth/sse-token'] as const;

test('the button that expires the token: the next cut rotates it, and what was missed is replayed', async ({
  serve,
  proxyTo,
  visit,
}) => {
  const server = await serve('--retry', '100ms');
  const proxy = await proxyTo(server);
  const tab = await visit(server, 'ada', { events: proxy });
  expect(tab.count(...token)).toBe(1);

  const expired = tab.page.waitForResponse('**/dev/expire');
  await tab.press('expire');
  expect((await expired).ok()).toBe(true);
  // A client that comes back waits until the change is made.
  proxy.hold();
  await tab.press('cut');
  await tab.shows('reconnecting');
  await server.rename('Apollo', 'Artemis');
  proxy.admit();

  await expect(tab.rows({ type: 'projects', replayed: 'true' })).toHaveCount(1);
  await expect(tab.rows({ type: 'projects', replayed: 'true' }).getByText('replayed')).toBeVisible();
  await tab.shows('open');
  await expect(tab.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  expect(tab.count(...token)).toBe(2);
  // The first stream, the browser's retry with the old token (refused), the question for the
  // status, and the new token.
  expect(proxy.requests).toHaveLength(4);
  const used = proxy.requests.map(({ query }) => query.get('token'));
  expect(used.slice(1, 3)).toEqual([used[0], used[0]]);
  expect(used[3]).not.toBe(used[0]);
});

test('the button that cuts the connection: the browser is back by itself, with the same token', async ({
  serve,
  proxyTo,
  visit,
}) => {
  const server = await serve('--retry', '100ms');
  const proxy = await proxyTo(server);
  const tab = await visit(server, 'ada', { events: proxy });
  proxy.hold();
  await tab.press('cut');
  await tab.shows('reconnecting');
  await server.rename('Apollo', 'Artemis');
  proxy.admit();
  await tab.shows('open');
  await expect(tab.rows({ type: 'projects', replayed: 'true' })).toHaveCount(1);
  await expect(tab.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  expect(tab.count(...token)).toBe(1);
  expect(proxy.requests).toHaveLength(2);
  expect(proxy.requests[1]?.url).toBe(proxy.requests[0]?.url);
});

test('a storm of a hundred updates: few requests, and the page is fresh at the end', async ({ serve, visit }) => {
  const server = await serve();
  const [ada, bob] = await Promise.all([visit(server, 'ada'), visit(server, 'bob')]);
  const before = bob.count(...list);
  const began = Date.now();
  await ada.press('storm');
  await expect(bob.rows({ type: 'projects' })).toHaveCount(100);
  await server.rename('Apollo', 'Artemis');
  await expect(bob.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  await expect(ada.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  await bob.quiet(...list, 700);
  const seconds = (Date.now() - began) / 1000;
  const requests = bob.count(...list) - before;
  expect(requests).toBeLessThanOrEqual(Math.ceil(5 * seconds));
  // A hundred at once are two requests: the first at once, the last when the interval is over. One
  // more for the rename.
  expect(requests).toBeLessThanOrEqual(4);
  await expect(bob.page.getByTestId('updates')).toHaveAttribute('data-value', '101');
  await expect(bob.rows({ type: 'projects', replayed: 'true' })).toHaveCount(0);
});

test('a storm that lasts: a hundred updates a second cost at most five requests a second', async ({ serve, visit }) => {
  const server = await serve();
  const tab = await visit(server, 'ada');
  const before = tab.count(...list);
  const began = Date.now();
  // As many as are due, however long a request takes: the rate is what counts.
  for (let sent = 0; sent < 200; ) {
    const due = Math.min(200, Math.floor((Date.now() - began) / 10)) - sent;
    if (due > 0) await server.publish(Array.from({ length: due }, () => ({ type: 'projects' })));
    else await sleep(2);
    sent += due;
  }
  const seconds = (Date.now() - began) / 1000;
  await server.rename('Apollo', 'Artemis');
  await expect(tab.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  const requests = tab.count(...list) - before;
  // Not starved meanwhile, and not flooded: one each quarter of a second, and the rename's.
  expect(requests).toBeGreaterThanOrEqual(3);
  expect(requests).toBeLessThanOrEqual(Math.ceil(5 * seconds));
});

test('pause and resume: the cursor is kept, and what was missed is replayed', async ({ serve, proxyTo, visit }) => {
  const server = await serve();
  const proxy = await proxyTo(server);
  const tab = await visit(server, 'ada', { events: proxy });
  await tab.press('pause');
  await tab.shows('paused');
  await expect.poll(() => proxy.open).toBe(0);
  await server.rename('Apollo', 'Artemis');
  await tab.press('pause');
  await tab.shows('open');
  await expect(tab.rows({ type: 'projects', replayed: 'true' })).toHaveCount(1);
  await expect(tab.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  // A manual reconnect asks for a new token.
  expect(tab.count(...token)).toBe(1);
  await tab.press('reconnect');
  await expect.poll(() => tab.count(...token)).toBe(2);
  await tab.shows('open');
});
