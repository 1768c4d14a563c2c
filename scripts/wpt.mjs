// `npm run wpt -- DIR`: the EventSource tests of web-platform-tests, of which DIR is a checkout,
// run with the browser's own class, with ours and with the npm packages, in Chromium. A checkout
// has its own server, in Python; for a part of one, `pip install wptserve` and name the Python in
// $PYTHON.
//   npm run wpt -- DIR --ours           without the npm packages
//   npm run wpt -- DIR --only close     the tests whose path holds the word
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { main, Stop, say, timed } from './lib/log.mjs';
import { at, root as here } from './lib/paths.mjs';
import { readTests, serve, startWptserve } from './lib/wpt.mjs';
import { setUp } from './setup.mjs';

/** Pages at once. Each has a profile of its own, so they share no connections and no cookies. */
const lanes = 4;
/** Milliseconds for a page; the harness gives its tests up after 10 or 60 seconds. */
const patience = 75_000;

/** The name of each class, and the script that puts it in the place of the browser's own. */
const classes = {
  native: async () => '',
  'tinysse/eventsource': async () =>
    `${readFileSync(at('pkg', 'eventsource', 'classic.js'), 'utf8')};tinysse.install();`,
  eventsource: () => bundle(`import { EventSource } from 'eventsource'; globalThis.EventSource = EventSource;`),
  'event-source-polyfill': () =>
    bundle(
      `import { EventSourcePolyfill } from 'event-source-polyfill'; globalThis.EventSource = EventSourcePolyfill;`,
    ),
};

async function bundle(contents) {
  const { build } = await import('esbuild');
  const made = await build({ stdin: { contents, resolveDir: here }, bundle: true, format: 'iife', write: false });
  return made.outputFiles[0].text;
}

/** Runs every page with one class. Answers the results of each. */
async function runAll({ pages, made, behind, script, chrome }) {
  const { chromium } = await import('playwright-core');
  const server = await serve({ made, behind, script });
  const browser = await chromium.launch({
    executablePath: chrome,
    args: [
      '--no-sandbox',
      `--host-resolver-rules=MAP *.test 127.0.0.1:${server.port}`,
      '--unsafely-treat-insecure-origin-as-secure=http://web-platform.test',
    ],
  });
  const results = new Map();
  const waiting = [...pages];
  const lane = async () => {
    for (let page = waiting.shift(); page; page = waiting.shift()) {
      const context = await browser.newContext();
      const tab = await context.newPage();
      await tab.goto(`http://web-platform.test${page}`, { waitUntil: 'commit' });
      const done = await tab.waitForFunction('self.results', null, { timeout: patience }).catch(() => null);
      results.set(page, (await done?.jsonValue()) ?? []);
      await context.close();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await browser.close();
  server.end();
  return results;
}

const passed = (results) => results.filter((one) => one.passed).length;

/** A row for each page, and what ours fails. */
function print(pages, names, runs) {
  const row = (cells) => console.log(`| ${cells.join(' | ')} |`);
  const most = (page) => Math.max(...names.map((name) => runs.get(name).get(page).length));
  const sum = (count) => pages.reduce((total, page) => total + count(page), 0);
  row(['test', 'subtests', ...names]);
  row(['---', '--:', ...names.map(() => '--:')]);
  for (const page of pages) row([page, most(page), ...names.map((name) => passed(runs.get(name).get(page)))]);
  row(['**all**', sum(most), ...names.map((name) => sum((page) => passed(runs.get(name).get(page))))]);
  for (const name of names.slice(0, 2)) {
    for (const page of pages) {
      for (const { name: test, message, passed } of runs.get(name).get(page)) {
        if (!passed) console.log(`\n${name} fails ${page}: ${test}\n  ${message}`);
      }
    }
  }
}

await main(import.meta.url, async () => {
  const options = { ours: { type: 'boolean' }, only: { type: 'string', default: '' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const root = resolve(positionals[0] ?? '.');
  if (!existsSync(join(root, 'resources', 'testharness.js'))) {
    throw new Stop(`${root} is no checkout of web-platform-tests: npm run wpt -- DIR`);
  }
  const { browser: chrome } = await setUp({ browser: true });
  const { build } = await import('./build.mjs');
  await build();
  const behind = await startWptserve(root);
  if (!behind)
    throw new Stop('wptserve did not start: it needs Python 3, named in $PYTHON if it is another than python3');
  const { pages: all, made } = readTests(root, 'eventsource');
  const pages = all.filter((page) => page.includes(values.only));
  const names = Object.keys(classes).slice(0, values.ours ? 2 : undefined);
  const runs = new Map();
  for (const name of names) {
    const script = await classes[name]();
    await timed(`${name}, ${pages.length} pages`, async () => {
      runs.set(name, await runAll({ pages, made, behind: behind.port, script, chrome }));
    });
  }
  behind.end();
  say(`${pages.length} pages`);
  print(pages, names, runs);
});
