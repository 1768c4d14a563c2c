// Tests of tabs that share a connection while their leaders die.
import type { Page } from '@playwright/test';
import { test as base, expect } from '../fixtures';
import type { Relay } from '../proxy';
import { Feed, type Server } from '../server';
import { heard, hears, Office, type Received, role, settled, type Watched } from './office';

/** `npm run test:full` has twenty of each. */
const TABS = Number(process.env.TABS ?? 8);
const KILLS = Number(process.env.TABS_KILLS ?? 8);

const test = base.extend<{ office: Office; hub: Server; line: Relay }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from this pattern.
  office: async ({}, use) => {
    let named: Server | undefined;
    const office = await Office.start(() => named as Server);
    await use(Object.assign(office, { name: (server: Server) => (named = server) }));
    office.end();
  },
  hub: async ({ office, serve }, use) => {
    const server = await serve('--cors-origin', office.url, '--retry', '100ms');
    (office as unknown as { name(server: Server): void }).name(server);
    await use(server);
  },
  line: async ({ hub, proxyTo }, use) => use(await proxyTo(hub)),
});

/** How a leader goes, and how it comes back if it does. */
interface End {
  go(page: Page): Promise<unknown>;
  back?(page: Page): Promise<unknown>;
}

/**
 * Nothing runs in the page for that time, and it takes no processor meanwhile: it waits for a
 * synchronous request. Before, what listens to `event` runs to its end with its microtasks, as at a
 * real freeze (Page Lifecycle, section 4.2).
 */
const block = (page: Page, ms: number, event: string) =>
  page.evaluate(
    async ([ms, event]) => {
      if (event) document.dispatchEvent(new Event(event as string));
      for (let turn = 0; turn < 16; turn++) await null;
      const request = new XMLHttpRequest();
      request.open('GET', `/late?ms=${ms}`, false);
      request.send();
    },
    [ms, event],
  );

const ends: Record<string, End> = {
  closed: { go: (page) => page.close() },
  crashed: {
    go: async (page) => {
      const crashed = page.waitForEvent('crash');
      page.goto('chrome://crash').catch(() => {});
      await crashed;
      await page.close();
    },
  },
  navigated: {
    go: async (page) => {
      await page.goto(new URL('/elsewhere', page.url()).href);
      await page.close();
    },
  },
  // What a page sees of it: the event, and then nothing runs. (The DevTools protocol freezes hidden
  // pages only.)
  frozen: {
    go: async (page) => void block(page, 2_500, 'freeze'),
    back: (page) => page.evaluate(() => document.dispatchEvent(new Event('resume'))),
  },
  // As under a debugger, or on a machine that swaps: no tab is notified.
  stopped: { go: async (page) => void block(page, 4_000, ''), back: (page) => page.evaluate(() => {}) },
};

test(`${TABS} tabs are one connection, and ${KILLS} leaders that die lose and double nothing`, async ({
  browser,
  office,
  hub,
  line,
}) => {
  test.setTimeout(60_000 + KILLS * 10_000);
  const context = await browser.newContext();
  const first = await office.tab(context, `${line.url}/events`);
  await settled(first, 'leader');
  const tabs: Watched[] = [first];
  for (let n = 1; n < TABS; n++) tabs.push(await office.tab(context, `${line.url}/events`));
  for (const tab of tabs.slice(1)) await settled(tab, 'follower');
  expect(line.open, 'one connection for all').toBe(1);
  expect(streams(line)).toBe(1);

  const feed = new Feed(hub, 'tick', 10);
  const handovers: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const leader = await leading(tabs);
    tabs.splice(tabs.indexOf(leader), 1);
    const witness = tabs[0] as Page;
    await witness.waitForFunction(() => window.heard.length > 0);
    const { go, back } = Object.values(ends)[kill % Object.keys(ends).length] as End;
    const at = Date.now();
    await go(leader);
    // A new leader, and an update that was published after the end of the old one.
    const published = feed.ids.length;
    await witness.waitForFunction((n) => (window.heard.at(-1)?.n ?? -1) > n, published, {
      polling: 10,
      timeout: 15_000,
    });
    const silences = await Promise.all(tabs.filter(({ dead }) => !dead).map((tab) => longestSilence(tab, at)));
    // The middle one: a tab that shares the process of one that is stopped stops with it.
    handovers.push(silences.sort((a, b) => a - b)[silences.length >> 1] as number);
    // Where pages are many, the browser runs several in one process: some die with their neighbour.
    for (const tab of tabs.filter(({ dead }) => dead)) {
      tabs.splice(tabs.indexOf(tab), 1);
      await tab.close();
    }
    await back?.(leader);
    const next = back ? leader : await office.tab(context, `${line.url}/events`);
    // As a rule it follows; on a busy machine it may have come to lead again.
    await settled(next);
    tabs.push(next);
  }
  const published = await feed.stop();
  for (const tab of tabs) {
    await hears(tab, published.at(-1));
    complete(await heard(tab), published);
  }
  for (const tab of tabs) expect(['first'], 'only a new tab was told to fetch').toEqual(await resyncs(tab));
  await expect.poll(() => line.open, { message: 'one connection in the end' }).toBe(1);
  handovers.sort((a, b) => a - b);
  const p95 = handovers[Math.ceil(handovers.length * 0.95) - 1] as number;
  console.log(
    `${KILLS} handovers among ${TABS} tabs: median ${handovers[KILLS >> 1]} ms, p95 ${p95} ms, ${published.length} updates`,
  );
  expect(p95, 'of the times in which nothing was heard, in milliseconds').toBeLessThan(2_000);
  await context.close();
});

