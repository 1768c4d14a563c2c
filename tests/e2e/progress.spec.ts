// Tests of the polled API on the live page.
import { expect, test } from './fixtures';
import type { Tab } from './tab';

const step = async ({ page }: Tab) => {
  const text = await page.getByTestId('progress').textContent();
  return Number(/Step (\d+)/.exec(text ?? '')?.[1]);
};
const stale = ({ page }: Tab) => page.getByTestId('stale');

test('the polled API: the page follows it, shows the last known value while it fails, and goes on', async ({
  serve,
  visit,
  progressApi,
}) => {
  const api = await progressApi('--every', '300ms');
  const server = await serve('--poll', `progress=${api}/state`, '--poll-every', '200ms');
  const ada = await visit(server, 'ada');
  await expect(stale(ada)).toBeHidden();
  const first = await step(ada);
  await expect.poll(() => step(ada)).toBeGreaterThan(first + 1);
  expect(await ada.rows({ type: 'progress' }).count()).toBeGreaterThan(0);

  const fail = (span: string) =>
    fetch(`${api}/fail`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ for: span }),
    });
  await fail('1h');
  // That the value is out of date is published too: an open page shows it without a reload, and so
  // does one that comes later.
  await expect(stale(ada)).toBeVisible({ timeout: 15_000 });
  const bob = await visit(server, 'bob');
  await expect(stale(bob)).toBeVisible();
  const last = await step(bob);
  expect(last).toBeGreaterThan(first);

  await fail('0ms');
  await expect(stale(bob)).toBeHidden({ timeout: 30_000 });
  await expect.poll(() => step(bob)).toBeGreaterThan(last);
  await expect.poll(() => step(ada)).toBeGreaterThan(last);
});
