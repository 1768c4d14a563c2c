// Tests of logins, logouts and changes of user, one by one.
import type { Page } from '@playwright/test';
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
} from './kit';

const transports = ['eventsource', 'fetch'] as const;

const errors = (page: Page) => page.evaluate(() => window.app.errors);
const questions = (page: Page) => page.evaluate(() => window.app.questions);
const shows = (page: Page, wanted: string) =>
  expect.poll(() => status(page), { message: `status ${wanted}`, intervals: [20, 50, 100] }).toBe(wanted);

/** No update, and no stream, of one user in a tab of another. */
async function clean(...pages: Page[]): Promise<void> {
  for (const page of pages) {
    expect(await strayed(page), 'updates that reached a tab of another user, or of none').toEqual([]);
    expect(await misused(page), "streams that were asked for with another user's token").toEqual([]);
  }
}

for (const transport of transports) {
  test(`logging out and in as another within one second, ${transport}: the page gets the updates of the second user only`, async ({
    context,
    site,
    hub,
    line,
  }) => {
    const feed = new Private(hub, ['ada', 'bob']);
    const page = await open(context, site, line, { transport, more: { user: 'null' } });
    await logIn(page, 'ada');
    await receives(page, 'ada', 1);
    // At once: a stream lingers for a second after its last holder.
    await page.evaluate(() => window.app.logOut('client').then(() => window.app.logIn('bob')));
    await receives(page, 'bob', feed.last('bob') + 5);
    await feed.stop();
    await clean(page);
    await expect.poll(() => streamsOpen(hub)).toBe(1);
    expect(streams(line).map(({ user }) => user)).toEqual(['ada', 'bob']);
    expect(await questions(page)).toBe(2);
  });

  test(`logging in as another two seconds after the logout, ${transport}: neither token nor cursor of the first user is used`, async ({
    context,
    site,
    hub,
    line,
  }) => {
    const feed = new Private(hub, ['ada', 'bob']);
    const page = await open(context, site, line, { transport, more: { persist: '' } });
    await logIn(page, 'ada');
    await receives(page, 'ada', 3);
    await logOut(page);
    // Longer than a stream lingers.
    await page.waitForTimeout(2_000);
    expect(await streamsOpen(hub)).toBe(0);
    await logIn(page, 'bob');
    await receives(page, 'bob', feed.last('bob') + 5);
    await feed.stop();
    await clean(page);
    const [first, second, ...more] = streams(line);
    expect([first?.user, second?.user, more]).toEqual(['ada', 'bob', []]);
    expect(second?.cursor, "the cursor of bob's first stream").toBeNull();
    expect(second?.token).not.toBe(first?.token);
  });

  test(`forget() ends the stream, the token and the kept cursor in both tabs that share it, ${transport}`, async ({
    context,
    site,
    hub,
    line,
  }) => {
    const feed = new Private(hub, ['ada']);
    const way = { transport, more: { persist: '' } } as const;
    const tabs = [await open(context, site, line, way), await open(context, site, line, way)] as const;
    await logIn(tabs[0], 'ada');
    for (const tab of tabs) await receives(tab, 'ada', 3);
    await expect.poll(() => streamsOpen(hub), 'one stream for both').toBe(1);
    const asks = await Promise.all(tabs.map(questions));
    // Whichever of them holds the stream: first the one that does not.
    const roles = await Promise.all(tabs.map((tab) => tab.evaluate(() => window.client.getSnapshot().role)));
    const follower = tabs[roles.indexOf('follower')] ?? tabs[0];

    // Before its promise settles, and the server knows of no logout.
    await follower.evaluate(() => {
      const begun = window.app.deliveries.length;
      return window.client.forget().then(() => {
        if (window.app.deliveries.length !== begun)
          throw new Error('an update was delivered after forget() was called');
      });
    });
    for (const tab of tabs) await shows(tab, 'idle');
    await expect.poll(() => streamsOpen(hub)).toBe(0);
    const heard = await Promise.all(tabs.map(async (tab) => (await deliveries(tab)).length));
    const last = feed.last('ada');
    await expect.poll(() => feed.last('ada')).toBeGreaterThan(last + 20);
    expect(await Promise.all(tabs.map(async (tab) => (await deliveries(tab)).length))).toEqual(heard);
    for (const tab of tabs) expect(await status(tab)).toBe('idle');
    const kept = (page: Page) => page.evaluate(() => JSON.stringify(sessionStorage));
    for (const tab of tabs) expect(await kept(tab), 'a cursor is kept').not.toMatch(/\d+\.\d+/);

    // The same user again: by a new token, without the old cursor.
    const opened = streams(line).length;
    for (const tab of tabs) await tab.evaluate(() => window.client.reconnect());
    const now = feed.last('ada');
    for (const tab of tabs) await receives(tab, 'ada', now + 5);
    await feed.stop();
    expect(streams(line)[opened]?.cursor).toBeNull();
    expect((await Promise.all(tabs.map(questions))).every((count, at) => count > (asks[at] ?? 0))).toBe(true);
    await clean(...tabs);
  });

  test(`a token of another user than the current one is refused with the code user, ${transport}`, async ({
    context,
    site,
    hub,
    line,
  }) => {
    const feed = new Private(hub, ['ada', 'bob']);
    const page = await open(context, site, line, { transport, identity: 'tab', tab: 'a', more: { user: 'ada' } });
    // No user is logged in: the provider answers 401.
    await shows(page, 'failed');
    // The page names ada, and the server names bob.
    await page.evaluate(async () => {
      await fetch('/session?tab=a&do=login&user=bob', { method: 'POST' });
      window.client.setUser('eve');
      window.client.setUser('ada');
    });
    await expect.poll(async () => (await errors(page)).at(-1)).toEqual({ code: 'user', status: undefined });
    await shows(page, 'failed');
    const error = await page.evaluate(() => ({ ...window.client.getSnapshot().error }));
    expect(error).toMatchObject({ code: 'user', retryable: false });
    const message = await page.evaluate(() => window.client.getSnapshot().error?.message ?? '');
    expect(message).not.toMatch(/eyJ/);
    expect(streams(line), 'nothing was opened with it').toEqual([]);
    const asks = await questions(page);
    await page.waitForTimeout(1_500);
    expect(await questions(page), 'waiting changes nothing').toBe(asks);

    // The page learns who is logged in.
    await page.evaluate(() => window.app.logIn('bob'));
    await receives(page, 'bob', feed.last('bob') + 5);
    await feed.stop();
    await clean(page);
  });
}

