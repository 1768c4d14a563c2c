// The fixtures of the browser tests: servers, proxies and visited pages.
import { type BrowserContextOptions, test as base, expect } from '@playwright/test';
import { Relay } from './proxy';
import { Program, Server } from './server';
import { Tab } from './tab';

export { expect };

/** How a page is visited. */
interface Visit {
  /** Between the page and its stream. */
  events?: Relay;
  /** The page's time can be moved on: see `page.clock`. */
  clock?: boolean;
  /** Done before the page is loaded. */
  before?(tab: Tab): Promise<unknown>;
  context?: BrowserContextOptions;
}

interface Fixtures {
  /** A server of the test's own; ends with it. */
  serve(...flags: string[]): Promise<Server>;
  /** The polled API, as its own process. */
  progressApi(...flags: string[]): Promise<string>;
  proxyTo(server: Server): Promise<Relay>;
  /** Opens the page as this user, in a context of its own, and waits until it is settled. */
  visit(server: Server, user: string, how?: Visit): Promise<Tab>;
}

/** Everything that a test began, with its log. */
interface Begun {
  readonly name: string;
  readonly thing: { readonly log: string };
}

export const test = base.extend<Fixtures & { begun: Begun[] }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from this pattern.
  begun: async ({}, use, info) => {
    const begun: Begun[] = [];
    await use(begun);
    if (info.status === info.expectedStatus) return;
    for (const { name, thing } of begun) console.log(`\n--- ${name}\n${thing.log}`);
  },

  serve: async ({ begun }, use) => {
    const servers: Server[] = [];
    await use(async (...flags) => {
      const server = await Server.start(flags);
      servers.push(server);
      begun.push({ name: `server ${server.url} ${flags.join(' ')}`, thing: server });
      return server;
    });
    await Promise.all(servers.map((server) => server.kill()));
  },

  progressApi: async ({ begun }, use) => {
    const programs: Program[] = [];
    await use(async (...flags) => {
      const program = new Program('progress-api', ['--listen', '127.0.0.1:0', ...flags]);
      programs.push(program);
      begun.push({ name: 'progress-api', thing: program });
      return program.start();
    });
    await Promise.all(programs.map((program) => program.kill()));
  },

  proxyTo: async ({ begun }, use) => {
    const proxies: Relay[] = [];
    await use(async (server) => {
      const proxy = await Relay.to(server.url);
      proxies.push(proxy);
      begun.push({ name: `proxy ${proxy.url}`, thing: proxy });
      return proxy;
    });
    await Promise.all(proxies.map((proxy) => proxy.end()));
  },

  visit: async ({ browser, begun }, use) => {
    const tabs: Tab[] = [];
    await use(async (server, user, { events, clock, before, context: options } = {}) => {
      const context = await browser.newContext({ baseURL: server.url, ...options });
      const tab = new Tab(await context.newPage(), user);
      tabs.push(tab);
      begun.push({ name: `page of ${user}`, thing: tab });
      if (clock) await tab.page.clock.install();
      await before?.(tab);
      const query = new URLSearchParams({ user, ...(events && { events: events.url }) });
      await tab.page.goto(`/?${query}`);
      await tab.settled();
      return tab;
    });
    await Promise.all(tabs.map(({ page }) => page.context().close()));
    for (const { errors, user } of tabs)
      expect(errors, `exceptions that nobody caught in the page of ${user}`).toEqual([]);
  },
});
