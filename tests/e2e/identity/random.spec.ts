// Users log in and out in random order, in two tabs. `IDENTITY_SEED=n` repeats a run;
// `IDENTITY_STEPS=n` makes it longer.
import type { Browser, Page } from '@playwright/test';
import type { Relay } from '../proxy';
import type { Server } from '../server';
import type { Identity } from './app';
import {
  deliveries,
  expect,
  logIn,
  logOut,
  misused,
  open,
  Private,
  receives,
  status,
  strayed,
  streams,
  streamsOpen,
  test,
  type Way,
} from './kit';
import type { Site } from './site';

const seed = Number(process.env.IDENTITY_SEED ?? Date.now() % 1_000_000);
const STEPS = Number(process.env.IDENTITY_STEPS ?? 12);
const NAMES = ['ada', 'bob', 'eve'];
/** The time that a request may be on its way when the user changes, in milliseconds. */
const ON_THE_WAY = 500;

/** Mulberry32. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T;
  }

  /** Often none, often short, at times long enough for everything to settle. */
  delay(): number {
    const longest = this.pick([0, 30, 150, 600, 1_500]);
    return Math.floor(this.next() * longest);
  }
}

/** Two tabs of one browser, on a proxy of their own, with users that only they have. */
class Pair {
  readonly #random: Random;
  readonly #way: Way;
  readonly #tabs: readonly [Page, Page];
  readonly #line: Relay;
  readonly #users: readonly string[];
  /** Who is logged in, by tab; tabs that share a cookie have the same. */
  readonly #current: [string | null, string | null] = [null, null];
  readonly #story: string[] = [];
  readonly #begun = Date.now();

  private constructor(random: Random, way: Way, tabs: readonly [Page, Page], line: Relay, users: readonly string[]) {
    this.#random = random;
    this.#way = way;
    this.#tabs = tabs;
    this.#line = line;
    this.#users = users;
  }

  static async open(browser: Browser, site: Site, line: Relay, way: Way, users: string[], seed: number): Promise<Pair> {
    const context = await browser.newContext();
    const tabs = [
      await open(context, site, line, { ...way, tab: `${users[0]}-1`, more: { persist: '' } }),
      await open(context, site, line, { ...way, tab: `${users[0]}-2`, more: { persist: '' } }),
    ] as const;
    return new Pair(new Random(seed), way, tabs, line, users);
  }

  /** What was done, for a report. */
  get story(): string {
    return `${JSON.stringify(this.#way)}\n  ${this.#story.join('\n  ')}`;
  }

  async step(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#random.delay()));
    const tab = this.#random.pick([0, 1] as const);
    const others = this.#users.filter((user) => user !== this.#current[tab]);
    if (this.#current[tab] !== null && this.#random.next() < 0.6) {
      await this.#out(tab, this.#random.pick(['server', 'client'] as const));
    } else {
      await this.#in(tab, this.#random.pick(others));
    }
  }

  async #in(tab: 0 | 1, user: string): Promise<void> {
    this.#tell(`tab ${tab} logs in as ${user}`);
    await logIn(this.#tabs[tab], user);
    this.#set(tab, user);
  }

  async #out(tab: 0 | 1, first: 'server' | 'client'): Promise<void> {
    this.#tell(`tab ${tab} logs out, the ${first} first`);
    await logOut(this.#tabs[tab], first);
    this.#set(tab, null);
  }

  #set(tab: 0 | 1, user: string | null): void {
    this.#current[tab] = user;
    if (this.#way.identity !== 'tab') this.#current[1 - tab] = user;
  }

