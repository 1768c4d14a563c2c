// Our EventSource in every context that has one, and the browser's own as the yardstick: what it
// fails is wrong in the test.
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import type { Place } from './kit';
import type { Result } from './runner';
import { Origin } from './server';

declare const runCases: (place: Place) => Promise<Result[]>;

test.describe.configure({ mode: 'parallel' });

const scripts = ['/pkg/eventsource/classic.js', '/runner.js'];

/**
 * Runs the cases of one context, on two origins of its own: a browser has few connections for each.
 */
async function run(context: BrowserContext, where: string, native = false): Promise<void> {
  const [here, there] = await Promise.all([Origin.start(), Origin.start()]);
  const place = { origin: here.url, other: there.url, context: where, native };
  const page = await context.newPage();
  try {
    await page.goto(place.origin);
    const results = await (where === 'window' ? inWindow(page, place) : inWorker(page, place));
    const failed = results.filter(({ error }) => error);
    const name = native ? 'native' : 'tinysse';
    console.log(`  ${name}, ${where}: ${results.length - failed.length} of ${results.length} passed`);
    expect(failed, where).toEqual([]);
    expect(results.length).toBeGreaterThan(80);
  } finally {
    await page.close();
    here.end();
    there.end();
  }
}

async function inWindow(page: Page, place: Place): Promise<Result[]> {
  for (const url of scripts) await page.addScriptTag({ url });
  return page.evaluate((where) => runCases(where), place);
}

/** A worker is one file that loads both scripts, classic and synchronous. */
function inWorker(page: Page, place: Place): Promise<Result[]> {
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
    { where: place, scripts },
  );
}

test("the browser's own class, and ours in a window", async ({ context }) => {
  await run(context, 'window', true);
  await run(context, 'window');
});

test('in a dedicated worker, a shared worker and a service worker', async ({ context }) => {
  await Promise.all(['worker', 'shared worker', 'service worker'].map((where) => run(context, where)));
});
