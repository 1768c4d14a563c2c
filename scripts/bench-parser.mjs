// `npm run bench:parser`: parsers and deliveries of event streams in Chromium, ours beside the
// others, in the same run.
//   npm run bench:parser -- --rounds 9
// Fails if ours is behind where it must not be: behind fetch-event-source anywhere, or, for updates
// that are coalesced or that nobody subscribed to, behind eventsource-parser.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { workloads } from '../benches/parser/workload.mjs';
import { bold, main, red, Stop, say } from './lib/log.mjs';
import { at, wasmTarget } from './lib/paths.mjs';
import { run } from './lib/run.mjs';
import { optimise } from './lib/wasm.mjs';
import { setUp } from './setup.mjs';

const folder = at('benches', 'parser');
const target = at('target', 'bench-parser');

/** What must be ahead of what, where both were measured. */
const bars = [
  ['our decoder', 'fetch-event-source'],
  ['our client', 'fetch-event-source'],
  ['our class', 'fetch-event-source'],
  ['our client, coalesced', 'eventsource-parser'],
  ['our client, nobody subscribed', 'eventsource-parser'],
];

const kinds = {
  parse: 'parsers alone, bytes in and events counted; ours without the border to JavaScript',
  stream: 'delivery from a ReadableStream to a callback',
  http: 'delivery from a request to a local server to a callback',
};

async function buildCore() {
  const manifest = join(folder, 'wasm', 'Cargo.toml');
  const where = ['--manifest-path', manifest, '--target', wasmTarget, '--target-dir', target];
  await run('cargo', ['build', '--locked', '--profile', 'small', ...where], {
    env: { RUSTFLAGS: '-C target-feature=+simd128' },
  });
  const optimised = join(target, 'bench.wasm');
  await optimise(join(target, wasmTarget, 'small', 'tinysse_bench.wasm'), optimised);
  return readFile(optimised);
}

/** Prints what it measured; answers what is behind. */
export async function benchParser(rounds) {
  const { openPage } = await import('../tests/lab/site.mjs');
  const core = await buildCore();
  const streams = workloads().map(({ bytes }) => bytes);
  const extra = {
    '/bench.wasm': (_request, response) => response.writeHead(200, { 'content-type': 'application/wasm' }).end(core),
    '/stream': (request, response) => {
      const n = Number(new URL(request.url, 'http://site').searchParams.get('n'));
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).end(streams[n]);
    },
  };
  const site = await openPage(join(folder, 'page.ts'), { extra });
  site.page.on('console', (message) => message.type() === 'warning' && say(message.text()));
  try {
    say(`best of ${rounds} rounds`);
    return report(await site.page.evaluate((n) => globalThis.bench(n), rounds));
  } finally {
    await site.close();
  }
}

const row = (cells) => `| ${cells.join(' | ')} |`;
const digits = (number) => number.toFixed(number < 10 ? 1 : 0);

function speed(ms, [bytes, events]) {
  const perSecond = events / ms;
  return `${digits(bytes / ms / 1000)} MB/s, ${perSecond < 1000 ? `${digits(perSecond)} k` : `${digits(perSecond / 1000)} M`}/s`;
}

function report({ times, sizes }) {
  const behind = [];
  for (const [kind, about] of Object.entries(kinds)) {
    const who = [...new Set(Object.values(times[kind]).flatMap((row) => Object.keys(row)))];
    console.log(`\n${bold(about)}; in brackets, how many times as fast as eventsource-parser\n`);
    console.log(row(['', ...who]));
    console.log(row(['---', ...who.map(() => '--:')]));
    for (const [name, measured] of Object.entries(times[kind])) {
      const cells = who.map((one) => {
        const ms = measured[one];
        return ms ? `${speed(ms, sizes[name])} (${(measured['eventsource-parser'] / ms).toFixed(2)})` : 'n/a';
      });
      console.log(row([name, ...cells]));
      for (const [one, other] of bars) {
        const ratio = measured[other] / measured[one];
        if (ratio < 1) behind.push(`${kind}, ${name}: ${one} has ${ratio.toFixed(2)} times the speed of ${other}`);
      }
    }
  }
  return behind;
}

await main(import.meta.url, async () => {
  const found = await setUp({ browser: true });
  process.env.CHROME = found.browser;
  const { build } = await import('./build.mjs');
  await build();
  const flag = process.argv.indexOf('--rounds');
  const behind = await benchParser(flag < 0 ? 5 : Number(process.argv[flag + 1]));
  console.log();
  for (const line of behind) console.log(red(line));
  if (behind.length > 0) throw new Stop(`behind in ${behind.length} places`);
  say('ahead wherever it must be');
});