test('a user of null: no connection and no question to the token provider', async ({ context, site, hub, line }) => {
  const page = await open(context, site, line, { more: { user: 'null' } });
  await page.waitForTimeout(1_000);
  await page.evaluate(() => window.client.reconnect());
  await page.waitForTimeout(500);
  expect([await status(page), await questions(page), streams(line).length]).toEqual(['idle', 0, 0]);
  expect(await streamsOpen(hub)).toBe(0);
  await logIn(page, 'ada');
  await shows(page, 'open');
});

test('setUser() in one tab does not disturb the user of another tab', async ({ context, site, hub, line }) => {
  const feed = new Private(hub, ['ada', 'bob', 'eve']);
  const tabs = await Promise.all(['a', 'b'].map((tab) => open(context, site, line, { identity: 'tab', tab })));
  const [here, there] = tabs as [Page, Page];
  // First the same user in both, who shares a connection; then one of them changes.
  for (const tab of tabs) await logIn(tab, 'ada');
  for (const tab of tabs) await receives(tab, 'ada', feed.last('ada') + 3);
  const before = await deliveries(there);
  await logIn(here, 'bob');
  await receives(here, 'bob', feed.last('bob') + 3);
  await logOut(here);
  await logIn(here, 'eve');
  await receives(here, 'eve', feed.last('eve') + 3);
  await receives(there, 'ada', feed.last('ada') + 3);
  await feed.stop();
  await clean(...tabs);
  // Nothing lost and nothing doubled in the tab that stayed.
  const from = before[0]?.n ?? 0;
  const numbers = (await deliveries(there)).map(({ n }) => n);
  expect(numbers).toEqual(numbers.map((_, at) => from + at));
});

