// Tests of two pages that show each other's changes.
import { expect, test } from './fixtures';

const list = ['GET', '/api/projects'] as const;

test('a rename in one page shows in the other, with exactly one request in each', async ({ serve, visit }) => {
  const server = await serve();
  const [ada, bob] = await Promise.all([visit(server, 'ada'), visit(server, 'bob')]);
  const before = { ada: ada.count(...list), bob: bob.count(...list) };

  await ada.rename('Apollo', 'Artemis');
  await expect(bob.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  await expect(ada.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  await expect(bob.rows({ type: 'projects' })).toHaveCount(1);
  await expect(ada.rows({ type: 'projects', origin: 'this tab' })).toHaveCount(1);

  // No second one follows: an interval between two starts of a query is a quarter of a second.
  await ada.page.waitForTimeout(1_500);
  expect(bob.count(...list) - before.bob).toBe(1);
  expect(ada.count(...list) - before.ada).toBe(1);
  expect(ada.count('PATCH', '/api/projects/p1')).toBe(1);
});

test('everything else that a page can change shows in the other', async ({ serve, visit }) => {
  const server = await serve();
  const [ada, bob] = await Promise.all([visit(server, 'ada'), visit(server, 'bob')]);

  await ada.page.getByTestId('project-name').fill('Voyager');
  await ada.page.getByTestId('project-add').click();
  await expect(bob.names).toContainText(['Voyager']);
  const row = bob.page.getByTestId('project-row').filter({ hasText: 'Voyager' });
  await row.getByTestId('delete').click();
  await expect(ada.names).toHaveText(['Apollo', 'Gemini', 'Mercury']);

  const worker = (tab: typeof ada) => tab.page.getByTestId('compute-row').first();
  await expect(worker(ada)).toHaveAttribute('data-state', 'running');
  await worker(bob).getByTestId('turn').click();
  await expect(worker(ada)).toHaveAttribute('data-state', 'stopped');
  await expect(worker(ada)).toContainText('bob');
});

test('what a service publishes reaches whom it is for, whatever its type is called', async ({ serve, visit }) => {
  const server = await serve();
  const [ada, bob] = await Promise.all([visit(server, 'ada'), visit(server, 'bob')]);
  // Nobody on the page asked for these types by name, only for everything.
  await server.publish([
    { type: 'deploy', data: { build: 412 }, to: 'user:ada' },
    { type: 'note.added', data: 'text\nof two lines, and ünïcode' },
  ]);
  await expect(ada.rows({ type: 'note.added' })).toContainText('text of two lines, and ünïcode');
  await expect(bob.rows({ type: 'note.added' })).toHaveCount(1);
  await expect(ada.rows({ type: 'deploy' })).toContainText('412');
  await expect(bob.rows({ type: 'deploy' })).toHaveCount(0);
});
