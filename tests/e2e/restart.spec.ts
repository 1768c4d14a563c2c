// Tests of a server that is killed and started anew.
import { expect, test } from './fixtures';
import type { Server } from './server';

const names = async (server: Server) => (await server.projects()).map(({ name }) => name);

test('the server is killed and starts anew: another epoch, a resync, and the page shows what it has now', async ({
  serve,
  visit,
}) => {
  const server = await serve('--retry', '200ms');
  const tab = await visit(server, 'ada');
  await server.rename('Apollo', 'Artemis');
  await expect(tab.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  const [epoch] = (await tab.snapshot()).lastEventId.split('.');

  await server.kill();
  await tab.shows('reconnecting');
  await server.restart();
  // The memory of the old process is gone, and the new one has gone on.
  await server.rename('Mercury', 'Hermes');
  await tab.shows('open', 30_000);
  await expect(tab.rows({ kind: 'resync', gap: 'epoch' })).toHaveCount(1);
  await expect(tab.names).toHaveText(['Apollo', 'Gemini', 'Hermes']);
  expect(await tab.names.allTextContents()).toEqual(await names(server));
  const after = await tab.snapshot();
  expect(after).toMatchObject({ resyncs: 2, error: null });
  expect(after.lastEventId.split('.')[0]).not.toBe(epoch);

  // And it is live.
  await server.rename('Gemini', 'Zwilling');
  await expect(tab.names).toHaveText(['Apollo', 'Zwilling', 'Hermes']);
});

test('a log that was trimmed meanwhile: a resync, and the page is fresh', async ({ serve, proxyTo, visit }) => {
  const server = await serve('--log-max-count', '5', '--retry', '200ms');
  const proxy = await proxyTo(server);
  const tab = await visit(server, 'ada', { events: proxy });
  await tab.hear('tick');

  await proxy.refuse();
  await tab.shows('reconnecting');
  await server.rename('Apollo', 'Artemis');
  const published = await server.publish(Array.from({ length: 50 }, (_, n) => ({ type: 'tick', data: { n } })));
  await proxy.pass();

  await tab.shows('open', 30_000);
  await expect(tab.rows({ kind: 'resync', gap: 'trimmed' })).toHaveCount(1);
  // The rename itself is lost to the log, and to no client.
  await expect(tab.names).toHaveText(['Artemis', 'Gemini', 'Mercury']);
  await expect(tab.rows({ type: 'projects' })).toHaveCount(0);
  // What came after the announcement is a tail of what was published, without a hole.
  const heard = (await tab.heard()).map(({ id }) => id);
  expect(heard).toEqual(published.slice(published.length - heard.length));
  expect(heard.length).toBeLessThanOrEqual(5);

  // From there on it goes on as ever: another absence that the log reaches back over is replayed.
  proxy.cut();
  const more = await server.publish([100, 101].map((n) => ({ type: 'tick', data: { n } })));
  await tab.hearsId(more.at(-1));
  expect((await tab.heard()).slice(heard.length).map(({ id }) => id)).toEqual(more);
  await expect(tab.rows({ kind: 'resync' })).toHaveCount(2);
});
