// Hours under load, in a real browser, against the real server: tokens that live half a minute, cuts, a steady stream, and nothing that
// grows. `npm run soak -- --minutes 5`; an hour without that.
//
// Wasm gives no memory back, and the worst that this load makes is rare: a long replay with large updates in it, for a page that was busy
// and finds half a megabyte at once. It is made on purpose before the clock runs, so that from then on not a page may be added.
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from '@playwright/test';
import { expect, test } from '../e2e/fixtures';
import type { Relay } from '../e2e/proxy';
import type { Server } from '../e2e/server';
import { servePage } from './site';

const minutes = Number(process.env.SOAK_MINUTES ?? 60);
const pieces = 20;
const user = 'ada';
/** Bytes beside its number that an update of the load has at most. */
const largest = 16_384;

/** What the page reports of each of its clients: see `page.js`. */
interface Told {
  readonly heard: number;
  readonly lost: number;
  readonly doubled: number;
  readonly tokens: number;
  readonly broken: string | null;
}

interface Sample {
  /** Of each instance, in the order in which they were made, in bytes; 0 for one that is gone. */
  readonly wasm: number[];
  /** Of JavaScript. */
  readonly heap: number;
}

test(`${minutes} minutes: flat memory, nothing lost, nothing doubled`, async ({ serve, proxyTo, browser }) => {
  test.setTimeout((minutes + 6) * 60_000);
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
  // Memory is bounded by what was in use at once of each size of a block: it takes a stream for each.
  for (let times = 0; times < 10; times++) await worst(load, page, proxy);
  const warm = await look(page, devtools);
  const begun = load.published;
  load.start();
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

  await hears(page, published); // the last ones may be under way
  const told: Record<string, Told> = await page.evaluate(() => window.told());
  const rotations = Object.values(told).map(({ tokens }) => tokens);
  console.log(`${minutes} min, ${published - begun} updates, ${cuts} cuts, tokens ${rotations}`);
  const each = (sample: Sample) => sample.wasm.map((bytes) => bytes / 1024).join('+');
  console.log(`wasm memory, KiB: ${each(warm)}, then ${samples.map(each).join(' ')}`);
  console.log(`JS heap, KiB: ${samples.map(({ heap }) => Math.round(heap / 1024)).join(' ')}`);

  for (const [client, { lost, doubled, broken, tokens }] of Object.entries(told)) {
    expect({ client, lost, doubled, broken }).toEqual({ client, lost: 0, doubled: 0, broken: null });
    expect(tokens, `${client}: a token a minute, at least`).toBeGreaterThanOrEqual(minutes);
  }
  expect(errors).toEqual([]);
  site.close();
  expect(samples.map(each), 'wasm memory after the warm-up').toEqual(samples.map(() => each(warm)));
  // The engine's own, which compiles and forgets as it likes: only a leak gets as far as this.
  const tenth = Math.max(1, Math.round(samples.length / 10));
  const heap = (part: Sample[]) => Math.max(...part.map((sample) => sample.heap));
  expect(heap(samples.slice(-tenth)), 'JS heap').toBeLessThan(1.5 * heap(samples.slice(0, tenth)));
});

/**
 * Everything that wasm memory must have capacity for: a replay that is longer than any of the load, of the smallest updates and of the largest,
 * and a stream whose buffers grow step by step, until a busy page finds large updates on it.
 */
async function worst(load: Load, page: Page, proxy: Relay): Promise<void> {
  proxy.hold();
  proxy.cut();
  await load.publish(Array<number>(1_000).fill(0));
  await load.publish(Array<number>(20).fill(largest));
  await load.publish(Array<number>(20).fill(largest));
  await expect.poll(() => proxy.waiting, { timeout: 60_000 }).toBeGreaterThanOrEqual(3);
  proxy.admit();
  await busy(page);
  await hears(page, load.published);
  for (let size = 64; size <= largest; size *= 2) {
    await load.publish([size]);
    await hears(page, load.published);
  }
  await Promise.all([busy(page), load.publish(Array<number>(20).fill(largest))]);
  await hears(page, load.published);
}

/** Nothing is read for a second. */
async function busy(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const begun = performance.now(); performance.now() - begun < 1_000; );
  });
}

/** Waits until every client received the update of this number. */
async function hears(page: Page, published: number): Promise<void> {
  const heard = () => page.evaluate(() => Object.values(window.told()).map((told) => told.heard));
  await expect.poll(heard, { timeout: 60_000, intervals: [20] }).toEqual([published, published, published]);
}

async function look(page: Page, devtools: CDPSession): Promise<Sample> {
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  return { wasm: await page.evaluate(() => window.wasmBytes()), heap: usedSize };
}

/** Publishes numbered updates. */
class Load {
  /** The number of the last one. */
  published = 0;
  #on = true;
  #done: Promise<void> | undefined;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** An update of each size. */
  async publish(sizes: readonly number[]): Promise<void> {
    const items = sizes.map((size) => {
      this.published += 1;
      return { type: 'tick', data: { n: this.published, pad: 'x'.repeat(size) } };
    });
    await this.#server.publish(items);
  }

  /** Goes on without a pause. */
  start(): void {
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    while (this.#on) {
      // Alone and in bursts, from nothing to 16 KiB; every size comes again and again, so what is kept would add up.
      const first = this.published + 1;
      const numbers = Array.from({ length: 1 + (this.published % 5) }, (_, i) => first + i);
      await this.publish(numbers.map((n) => (n * 7919) % (n % 50 ? 512 : largest)));
      await sleep(50);
    }
  }

  /** Answers the last number. */
  async stop(): Promise<number> {
    this.#on = false;
    await this.#done;
    return this.published;
  }
}

declare global {
  interface Window {
    told(): Record<string, Told>;
    wasmBytes(): number[];
  }
}