/** What a page sees of a change of tabs. */
const show = (page: Page, state: 'hidden' | 'visible') =>
  page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => state === 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

/**
 * Shows the page until that makes the client ask for a token: what has just failed is not tried
 * again at once.
 */
const shown = (page: Page, asks: number) =>
  expect(async () => {
    await show(page, 'hidden');
    await show(page, 'visible');
    await page.waitForFunction((asks) => window.app.questions > asks, asks, { timeout: 200, polling: 10 });
  }).toPass({ timeout: 10_000 });

const ways = {
  'the prop user': (page: Page) => page.evaluate(() => window.signIn('ada')),
  'setUser()': (page: Page) => page.evaluate(() => window.client.setUser('ada')),
  'becoming visible': async (page: Page) => shown(page, await questions(page)),
  'reconnect()': (page: Page) => page.evaluate(() => window.client.reconnect()),
} as const;

for (const [name, way] of Object.entries(ways)) {
  test(`a provider that is mounted before the login, and refused, connects after it by ${name}`, async ({
    context,
    site,
    hub,
    line,
  }) => {
    const page = await open(context, site, line, { app: 'react' });
    await expect(page.getByTestId('status')).toHaveText('failed');
    expect((await errors(page)).at(-1)).toEqual({ code: 'unauthorized', status: 401 });
    // Events of other users: without the login none of these leads anywhere, and each costs one
    // question.
    const asks = await questions(page);
    await shown(page, asks);
    expect(await questions(page)).toBe(asks + 1);
    await shows(page, 'failed');

    const feed = new Private(hub, ['ada']);
    await page.evaluate(async () => {
      const url = `${new URLSearchParams(location.search).get('hub')}/auth/login`;
      const headers = { 'content-type': 'application/json' };
      await fetch(url, { method: 'POST', credentials: 'include', headers, body: '{"user":"ada"}' });
      window.app.tab.current = 'ada';
    });
    await way(page);
    await expect(page.getByTestId('status')).toHaveText('open');
    await receives(page, 'ada', feed.last('ada') + 3);
    await feed.stop();
    await clean(page);
    expect(streams(line)).toHaveLength(1);
  });
}

test('a provider whose user is null, then a name, then null: idle, open, idle', async ({
  context,
  site,
  hub,
  line,
}) => {
  const page = await open(context, site, line, { app: 'react', more: { session: '' } });
  await expect(page.getByTestId('status')).toHaveText('idle');
  expect(await questions(page)).toBe(0);
  await page.evaluate(() => window.app.logIn('ada').then(() => window.signIn('ada')));
  await expect(page.getByTestId('status')).toHaveText('open');
  await page.evaluate(() => window.signIn(null));
  await expect(page.getByTestId('status')).toHaveText('idle');
  await expect.poll(() => streamsOpen(hub)).toBe(0);
  expect(streams(line)).toHaveLength(1);
});

test('a client that is closed when StrictMode unmounts connects again at the second mount', async ({
  context,
  site,
  hub,
  line,
}) => {
  const login = await open(context, site, line, { more: { user: 'null' } });
  await logIn(login, 'ada');
  await login.close();
  const feed = new Private(hub, ['ada']);
  const page = await open(context, site, line, { app: 'react', more: { close: '' } });
  await page.evaluate(() => {
    window.app.tab.current = 'ada';
  });
  await expect(page.getByTestId('status')).toHaveText('open');
  await receives(page, 'ada', feed.last('ada') + 3);
  await feed.stop();
  await expect.poll(() => streamsOpen(hub)).toBe(1);
});
