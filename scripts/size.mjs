// `npm run size`: what users download because of tinysse, and whether it is within the budgets.
// `npm run size -- --why` names what the bytes are. Needs Chromium.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { findChromium } from './lib/browser.mjs';
import { bundleAlone, downloads, measure } from './lib/download.mjs';
import { eventSourceNamed, eventSourceWasm } from './lib/eventsource.mjs';
import { bold, dim, main, Stop, say } from './lib/log.mjs';
import { at } from './lib/paths.mjs';
import { dissect } from './lib/sections.mjs';
import { flavours, optimise } from './lib/wasm.mjs';
import { setUp } from './setup.mjs';

/**
 * What an app of `benches/download` downloads more than the same app without tinysse: Brotli, in
 * bytes, every script that Chromium asks for.
 */
const budgets = { with: 27_500, 'with-fetch': 36_600 };

/** `tinysse/eventsource` alone, which has a wasm of its own: Brotli, in bytes. */
const eventSourceBudget = 6_650;

const columns = ['raw', 'gzip', 'brotli'];

const sum = (name, rows) => ({
  name,
  ...Object.fromEntries(columns.map((column) => [column, rows.reduce((total, row) => total + row[column], 0)])),
});

const minus = (name, row, other) => ({
  name,
  ...Object.fromEntries(columns.map((column) => [column, row[column] - other[column]])),
});

function print(title, rows) {
  const cell = (text, width) => String(text).padStart(width);
  console.log(`\n  ${bold(title.padEnd(48))}${columns.map((head) => dim(cell(head, 9))).join('')}`);
  for (const { name, raw, gzip, brotli } of rows) {
    console.log(`  ${name.padEnd(48)}${cell(raw, 9)}${cell(gzip, 9)}${bold(cell(brotli, 9))}`);
  }
}

/** Prints what the app with tinysse downloads more, script by script; answers the total. */
function difference(title, { scripts, rounds }, twin, why) {
  const [entry, ...chunks] = scripts;
  const rows = [minus('entry, without that of the twin', entry, twin.scripts[0]), ...chunks];
  const total = sum('total', rows);
  print(title, [...rows, total]);
  console.log(
    `  ${dim(`${scripts.length} scripts in ${rounds.length} rounds: ${rounds.map((round) => round.length).join(', ')}`)}`,
  );
  if (why) {
    const modules = scripts.flatMap(({ inputs }) => Object.entries(inputs));
    const ours = modules.filter(([path]) => path.startsWith('pkg/'));
    printSizes(
      'modules of tinysse in it, minified',
      ours.map(([path, { bytesInOutput }]) => ({ name: path, size: bytesInOutput })),
      40,
    );
  }
  return total.brotli;
}

export async function size({ why }) {
  await build();
  const within = (what, bytes, budget) => {
    const text = `${what}: ${bytes} of ${budget} bytes of Brotli`;
    if (bytes > budget) throw new Stop(`${text}, which is ${bytes - budget} too many`);
    say(`${text}, ${budget - bytes} to spare`);
  };
  const loaded = await downloads(findChromium().browser, ['without', ...Object.keys(budgets)]);
  const twin = loaded.get('without');
  const of = (name, title) => difference(title, loaded.get(name), twin, why);
  const totals = {
    with: of('with', 'an app downloads more with tinysse'),
    'with-fetch': of('with-fetch', "an app downloads more with transport: 'fetch'"),
  };
  const alone = async (name, code) => measure(name, await bundleAlone(code));
  const eventSource = await alone('tinysse/eventsource', "export { EventSource } from 'tinysse/eventsource'");
  print('alone, in one file', [
    await alone('centrifuge', "export { Centrifuge } from 'centrifuge'"),
    eventSource,
    await alone('tinysse/iterate', "export { updates } from 'tinysse/iterate'"),
    await alone('persist, log, snapshot()', `export * from '${at('pkg', 'plugins', 'index.js')}'`),
  ]);
  print('files', [
    ...(await Promise.all(
      flavours.flatMap(({ name, dir }) =>
        ['tinysse.wasm', 'glue.js'].map((file) => measure(`${file}, ${name}`, readFileSync(join(dir, file)))),
      ),
    )),
    await measure('eventsource.wasm', readFileSync(eventSourceWasm)),
  ]);
  console.log();
  if (why) for (const named of [...flavours.map(({ named }) => named), eventSourceNamed]) await explain(named);
  for (const [name, budget] of Object.entries(budgets)) within(name, totals[name], budget);
  within('tinysse/eventsource', eventSource.brotli, eventSourceBudget);
}

/**
 * A function's crate and module, which is what can be acted upon; the hash and the generics mean
 * nothing here.
 */
function owner(name) {
  const plain = name.replace(/^<+(?:&?(?:mut )?)?(?:dyn )?/, '').replace(/[<>].*$/, '');
  const path = plain.split(' as ')[0].split('::');
  if (path.length === 1) return '(exports and runtime)';
  return path.slice(0, path[0] === 'tinysse' ? 3 : 2).join('::');
}

function printSizes(title, rows, limit) {
  const all = rows.reduce((bytes, row) => bytes + row.size, 0);
  console.log(`\n  ${bold(title)} ${dim(`${all} bytes raw`)}`);
  const sorted = [...rows].sort((a, b) => b.size - a.size);
  for (const { name, size: bytes } of sorted.slice(0, limit)) console.log(`  ${String(bytes).padStart(7)}  ${name}`);
  const rest = sorted.slice(limit);
  if (rest.length > 0) {
    console.log(
      `  ${String(rest.reduce((left, row) => left + row.size, 0)).padStart(7)}  ${dim(`${rest.length} smaller ones`)}`,
    );
  }
}

async function explain(from) {
  const named = at('target', 'size-named.wasm');
  await optimise(from, named, ['-g']);
  const { sections, functions } = dissect(readFileSync(named));
  const owners = new Map();
  for (const { name, size: bytes } of functions) owners.set(owner(name), (owners.get(owner(name)) ?? 0) + bytes);
  printSizes(
    'sections',
    sections.filter(({ name }) => name !== 'name'),
    20,
  );
  printSizes(
    'code by module',
    [...owners].map(([name, bytes]) => ({ name, size: bytes })),
    40,
  );
  printSizes('largest functions', functions, 40);
  console.log();
}

await main(import.meta.url, async () => {
  const found = await setUp({ browser: true });
  process.env.CHROME = found.browser;
  await size({ why: process.argv.includes('--why') });
});
