// A page that was opened as http://user:password@host/, whose addresses `fetch` refuses.
import { expect, test } from '@playwright/test';
import { connect, Site } from './site';

let site: Site;

test.beforeEach(async ({ page }) => {
  site = await Site.start();
  site.locked = true;
  await page.goto(`http://u:p@127.0.0.1:${site.port}/`);
});

test.afterEach(() => site.end());

for (const transport of ['eventsource', 'fetch']) {
  test(`the client connects: ${transport}`, async ({ page }) => {
    await connect(page, `{ url: '/events', transport: '${transport}', quiet: true }`);
    await expect.poll(() => page.evaluate('seen')).toEqual([['projects', 7]]);
  });
}

/**
 * What a source of this class sees first: its update, or the code of an error with which it is
 * closed.
 */
const first = (make: string) => `(async () => {
  const { EventSource: Ours } = await import('/pkg/eventsource/index.js');
  const Native = globalThis.EventSource;
  const source = new ${make};
  return new Promise((done) => {
    source.addEventListener('projects', ({ data }) => done(data));
    source.onerror = ({ error }) => source.readyState === 2 && done(['closed', error?.code]);
  });
})()`;

test('tinysse/eventsource connects, as the class of the browser does', async ({ page }) => {
  for (const name of ['Native', 'Ours']) {
    expect(await page.evaluate(first(`${name}('/events')`)), name).toBe('{"id":7}');
    expect(await page.evaluate(first(`${name}('http://u:p@127.0.0.1:${site.port}/events')`)), name).toBe('{"id":7}');
  }
});

test('another user and password than the page has: closed, as the class of the browser is; ours reports `options`', async ({
  page,
}) => {
  const url = `http://a:b@127.0.0.1:${site.port}/events`;
  expect(await page.evaluate(first(`Native('${url}')`))).toEqual(['closed', undefined]);
  expect(await page.evaluate(first(`Ours('${url}')`))).toEqual(['closed', 'options']);
  await connect(page, `{ url: '${url}', transport: 'fetch', quiet: true }`);
  await expect.poll(() => page.evaluate('sse.getSnapshot().status')).toBe('failed');
  expect(await page.evaluate('seen.map(([code]) => code)')).toEqual(['options']);
});
