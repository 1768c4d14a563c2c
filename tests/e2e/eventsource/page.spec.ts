// What belongs to pages: content security policies, the back/forward cache, and the classic script.
// Elsewhere the class is loaded as modules, without a bundler.
import { expect, type Page, test } from '@playwright/test';
import type { EventSource as Ours } from '../../../js/eventsource/index';
import type { Answer } from './kit';
import { Origin } from './server';

declare const source: Ours;
declare const seen: unknown[];

let origin: Origin;

test.beforeEach(async () => {
  origin = await Origin.start();
});

test.afterEach(() => origin.end());

const stream = (key: string, plan: Answer[]) => `/stream?${new URLSearchParams({ key, plan: JSON.stringify(plan) })}`;

/** Opens a stream in the page; its events are in `seen`. */
async function open(page: Page, url: string): Promise<void> {
  await page.goto(`${origin.url}/`);
  await page.evaluate(async (url) => {
    const { EventSource } = await import(`${location.origin}/pkg/eventsource/index.js`);
    const source: Ours = new EventSource(url);
    const seen: unknown[] = [];
    Object.assign(globalThis, { source, seen });
    for (const type of ['open', 'message', 'error']) {
      source.addEventListener(type, (event: Event & { data?: string; error?: { code: string; message: string } }) => {
        seen.push([type, source.readyState, event.data ?? event.error?.code ?? null, event.error?.message ?? null]);
      });
    }
  }, url);
}

test('a policy without wasm-unsafe-eval: closed with the code `csp`, before anything is asked of the server', async ({
  page,
}) => {
  origin.policy = "script-src 'self' 'unsafe-inline'";
  await open(page, stream('csp', [{ body: 'data: x\n\n', end: false }]));
  await expect.poll(() => page.evaluate(() => source.readyState)).toBe(2);
  const said = await page.evaluate(() => seen as [string, number, string, string][]);
  expect(said).toHaveLength(1);
  expect(said[0]?.slice(0, 3)).toEqual(['error', 2, 'csp']);
  expect(said[0]?.[3]).toContain("'wasm-unsafe-eval'");
  expect(origin.seen('csp')).toHaveLength(0);
});

test('a policy that allows it: open', async ({ page }) => {
  origin.policy = "script-src 'self' 'wasm-unsafe-eval'";
  await open(page, stream('csp', [{ body: 'data: x\n\n', end: false }]));
  await expect.poll(() => page.evaluate(() => seen.length)).toBe(2);
});

test('the back/forward cache: the connection is given up, and taken up again without an error or a wait', async ({
  page,
}) => {
  const plan = [
    { body: 'retry: 60000\nid: 1\ndata: 1\n\n', end: false as const },
    { body: 'data: 2\n\n', end: false as const },
  ];
  await open(page, stream('cache', plan));
  await expect.poll(() => page.evaluate(() => seen.length)).toBe(2);
  await page.goto(`${origin.url}/?elsewhere`);
  await expect.poll(() => origin.seen('cache')[0]?.closed).toBeGreaterThan(0);
  await page.goBack({ waitUntil: 'commit' });
  // The page of before, not a fresh one: it still knows what it saw.
  await expect
    .poll(() => page.evaluate(() => seen.map((one) => (one as unknown[])[2])))
    .toEqual([null, '1', null, '2']);
  expect(await page.evaluate(() => seen.map((one) => (one as unknown[])[0]))).not.toContain('error');
  expect(origin.seen('cache').map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1']);
});

/**
 * Run in a page or in a worker: what the global class was before and after `install()`, and the
 * events of a stream through it.
 */
const installs = `async (script, url) => {
  const scope = globalThis;
  const native = scope.EventSource;
  scope.tinysse = { mine: 1 };
  if (scope.importScripts) scope.importScripts(script);
  else await new Promise((onload) => document.head.append(Object.assign(document.createElement('script'), { src: script, onload })));
  const untouched = scope.EventSource === native && native !== scope.tinysse.EventSource;
  scope.tinysse.install();
  const source = new EventSource(url);
  const data = await new Promise((done) => { source.onmessage = (event) => done(event.data); });
  source.close();
  return [untouched, source instanceof scope.tinysse.EventSource, source instanceof native, data, scope.tinysse.mine];
}`;

for (const where of ['a window', 'a worker']) {
  test(`install(): what ${where} calls EventSource is the class, and before it is the browser's own`, async ({
    page,
  }) => {
    await page.goto(`${origin.url}/`);
    const url = `${origin.url}${stream('install', [{ body: 'data: x\n\n', end: false }])}`;
    const call = `(${installs})(${JSON.stringify(`${origin.url}/pkg/eventsource/classic.js`)}, ${JSON.stringify(url)})`;
    const inWorker = (code: string) =>
      new Promise((done) => {
        const worker = new Worker(URL.createObjectURL(new Blob([`${code}.then(postMessage)`])));
        worker.onmessage = ({ data }) => done(data);
      });
    const got = where === 'a worker' ? await page.evaluate(inWorker, call) : await page.evaluate(call);
    expect(got).toEqual([true, true, false, 'x', 1]);
  });
}
