// Hours under load, in a real browser, against the real server: tokens that live half a minute, cuts, a steady stream, and nothing that
// grows. `npm run soak -- --minutes 5`; an hour without that.
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from '@playwright/test';
import { expect, test } from '../e2e/fixtures';
import type { Server } from '../e2e/server';
import { servePage } from './site';

const minutes = Number(process.env.SOAK_MINUTES ?? 60);
const pieces = 20;
const user = 'ada';

/** What the page tells of each of its clients: see `page.js`. */
interface Told {
  readonly heard: number;
  readonly lost: number;
  readonly doubled: number;
  readonly tokens: number;
  readonly broken: string | null;
}

interface Sample {
  /** Of each instance, in the order in which they were made, in bytes; 0 for one that is gone. */
  readonly each: number[];
  readonly wasm: number;
  readonly heap: number;
}

test(`${minutes} minutes: flat memory, nothing lost, nothing doubled`, async ({ serve, proxyTo, browser }) => {
  test.setTimeout((minutes + 2) * 60_000);
  const site = await servePage();
  const server = await serve('--token-ttl', '30s', '--retry', '200ms', '--cors-origin', site.url);
  const proxy = await proxyTo(server);
  const page = await (await browser.newContext()).newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(`${site.url}/?${new URLSearchParams({ user, server: server.url, events: proxy.url })}`);
  await expect.poll(() => page.evaluate(() => document.title)).toBe('all open');
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('HeapProfiler.enable');

  const load = new Load(server);
  const samples: Sample[] = [];
  const length = minutes * 60_000;
  const end = Date.now() + length;
  let [cuts, nextSample] = [0, Date.now() + length / pieces];
  while (Date.now() < end) {
    await sleep(7_000);
    proxy.cut(cuts % 2 === 0 ? 'reset' : 'close');
    cuts += 1;
    if (Date.now() < nextSample) continue;
    samples.push(await look(page, devtools));
    nextSample += length / pieces;
  }
  const published = await load.stop();

  // What was published last may be under way.
  const all = () => page.evaluate(() => window.told());
  await expect
    .poll(async () => Object.values(await all()).map(({ heard }) => heard))
    .toEqual([published, published, published]);
  const told: Record<string, Told> = await all();
  const rotations = Object.values(told).map(({ tokens }) => tokens);
  console.log(`${minutes} min, ${published} updates, ${cuts} cuts, tokens ${rotations}`);
  console.log(`wasm memory, KiB: ${samples.map(({ each }) => each.map((bytes) => bytes / 1024).join('+')).join(' ')}`);
  console.log(`JS heap, KiB: ${samples.map(({ heap }) => Math.round(heap / 1024)).join(' ')}`);

  for (const [client, { lost, doubled, broken, tokens }] of Object.entries(told)) {
    expect({ client, lost, doubled, broken }).toEqual({ client, lost: 0, doubled: 0, broken: null });
    expect(tokens, `${client}: a token a minute, at least`).toBeGreaterThanOrEqual(minutes);
  }
  expect(errors).toEqual([]);
  site.close();
  const tenth = Math.max(1, Math.round(samples.length / 10));
  const [warm, last] = [samples.slice(0, tenth), samples.slice(-tenth)];
  const most = (part: Sample[], what: 'wasm' | 'heap') => Math.max(...part.map((sample) => sample[what]));
  expect(most(last, 'wasm'), 'wasm memory after the first tenth').toBeLessThanOrEqual(most(warm, 'wasm'));
  // The engine's own, which compiles and forgets as it likes: only a leak gets as far as this.
  expect(most(last, 'heap'), 'JS heap').toBeLessThan(1.5 * most(warm, 'heap'));
});

async function look(page: Page, devtools: CDPSession): Promise<Sample> {
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  const each = await page.evaluate(() => window.wasmBytes());
  return { each, wasm: each.reduce((sum, bytes) => sum + bytes, 0), heap: usedSize };
}

/** Publishes numbered updates of many sizes without a pause. */
class Load {
  #n = 0;
  #on = true;
  readonly #done: Promise<void>;

  constructor(server: Server) {
    this.#done = this.#run(server);
  }

  async #run(server: Server): Promise<void> {
    while (this.#on) {
      // Alone and in bursts, from nothing to 16 KiB; every size comes again and again, so what is kept would add up.
      const burst = 1 + (this.#n % 5);
      const items = Array.from({ length: burst }, () => {
        this.#n += 1;
        return {
          type: 'tick',
          data: { n: this.#n, pad: 'x'.repeat((this.#n * 7919) % (this.#n % 50 ? 512 : 16_384)) },
        };
      });
      await server.publish(items);
      await sleep(50);
    }
  }

  /** Answers the last number. */
  async stop(): Promise<number> {
    this.#on = false;
    await this.#done;
    return this.#n;
  }
}

declare global {
  interface Window {
    told(): Record<string, Told>;
    wasmBytes(): number[];
  }
}
