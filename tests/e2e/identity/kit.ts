// A hub, a site, proxies, and private updates for each user without a pause.
import type { BrowserContext, Page } from '@playwright/test';
import { test as base, expect } from '../fixtures';
import type { Passed, Relay } from '../proxy';
import type { Server } from '../server';
import type { Delivery, Identity } from './app';
import { Site } from './site';
import { type Asked, subject } from './subject';

export { expect };

/** How a tab is opened. */
export interface Way {
  readonly identity?: Identity;
  readonly transport?: 'eventsource' | 'fetch';
  readonly share?: 'auto' | 'off';
  /** Its name, where each tab has a user of its own. */
  readonly tab?: string;
  readonly app?: 'plain' | 'react';
  /** More of the query. */
  readonly more?: Record<string, string>;
}

/** Numbered updates to each of the users, all the time. */
export class Private {
  readonly #last = new Map<string, number>();
  #on = true;
  readonly #done: Promise<void>;

  constructor(server: Server, users: readonly string[], everyMs = 40) {
    for (const user of users) this.#last.set(user, 0);
    this.#done = this.#run(server, everyMs);
  }

  async #run(server: Server, everyMs: number): Promise<void> {
    while (this.#on) {
      for (const [user, n] of this.#last) this.#last.set(user, n + 1);
      const items = [...this.#last].map(([user, n]) => ({ type: 'private', to: `user:${user}`, data: { user, n } }));
      await server.publish(items);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  /** The number of the last update to this user. */
  last(user: string): number {
    return this.#last.get(user) ?? 0;
  }

  async stop(): Promise<void> {
    this.#on = false;
    await this.#done;
  }
}

export const test = base.extend<{ site: Site; hub: Server; line: Relay }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from this pattern.
  site: async ({}, use) => {
    let named: Server | undefined;
    const site = await Site.start(() => named as Server);
    await use(Object.assign(site, { name: (server: Server) => (named = server) }));
    site.end();
  },
  hub: async ({ site, serve }, use) => {
    const server = await serve('--cors-origin', site.url, '--retry', '100ms');
    (site as unknown as { name(server: Server): void }).name(server);
    await use(server);
  },
  line: async ({ hub, proxyTo }, use) => use(await proxyTo(hub)),
});

/** Opens a tab of the application; its requests to the hub go through the proxy. */
export async function open(context: BrowserContext, site: Site, line: Relay, way: Way = {}): Promise<Page> {
  const { app = 'plain', more, ...rest } = way;
  const page = await context.newPage();
  const query = new URLSearchParams({ hub: line.url, ...rest, ...more });
  await page.goto(`${site.url}/${app}?${query}`);
  await page.waitForFunction(() => window.app !== undefined);
  return page;
}

export const logIn = (page: Page, user: string) => page.evaluate((user) => window.app.logIn(user), user);
export const logOut = (page: Page, first: 'server' | 'client' = 'client') =>
  page.evaluate((first) => window.app.logOut(first), first);
export const status = (page: Page) => page.evaluate(() => window.client.getSnapshot().status);
export const deliveries = (page: Page): Promise<Delivery[]> => page.evaluate(() => window.app.deliveries);
export const asked = (page: Page): Promise<Asked[]> => page.evaluate(() => window.app.tab.asked);

/** Waits until the tab received an update to this user with at least this number. */
export async function receives(page: Page, user: string, n: number, timeout = 15_000): Promise<void> {
  const there = ({ user, n }: { user: string; n: number }) =>
    window.app.deliveries.some((delivery) => delivery.user === user && delivery.n >= n);
  await page.waitForFunction(there, { user, n }, { timeout, polling: 20 });
}

/** Updates that reached a tab whose user was another one, or that had none. */
export const strayed = async (page: Page): Promise<Delivery[]> =>
  (await deliveries(page)).filter(({ user, current }) => user !== current);

/** Streams that a tab asked for with the token of another user than its own. */
export const misused = async (page: Page): Promise<Asked[]> =>
  (await asked(page)).filter(({ user, current }) => user !== current);

/** A request for a stream, as the proxy saw it. */
export interface Streamed {
  readonly at: number;
  readonly user: string;
  readonly token: string;
  /** The cursor, from the query or the header. */
  readonly cursor: string | null;
}

/** The streams that went through the proxy, in order; preflights are left out. */
export function streams(line: Relay): Streamed[] {
  const gets = line.requests.filter(({ method, path }) => method === 'GET' && path === '/events');
  return gets.map((request) => {
    const token = tokenOf(request);
    const cursor = request.headers.get('last-event-id') ?? request.query.get('lastEventId');
    return { at: request.at, user: token === '' ? '' : subject(token), token, cursor };
  });
}

const tokenOf = ({ headers, query }: Passed) =>
  headers.get('authorization')?.replace(/^Bearer /, '') ?? query.get('token') ?? '';

/** Streams that are open at the hub. */
export async function streamsOpen(hub: Server): Promise<number> {
  const text = await (await fetch(`${hub.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => /^tinysse_streams_open[ {]/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
