// The tRPC example with the hub in its process: each mutation refetches exactly the queries concerned.
import { expect, test } from '@playwright/test';
import { App, Tab } from './app';

let app: App;
let tabs: Tab[];

test.beforeEach(async () => {
  app = await new App().start();
  tabs = [];
});

test.afterEach(async () => {
  for (const { context } of tabs) await context.close();
  app.stop();
});

test('each mutation refetches exactly the queries of its type, once, in both pages', async ({ browser }) => {
  const [ada, bob] = [await Tab.open(browser, app, 'ada'), await Tab.open(browser, app, 'bob')];
  tabs = [ada, bob];
  await ada.settled();
  const changes: [what: () => Promise<unknown>, shown: () => Promise<unknown>, fetched: Record<string, number>][] = [
    [
      () => ada.add('projects', 'Voyager'),
      () => expect(bob.names('projects')).toContainText(['Voyager']),
      { 'projects.getAll': 1 },
    ],
    [
      () => bob.panel('projects').getByTestId('rename').first().click(),
      () => expect(ada.names('projects').first()).toHaveText('Apollo 2'),
      { 'projects.getAll': 1 },
    ],
    [
      () => ada.panel('compute').getByTestId('stop').first().click(),
      () => expect(bob.panel('compute').getByTestId('start')).toHaveCount(2),
      { 'compute.getAll': 1 },
    ],
    [
      () => bob.panel('gardener').getByTestId('water').last().click(),
      () => expect(ada.panel('gardener').getByTestId('watered').last()).toHaveText('1×'),
      { 'gardener.getAll': 1 },
    ],
    // When it is requested, and when it is ready.
    [
      () => ada.add('images', 'web'),
      () => expect(bob.panel('images').getByText('ready')).toHaveCount(2),
      { 'images.getAll': 2 },
    ],
  ];
  for (const [change, shown, fetched] of changes) {
    const before = [ada.snapshot(), bob.snapshot()] as const;
    await change();
    await shown();
    await Promise.all([ada.settled(), bob.settled()]);
    expect(ada.since(before[0])).toEqual(fetched);
    expect(bob.since(before[1])).toEqual(fetched);
  }
});

test('a change of the polled API shows; while it fails, the last value is shown as stale', async ({ browser }) => {
  const ada = await Tab.open(browser, app, 'ada');
  tabs = [ada];
  await expect(ada.page.getByTestId('label')).toHaveText('fetching');
  await fetch(`${app.api}/fail?ms=9000`, { method: 'POST' });
  await expect(ada.page.getByTestId('progress')).toHaveAttribute('data-stale', 'true', { timeout: 20_000 });
  await expect(ada.page.getByTestId('label')).toHaveText('fetching');
  await expect(ada.page.getByTestId('progress')).toHaveAttribute('data-stale', 'false', { timeout: 30_000 });
});

test('another user has a stream of their own; a logout ends it, and who is online shows everywhere', async ({
  browser,
}) => {
  const [ada, bob] = [await Tab.open(browser, app, 'ada'), await Tab.open(browser, app, 'bob')];
  tabs = [ada, bob];
  await expect(ada.page.getByTestId('online')).toHaveText('Logged in: ada, bob');
  await bob.page.getByTestId('log-out').click();
  await expect(bob.page.getByTestId('login')).toBeVisible();
  await expect(bob.page.getByTestId('status')).toHaveAttribute('data-status', 'idle');
  await expect(ada.page.getByTestId('online')).toHaveText('Logged in: ada');
  await bob.page.getByTestId('as-ada').click();
  await expect(bob.page.getByTestId('me')).toHaveText('ada');
  await expect(bob.page.getByTestId('status')).toHaveAttribute('data-status', 'open');
  await ada.add('projects', 'Voyager');
  await expect(bob.names('projects')).toContainText(['Voyager']);
});

test('the server is killed and starts anew: a resync, and the page shows what it has now', async ({ browser }) => {
  const ada = await Tab.open(browser, app, 'ada');
  tabs = [ada];
  await ada.add('projects', 'Voyager');
  await expect(ada.names('projects')).toHaveCount(4);
  const updates = ada.page.locator('[data-type=resync]');
  await app.restart();
  // Its log and its data were in memory. The token is good: its secret is configured.
  await expect(ada.names('projects')).toHaveText(['Apollo', 'Gemini', 'Mercury']);
  await expect(updates).toHaveCount(2);
  await expect(ada.page.getByTestId('status')).toHaveAttribute('data-status', 'open');
});

test('five tabs of a user share one stream', async ({ browser }) => {
  const first = await Tab.open(browser, app, 'ada');
  tabs = [first];
  const others = [];
  for (let n = 0; n < 4; n++) others.push(await first.beside(app));
  await first.add('projects', 'Voyager');
  for (const tab of others) await expect(tab.names('projects')).toContainText(['Voyager']);
  expect([first, ...others].map(({ streams }) => streams)).toEqual([1, 0, 0, 0, 0]);
});