  #tell(text: string): void {
    this.#story.push(`${Date.now() - this.#begun} ms: ${text}`);
  }

  /** After a last login each tab gets everything of its user. */
  async settle(feed: Private): Promise<void> {
    await this.#in(0, this.#random.pick(this.#users));
    if (this.#way.identity === 'tab') await this.#in(1, this.#random.pick(this.#users));
    for (const [at, page] of this.#tabs.entries()) {
      const user = this.#current[at] ?? '';
      await receives(page, user, feed.last(user) + 1);
      const from = (await deliveries(page)).at(-1)?.n ?? 0;
      await receives(page, user, from + 10);
      const all = (await deliveries(page)).filter((delivery) => delivery.user === user).map(({ n }) => n);
      const settled = all.slice(all.lastIndexOf(from));
      expect(settled, 'nothing is lost and nothing doubled').toEqual(settled.map((_, index) => from + index));
      expect(await status(page)).toBe('open');
    }
  }

  /** After a last logout no tab gets anything. */
  async leave(): Promise<void> {
    await this.#out(0, 'client');
    if (this.#way.identity === 'tab') await this.#out(1, 'client');
    for (const page of this.#tabs) {
      await page.waitForFunction(() => window.app.tab.current === null, undefined, { polling: 20, timeout: 5_000 });
    }
  }

  async judge(): Promise<void> {
    for (const [at, page] of this.#tabs.entries()) {
      expect.soft(await strayed(page), `updates that strayed into tab ${at}`).toEqual([]);
      expect.soft(await misused(page), `tokens of another user in tab ${at}`).toEqual([]);
      const questions = await page.evaluate(() => window.app.questions);
      expect.soft(questions, `questions of tab ${at}`).toBeLessThanOrEqual(4 * (this.#story.length + 1));
    }
    await this.#judgeRequests();
    const opened = streams(this.#line).length;
    expect.soft(opened, 'streams that were asked for').toBeLessThanOrEqual(4 * (this.#story.length + 1));
  }

  /** Every stream at the proxy was for a user whom one of the tabs had just then. */
  async #judgeRequests(): Promise<void> {
    const times = (await Promise.all(this.#tabs.map((page) => page.evaluate(() => window.app.changes)))).map(
      (changes) =>
        changes.map(({ at, user }, index) => ({
          user,
          from: at,
          to: changes[index + 1]?.at ?? Number.POSITIVE_INFINITY,
        })),
    );
    const stale = streams(this.#line).filter(
      (stream) =>
        !times
          .flat()
          .some(({ user, from, to }) => user === stream.user && from <= stream.at && stream.at <= to + ON_THE_WAY),
    );
    expect
      .soft(
        stale.map(({ at, user }) => `${at - this.#begun} ms: ${user}`),
        'streams with the token of a former user',
      )
      .toEqual([]);
  }

  async close(): Promise<void> {
    await this.#tabs[0].context().close();
  }
}

const ways: readonly Way[] = (['eventsource', 'fetch'] as const).flatMap((transport) =>
  (['auto', 'off'] as const).map((share) => ({ transport, share })),
);

const titles: Record<Identity, string> = {
  user: 'the client is told its user',
  token: 'the client takes its user from the token',
  tab: 'each tab has a user of its own',
};

async function run(identity: Identity, browser: Browser, site: Site, hub: Server, lines: Relay[]): Promise<void> {
  const users = ways.map((_, at) => NAMES.map((name) => `${name}${at}`));
  const feed = new Private(hub, users.flat());
  const pairs: Pair[] = [];
  for (const [at, way] of ways.entries()) {
    const line = lines[at] as Relay;
    pairs.push(await Pair.open(browser, site, line, { ...way, identity }, users[at] ?? [], seed + at));
  }
  try {
    await Promise.all(
      pairs.map(async (pair) => {
        for (let step = 0; step < STEPS; step++) await pair.step();
        await pair.settle(feed);
        await pair.leave();
      }),
    );
    await expect.poll(() => streamsOpen(hub), 'streams that stay').toBe(0);
    for (const pair of pairs) await pair.judge();
    if (test.info().errors.length > 0) for (const pair of pairs) console.log(pair.story);
  } catch (error) {
    for (const pair of pairs) console.log(pair.story);
    for (const pair of pairs) await pair.judge();
    throw error;
  } finally {
    await feed.stop();
    for (const pair of pairs) await pair.close();
  }
}

for (const identity of ['user', 'token', 'tab'] as const) {
  test(`users log in and out at random in two tabs, ${titles[identity]}: no update of one reaches another, and everyone gets their own`, async ({
    browser,
    site,
    hub,
    proxyTo,
  }) => {
    test.setTimeout(60_000 + STEPS * 2_000);
    console.log(`  IDENTITY_SEED=${seed}`);
    const lines = await Promise.all(ways.map(() => proxyTo(hub)));
    await run(identity, browser, site, hub, lines);
  });
}
