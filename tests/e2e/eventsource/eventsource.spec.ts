// Our EventSource in every context that has one, and the browser's own as the yardstick: what it fails is wrong in the test.
import { expect, type Page, test } from '@playwright/test';
import type { Place } from './kit';
import type { Result } from './runner';
import { Origin } from './server';

declare const runCases: (place: Place) => Promise<Result[]>;

let [here, there]: Origin[] = [];

test.beforeAll(async () => {
  [here, there] = await Promise.all([Origin.start(), Origin.start()]);
});

test.afterAll(() => {
  here?.end();
  there?.end();
});

const scripts = ['/pkg/eventsource/classic.js', '/runner.js'];

const place = (context: string, native: boolean): Place => ({
  origin: here?.url ?? '',
  other: there?.url ?? '',
  context,
  native,
});

async function inWindow(page: Page, native: boolean): Promise<Result[]> {
  await page.goto(`${here?.url}/`);
  for (const url of scripts) await page.addScriptTag({ url });
  return page.evaluate((where) => runCases(where), place('window', native));
}

async function inWorker(page: Page, context: string): Promise<Result[]> {
  await page.goto(`${here?.url}/`);
  // A worker is one file: both scripts, classic and synchronous.
  return page.evaluate(
    async ({ where, scripts }) => {
      const url = `/worker.js?${new URLSearchParams(scripts.map((script) => ['load', script]))}`;
      const answer = (post: (message: unknown, transfer: Transferable[]) => void) =>
        new Promise<Result[]>((done) => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = ({ data }) => done(data);
          post(where, [port2]);
        });
      if (where.context === 'worker') {
        const worker = new Worker(url);
        return answer((message, transfer) => worker.postMessage(message, transfer));
      }
      if (where.context === 'shared worker') {
        const { port } = new SharedWorker(url);
        return answer((message, transfer) => port.postMessage(message, transfer));
      }
      await navigator.serviceWorker.register(url);
      const { active } = await navigator.serviceWorker.ready;
      return answer((message, transfer) => active?.postMessage(message, transfer));
    },
    { where: place(context, false), scripts },
  );
}

function judge(name: string, results: Result[]): void {
  if (process.env.SLOW)
    console.log(
      results
        .sort((a, b) => (b.ms ?? 0) - (a.ms ?? 0))
        .slice(0, 14)
        .map((r) => r.ms + ' ' + r.name)
        .join('\n'),
    );
  const failed = results.filter(({ error }) => error);
  console.log(`  ${name}: ${results.length - failed.length} of ${results.length} passed`);
  expect(failed).toEqual([]);
  expect(results.length).toBeGreaterThan(80);
}

test("the browser's own class in a window", async ({ page }) => judge('native, window', await inWindow(page, true)));

test('in a window', async ({ page }) => judge('tinysse, window', await inWindow(page, false)));

for (const context of ['worker', 'shared worker', 'service worker']) {
  test(`in a ${context}`, async ({ page }) => judge(`tinysse, ${context}`, await inWorker(page, context)));
}
