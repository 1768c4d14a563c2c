// What the console prints of each kind of failure, in a real page.
import { expect, type Page, test } from '@playwright/test';
import { connect, refusal, Site, warnings } from './site';

let site: Site;

test.beforeEach(async () => {
  site = await Site.start();
});

test.afterEach(() => site.end());

/** The first warning after a client was made with these options. */
async function warned(page: Page, options: string): Promise<string> {
  const said = warnings(page);
  await page.goto(site.url);
  await connect(page, options);
  await expect.poll(() => said.length).toBeGreaterThan(0);
  return said[0] ?? '';
}

const fetches = "{ url: '/events', transport: 'fetch' }";

test('a wrong path: the status, that it is not retried, the path, and where to read more', async ({ page }) => {
  site.events = refusal(404);
  const text = await warned(page, "{ url: '/events/x?secret=s', transport: 'fetch' }");
  expect(text).toMatch(/^tinysse: http 404: /);
  expect(text).toContain(`at ${site.url}/events/x;`);
  expect(text).toContain('not retried until `reconnect()`');
  expect(text).toContain('`url`');
  expect(text).toContain('tinysse/docs/errors.md#http');
  expect(text).not.toContain('secret');
  expect(text.split('\n')).toHaveLength(1);
});

test('the page of a dev server instead of a stream', async ({ page }) => {
  site.events = (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>');
  const text = await warned(page, fetches);
  expect(text).toMatch(/^tinysse: http 200: /);
  expect(text).toContain('HTML page of your app');
  expect(text).toContain('server.proxy');
});

test('a server that does not allow the page: the flag, with the origin to add', async ({ page }) => {
  const text = await warned(page, `{ url: '${site.other}/events', transport: 'fetch' }`);
  expect(text).toContain(`\`--cors-origin ${site.url}\``);
  expect(text).toMatch(/retried in \d+\.\d s, after 1 failed attempt;/);
});

test('no server at all: start it', async ({ page }) => {
  const closed = await Site.start();
  const { url } = closed;
  closed.end();
  const text = await warned(page, `{ url: '${url}/events', transport: 'fetch' }`);
  expect(text).toMatch(/^tinysse: network: /);
  expect(text).toContain(`start the hub at ${url}`);
});

test('a policy without `connect-src`: the directive, with the origin to add', async ({ page }) => {
  site.policy = "script-src 'self' 'unsafe-inline' 'unsafe-eval'; connect-src 'self'";
  const text = await warned(page, `{ url: '${site.other}/events' }`);
  expect(text).toMatch(/^tinysse: csp: /);
  expect(text).toContain(`add ${site.other} to \`connect-src\``);
});

test("a policy without 'wasm-unsafe-eval': the directive", async ({ page }) => {
  site.policy = "script-src 'self' 'unsafe-inline'";
  const text = await warned(page, "{ url: '/events' }");
  expect(text).toMatch(/^tinysse: csp: /);
  expect(text).toContain("add 'wasm-unsafe-eval' to `script-src`");
});

test('wasm that does not compile', async ({ page }) => {
  const text = await warned(page, "{ url: '/events', wasm: new Uint8Array([1, 2, 3]) }");
  expect(text).toMatch(/^tinysse: wasm: /);
  expect(text).toContain('allow WebAssembly in this browser');
});

test('an answer without `token`: the keys and types that were received, and no value', async ({ page }) => {
  const text = await warned(page, "{ url: '/events', token: () => ({ jwt: 'hush', ttl: 60 }) }");
  expect(text).toMatch(/^tinysse: token: /);
  expect(text).toContain('received { jwt: string, ttl: number }');
  expect(text).toContain('answer a text or `{ token, expires_in }`');
  expect(text).not.toMatch(/hush|60/);
});

test('a token provider that answers the Response itself', async ({ page }) => {
  const text = await warned(page, "{ url: '/events', token: () => fetch('/') }");
  expect(text).toContain('received a Response, so return `response.json()`');
});

test('a token provider that was refused: log in', async ({ page }) => {
  const text = await warned(
    page,
    "{ url: '/events', token() { throw Object.assign(new Error('t0k3n'), { status: 401 }) } }",
  );
  expect(text).toMatch(/^tinysse: unauthorized 401: /);
  expect(text).toContain('log the user in');
  expect(text).not.toContain('t0k3n');
});

test('a stream that wants a credential', async ({ page }) => {
  site.events = refusal(401);
  const text = await warned(page, fetches);
  expect(text).toMatch(/^tinysse: unauthorized 401: /);
  expect(text).toContain('give the option `token`');
});

test('an option that does not exist', async ({ page }) => {
  const text = await warned(page, "{ url: '/events', silnce: 1 }");
  expect(text).toMatch(/^tinysse: options: option `silnce`/);
  expect(text).toContain('it is not retried;');
});

test('one warning for each code and status, however many attempts fail', async ({ page }) => {
  const said = warnings(page);
  let requests = 0;
  site.events = (request, response) => {
    requests += 1;
    refusal(requests < 4 ? 503 : 404)(request, response);
  };
  await page.goto(site.url);
  await connect(page, fetches);
  await expect.poll(() => page.evaluate('sse.getSnapshot().status')).toBe('failed');
  await expect.poll(() => said.map((text) => text.slice(0, 18))).toEqual(['tinysse: http 503:', 'tinysse: http 404:']);
  expect(requests).toBe(4);
});

test('`quiet` and a closed client: nothing, and its text is not loaded', async ({ page }) => {
  site.events = refusal(404);
  const said = warnings(page);
  await page.goto(site.url);
  await connect(page, "{ url: '/events', transport: 'fetch', quiet: true }");
  await expect.poll(() => page.evaluate('sse.getSnapshot().status')).toBe('failed');
  await page.evaluate(`(async () => {
    const { createClient } = await import('/pkg/index.js');
    const client = createClient(${fetches});
    client.onError(() => client.close());
    client.acquire();
    await new Promise((done) => client.signal.addEventListener('abort', done));
  })()`);
  // Whatever was asked for before this was asked for by now.
  await page.evaluate(() => fetch('/pkg/package.json'));
  expect(said).toEqual([]);
  expect(site.asked('/pkg/client/explain.js')).toEqual([]);
});

test('a text that cannot be loaded changes nothing', async ({ page }) => {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  site.events = refusal(404);
  site.drops.set('/pkg/client/explain.js', 1_000);
  await page.goto(site.url);
  await connect(page, fetches);
  await expect.poll(() => site.asked('/pkg/client/explain.js').length).toBeGreaterThan(0);
  await expect.poll(() => page.evaluate('sse.getSnapshot().status')).toBe('failed');
  expect(problems).toEqual([]);
});
