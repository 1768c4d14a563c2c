// `npm run size`: what a page downloads, and whether it is within the budget. `npm run size -- --why` says what the bytes are.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { buildEventSourceWasm, eventSourceNamed, eventSourceWasm } from './lib/eventsource.mjs';
import { bold, dim, main, Stop, say } from './lib/log.mjs';
import { at } from './lib/paths.mjs';
import { dissect } from './lib/sections.mjs';
import { buildWasm, flavours, optimise } from './lib/wasm.mjs';
import { setUp } from './setup.mjs';

/** What a page downloads, brotli, in bytes: .wasm + glue + facade, by transport. */
const budgets = { eventsource: 20_400, fetch: 27_000 };

/** `tinysse/eventsource`, which has a wasm of its own, inlined: all that its users download. */
const eventSourceBudget = 6_650;

function measure(name, bytes) {
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  return { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli.length };
}

const sum = (name, rows) => ({
  name,
  raw: rows.reduce((total, row) => total + row.raw, 0),
  gzip: rows.reduce((total, row) => total + row.gzip, 0),
  brotli: rows.reduce((total, row) => total + row.brotli, 0),
});

/**
 * A module as an app's bundler sees it, with all that it imports at the start. Of what it imports later, only what every client needs
 * is put in, if that is wanted: the wasm, with what unpacks it.
 */
async function bundle(entry, { inlined = false } = {}) {
  const { build } = await import('esbuild');
  const needed = /\/wasm\/|\/inlined\.js$/;
  const later = {
    name: 'later',
    setup: ({ onResolve }) =>
      onResolve({ filter: /./ }, ({ kind, path }) =>
        kind === 'dynamic-import' && !(inlined && needed.test(path)) ? { path, external: true } : undefined,
      ),
  };
  const { outputFiles } = await build({
    entryPoints: [at('js', entry)],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    write: false,
    plugins: [later],
    logLevel: 'error',
  });
  return Buffer.concat(outputFiles.map((file) => file.contents));
}

function print(rows) {
  const cell = (text, width) => String(text).padStart(width);
  console.log(`  ${''.padEnd(30)}${['raw', 'gzip', 'brotli'].map((head) => dim(cell(head, 9))).join('')}`);
  for (const { name, raw, gzip, brotli } of rows) {
    console.log(`  ${name.padEnd(30)}${cell(raw, 9)}${cell(gzip, 9)}${bold(cell(brotli, 9))}`);
  }
}

export async function size({ why }) {
  await buildWasm();
  await buildEventSourceWasm();
  const facade = measure('facade', await bundle('index.ts'));
  const over = [];
  for (const { name, dir, named } of flavours) {
    const parts = [
      measure('tinysse.wasm', readFileSync(join(dir, 'tinysse.wasm'))),
      measure('glue', readFileSync(join(dir, 'glue.js'))),
      facade,
    ];
    const total = sum('total', parts);
    say(bold(`transport ${name}`));
    print([...parts, total]);
    if (why) await explain(named);
    const budget = budgets[name];
    if (total.brotli > budget) over.push(`${name}: ${total.brotli} bytes of brotli are above the budget of ${budget}`);
    else say(`${total.brotli} of ${budget} bytes of brotli: ${budget - total.brotli} to spare`);
  }
  print([
    measure('inlined: all in one file', await bundle('index.ts', { inlined: true })),
    measure('apart: one connection for tabs', await bundle('tabs/share.ts')),
    measure('apart: persist, log, snapshot', await bundle('more.ts')),
    measure('apart: tinysse/iterate', await bundle('iterate.ts')),
  ]);
  const eventSource = measure('eventsource: all in one file', await bundle('eventsource/index.ts', { inlined: true }));
  print([measure('eventsource.wasm', readFileSync(eventSourceWasm)), eventSource]);
  if (why) await explain(eventSourceNamed);
  if (eventSource.brotli > eventSourceBudget) {
    over.push(`eventsource: ${eventSource.brotli} bytes of brotli are above the budget of ${eventSourceBudget}`);
  } else say(`${eventSource.brotli} of ${eventSourceBudget} bytes of brotli for tinysse/eventsource`);
  if (over.length > 0) throw new Stop(over.join('; '));
}

/** A function's crate and module, which is what can be acted upon; the hash and the generics say nothing here. */
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
  await setUp({ browser: false });
  await size({ why: process.argv.includes('--why') });
});
