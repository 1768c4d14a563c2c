// The pictures of the README, of the real page with real data: `npm run screenshots`. Not part of
// `npm test`.
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { devices } from '@playwright/test';
import { expect, test } from './fixtures';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const LARGEST = 300_000;

const shots = [
  { name: 'live-light', context: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' } },
  { name: 'live-dark', context: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' } },
  {
    name: 'live-phone',
    context: {
      ...devices['iPhone 13'],
      viewport: { width: 390, height: 844 },
      deviceScaleFactor: 2,
      colorScheme: 'light',
    },
  },
] as const;

for (const { name, context } of shots) {
  test(name, async ({ serve, proxyTo, visit, progressApi }) => {
    const api = await progressApi('--every', '600ms');
    const percent = async () => (await (await fetch(`${api}/state`)).json()).percent;
    await expect.poll(percent, { timeout: 30_000 }).toBeGreaterThan(15);
    // Asked so seldom that the log has space for the rest.
    const server = await serve('--poll', `progress=${api}/state`, '--poll-every', '3s', '--retry', '100ms');
    const proxy = await proxyTo(server);
    const ada = await visit(server, 'ada', { events: proxy, context });
    const bob = await visit(server, 'bob');

    // An ordinary minute: changes here and there, a cut, and what was missed.
    await ada.rename('Apollo', 'Artemis');
    await bob.rename('Gemini', 'Skylab');
    await expect(ada.names).toContainText(['Artemis', 'Skylab']);
    await bob.page.getByTestId('project-name').fill('Voyager');
    await bob.page.getByTestId('project-add').click();
    await bob.page.getByTestId('compute-row').nth(1).getByTestId('turn').click();
    await expect(ada.names).toHaveCount(4);
    await server.publish({ type: 'deploy', data: { build: 411 } });
    proxy.hold();
    proxy.cut();
    await ada.shows('reconnecting');
    await bob.rename('Mercury', 'Hermes');
    await server.rename('Voyager', 'Voyager 2');
    proxy.admit();
    await ada.shows('open');
    await expect(ada.rows({ type: 'projects', replayed: 'true' })).toHaveCount(2);
    await expect(ada.names).toContainText(['Hermes', 'Voyager 2']);
    await server.publish({ type: 'deploy', data: { build: 412 } });
    await expect(ada.rows({ type: 'deploy' })).toHaveCount(2);

    mkdirSync(docs, { recursive: true });
    const path = `${docs}${name}.png`;
    // Without the marks of the former user.
    await ada.page.mouse.move(0, 0);
    await ada.page.evaluate(async () => {
      (document.activeElement as HTMLElement | null)?.blur();
      await document.fonts.ready;
    });
    await ada.page.screenshot({ path, animations: 'disabled' });
    expect(statSync(path).size).toBeLessThan(LARGEST);
  });
}