test('tabs of different users, and with different URLs, do not share', async ({ browser, office, hub, line }) => {
  const context = await browser.newContext();
  const ada = await office.tab(context, `${line.url}/events`);
  const bob = await office.tab(context, `${line.url}/events`, { user: 'bob' });
  const other = await office.tab(context, `${line.url}/events?v=2`);
  const alone = await office.tab(context, `${line.url}/events`, { share: 'off' });
  await Promise.all([
    settled(ada, 'leader'),
    settled(bob, 'leader'),
    settled(other, 'leader'),
    settled(alone, 'alone'),
  ]);
  expect(line.open).toBe(4);
  const [id] = await hub.publish({ type: 'tick', data: { n: 1 }, to: 'user:bob' });
  await hears(bob, id);
  const [all] = await hub.publish({ type: 'tick', data: { n: 2 } });
  for (const page of [ada, other, alone]) {
    await hears(page, all);
    expect(
      (await heard(page)).map(({ n }) => n),
      "what is bob's is heard by nobody else",
    ).toEqual([2]);
  }
  await context.close();
});

test('a tab that cannot run the wasm lets the others work, and so does one without locks', async ({
  browser,
  office,
  hub,
  line,
}) => {
  const context = await browser.newContext();
  const events = `${line.url}/events`;
  const forbidden = await office.tab(context, events, { policy: '' });
  await forbidden.waitForFunction(() => window.sse?.getSnapshot().status === 'failed');
  const lockless = await context.newPage();
  await lockless.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
  await lockless.goto(`${office.url}/?${new URLSearchParams({ events, user: 'ada' })}`);
  await settled(lockless, 'alone');
  const leader = await office.tab(context, events);
  await settled(leader, 'leader');
  const follower = await office.tab(context, events);
  await settled(follower, 'follower');
  expect(line.open).toBe(2);
  const [id] = await hub.publish({ type: 'tick', data: { n: 1 } });
  for (const page of [lockless, leader, follower]) await hears(page, id);
  await context.close();
});

test('followers show what the leader shows, and can ask for a new connection', async ({
  browser,
  office,
  hub,
  line,
}) => {
  const context = await browser.newContext();
  const leader = await office.tab(context, `${line.url}/events`, { transport: 'fetch' });
  await settled(leader, 'leader');
  const follower = await office.tab(context, `${line.url}/events`, { transport: 'fetch' });
  await settled(follower, 'follower');
  line.hold();
  line.cut();
  const shows = (page: Page, status: string) =>
    page.waitForFunction((status) => window.sse.getSnapshot().status === status, status, { polling: 20 });
  await Promise.all([shows(leader, 'reconnecting'), shows(follower, 'reconnecting')]);
  const error = await follower.evaluate(() => ({ ...(window.sse.getSnapshot().error as object) }));
  expect(error).toMatchObject({ code: 'network', retryable: true });
  const missed = await hub.publish([1, 2, 3].map((n) => ({ type: 'tick', data: { n } })));
  line.admit();
  for (const page of [leader, follower]) {
    await hears(page, missed.at(-1));
    expect((await heard(page)).map(({ id }) => id)).toEqual(missed);
    await shows(page, 'open');
  }
  const before = streams(line);
  await follower.evaluate(() => window.sse.reconnect());
  await expect.poll(() => streams(line)).toBe(before + 1);
  await Promise.all([settled(leader, 'leader'), settled(follower, 'follower')]);
  await hub.revoke('ada');
  await Promise.all([shows(leader, 'failed'), shows(follower, 'failed')]);
  await context.close();
});

test('a leader that rests lets another lead, and follows when it is back', async ({ browser, office, hub, line }) => {
  const context = await browser.newContext();
  const one = await office.tab(context, `${line.url}/events`);
  await settled(one, 'leader');
  const two = await office.tab(context, `${line.url}/events`);
  await settled(two, 'follower');
  await one.evaluate(() => (window.sse as unknown as { pause(): void }).pause());
  await settled(two, 'leader');
  const missed = await hub.publish([1, 2].map((n) => ({ type: 'tick', data: { n } })));
  await hears(two, missed.at(-1));
  await one.evaluate(() => (window.sse as unknown as { resume(): void }).resume());
  await settled(one, 'follower');
  await hears(one, missed.at(-1));
  for (const page of [one, two]) expect((await heard(page)).map(({ id }) => id)).toEqual(missed);
  expect(line.open).toBe(1);
  await context.close();
});

async function leading(tabs: Watched[]): Promise<Watched> {
  let leader: Watched | undefined;
  await expect
    .poll(async () => {
      const roles = await Promise.all(tabs.map(role));
      leader = tabs[roles.indexOf('leader')];
      return roles.filter((role) => role === 'leader').length;
    })
    .toBe(1);
  return leader as Watched;
}

const resyncs = (page: Page) => page.evaluate(() => window.resyncs);

/** From when a tab receives at all, it receives everything, once and in order. */
function complete(all: Received[], published: string[]): void {
  const from = published.indexOf(all[0]?.id ?? '');
  expect(from).toBeGreaterThanOrEqual(0);
  expect(all.map(({ id }) => id)).toEqual(published.slice(from));
}

/** The longest time between two updates that a tab received, from a moment on. */
const longestSilence = (tab: Page, from: number) =>
  tab.evaluate((from) => {
    const times = [from, ...window.heard.map(({ at }) => at).filter((at) => at >= from)];
    return Math.max(...times.slice(1).map((at, index) => at - (times[index] as number)));
  }, from);

/** Streams that were asked for, without preflights. */
const streams = (line: Relay) => line.requests.filter(({ method }) => method === 'GET').length;
