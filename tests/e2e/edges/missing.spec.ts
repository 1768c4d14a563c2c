// The package in pages that lack what newer browsers have.
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { build } from 'esbuild';
import { pkg } from '../server';
import { connect, Site } from './site';

/**
 * What is taken away before anything is loaded. Each is newer than a supported browser, or not
 * there in an insecure page.
 */
const missing = {
  'AbortSignal.any': 'delete AbortSignal.any',
  'AbortSignal.timeout': 'delete AbortSignal.timeout',
  structuredClone: 'delete globalThis.structuredClone',
  // They cannot be deleted, so the whole of Symbol is another.
  'Symbol.dispose': `{
    const Native = Symbol;
    const Fake = function (text) { return Native(text); };
    for (const name of Object.getOwnPropertyNames(Native)) {
      if (!/dispose$/i.test(name) && !Object.hasOwn(Fake, name)) Fake[name] = Native[name];
    }
    Fake.prototype = Native.prototype;
    globalThis.Symbol = Fake;
  }`,
  'Promise.withResolvers': 'delete Promise.withResolvers; delete Promise.try',
  'Array.fromAsync': 'delete Array.fromAsync',
  'arrays by copy':
    'for (const name of ["toSorted", "toReversed", "toSpliced", "with", "findLast"]) delete Array.prototype[name]',
  groupBy: 'delete Object.groupBy; delete Map.groupBy',
  'Set methods':
    'for (const name of ["union", "intersection", "difference", "isSubsetOf", "isSupersetOf", "isDisjointFrom"]) delete Set.prototype[name]',
  'iterator helpers': 'delete globalThis.Iterator',
  'URL.canParse': 'delete URL.canParse; delete URL.parse',
  'Uint8Array.fromBase64': 'delete Uint8Array.fromBase64',
  'crypto.randomUUID': 'delete Crypto.prototype.randomUUID',
  'Web Locks': 'delete Navigator.prototype.locks',
  BroadcastChannel: 'delete globalThis.BroadcastChannel',
  scheduler: 'delete globalThis.scheduler; delete globalThis.requestIdleCallback',
  reportError: 'delete globalThis.reportError',
};

const everything = Object.values(missing).join(';');

/** With these alone gone, another way is gone than with all of them. */
const alone = ['Web Locks', 'BroadcastChannel', 'crypto.randomUUID'] as const;

let site: Site;
let react: string;

test.beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { createElement, StrictMode } from 'react';
        import { createRoot } from 'react-dom/client';
        import { createClient } from ${JSON.stringify(join(pkg, 'index.js'))};
        import { useSSEUpdates } from ${JSON.stringify(join(pkg, 'react', 'index.js'))};
        const sse = createClient({ url: '/events', transport: 'fetch' });
        sse.subscribe('projects', ({ data }) => { document.title = 'projects ' + data.id; });
        function App() {
          const { status } = useSSEUpdates(sse);
          return createElement('output', null, status);
        }
        createRoot(document.body).render(createElement(StrictMode, null, createElement(App)));
      `,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    logLevel: 'error',
  });
  react = outputFiles[0]?.text ?? '';
});

test.beforeEach(async () => {
  site = await Site.start();
  site.files.set('/react.js', react);
});

test.afterEach(() => site.end());

async function uses(page: Page): Promise<void> {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(site.url);
  for (const options of [
    "transport: 'eventsource', user: 'ada'",
    "transport: 'fetch', token: () => 't'",
    'persist: true',
  ]) {
    await connect(page, `{ url: '/events', ${options} }`);
    await expect.poll(() => page.evaluate('seen'), options).toEqual([['projects', 7]]);
    await page.evaluate('sse.close()');
  }
  const source = await page.evaluate(`(async () => {
    const { EventSource } = await import('/pkg/eventsource/index.js');
    const source = new EventSource('/events', { token: async () => ({ access_token: 't' }) });
    const data = await new Promise((done) => source.addEventListener('projects', ({ data }) => done(data)));
    source.close();
    return data;
  })()`);
  expect(source).toBe('{"id":7}');
  const first = await page.evaluate(`(async () => {
    const { createClient } = await import('/pkg/index.js');
    const { updates } = await import('/pkg/client/iterate.js');
    const client = createClient({ url: '/events' });
    for await (const { data } of updates(client, 'projects')) return data.id;
  })()`);
  expect(first).toBe(7);
  await page.evaluate(() => import(`${location.origin}/react.js`));
  await expect(page.locator('output')).toHaveText('open');
  await expect(page).toHaveTitle('projects 7');
  expect(problems).toEqual([]);
}

test('without anything that is newer than the supported browsers', async ({ page }) => {
  await page.addInitScript(everything);
  await uses(page);
  const left =
    '[AbortSignal.any, globalThis.structuredClone, Symbol.dispose, navigator.locks].map((one) => typeof one)';
  expect(await page.evaluate(left)).toEqual(Array(4).fill('undefined'));
});

for (const name of alone) {
  test(`without ${name}`, async ({ page }) => {
    await page.addInitScript(missing[name]);
    await uses(page);
  });
}
