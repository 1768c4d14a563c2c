// What other scripts do to a page: zone.js, and a setImmediate that never calls.
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { Site } from './site';

const zone = readFileSync(new URL('../../../node_modules/zone.js/bundles/zone.umd.js', import.meta.url), 'utf8');

let site: Site;

test.beforeEach(async () => {
  site = await Site.start();
});

test.afterEach(() => site.end());

/**
 * The zones in which the listeners of a source ran, by how they were added. Made in zone `made`,
 * replaced in zone `later`.
 */
const inSource = `async (name) => {
  const { EventSource: Ours } = await import('/pkg/eventsource/index.js');
  const Source = name === 'ours' ? Ours : globalThis.EventSource;
  const [made, added, set, later] = ['made', 'added', 'set', 'later'].map((name) => Zone.root.fork({ name }));
  const source = made.run(() => new Source('/events?message'));
  const ran = {};
  added.run(() => source.addEventListener('message', () => { ran.added = Zone.current.name; }));
  set.run(() => { source.onopen = () => { ran.set = Zone.current.name; }; source.onmessage = () => { ran.replaced = 'the first'; }; });
  const done = new Promise((done) => later.run(() => { source.onmessage = () => { ran.replaced = Zone.current.name; done(); }; }));
  await done;
  source.close();
  return ran;
}`;

test('zone.js: listeners of a source run in the zone in which they were added, and so do its handlers', async ({
  page,
}) => {
  await page.addInitScript(zone);
  site.events = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: x\n\n');
  };
  await page.goto(site.url);
  // Of the browser's own class zone.js knows the listeners, and not the handlers.
  expect(await page.evaluate(`(${inSource})('native')`)).toMatchObject({ added: 'added' });
  expect(await page.evaluate(`(${inSource})('ours')`)).toEqual({ added: 'added', set: 'set', replaced: 'later' });
});

test('zone.js: listeners of the client run in the zone in which they were added', async ({ page }) => {
  await page.addInitScript(zone);
  await page.goto(site.url);
  const ran = await page.evaluate(`(async () => {
    const { createClient } = await import('/pkg/index.js');
    const [made, added, held] = ['made', 'added', 'held'].map((name) => Zone.root.fork({ name }));
    const client = made.run(() => createClient({ url: '/events' }));
    const ran = {};
    const done = new Promise((done) => added.run(() => {
      client.onStatus(() => { ran.status = Zone.current.name; });
      client.onResync(() => { ran.resync = Zone.current.name; });
      client.subscribe('projects', () => { ran.update = Zone.current.name; done(); });
    }));
    held.run(() => client.acquire());
    await done;
    client.close();
    return ran;
  })()`);
  expect(ran).toEqual({ status: 'added', resync: 'added', update: 'added' });
});

test('a setImmediate that never calls: the class dispatches all the same', async ({ page }) => {
  await page.addInitScript(() => {
    Object.assign(globalThis, { setImmediate: () => 0 });
  });
  await page.goto(site.url);
  const data = await page.evaluate(`(async () => {
    const { EventSource } = await import('/pkg/eventsource/index.js');
    const source = new EventSource('/events');
    const data = await Promise.race([
      new Promise((done) => source.addEventListener('projects', ({ data }) => done(data))),
      new Promise((done) => setTimeout(done, 5_000, 'nothing')),
    ]);
    source.close();
    return data;
  })()`);
  expect(data).toBe('{"id":7}');
});
