// `npm run bench:node`: what a delivery, a connection and an idle stream cost the hub inside Node, beside
// better-sse, in the same run. Linux only.
//   npm run bench:node -- --n 1000 --quick         one number of streams, one short round
//   npm run bench:node -- --rounds 5               the median of more rounds
// Fails if the hub is less ahead than it must be, or if anything was lost or doubled.
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { available, benchTarget, measure } from './lib/hubs.mjs';
import { bold, main, red, Stop, say, timed } from './lib/log.mjs';
import { at } from './lib/paths.mjs';
import { run } from './lib/run.mjs';

const [ours, peer] = ['tinysse/server', 'better-sse'];

/** Updates a second of the paced phase: every client keeps up, so no update is joined with another. */
const paceOf = (n) => Math.max(1, Math.min(20, Math.round(10_000 / n)));

/** What is measured, whether less is better, and how many times as good it must be. */
const columns = [
  ['us CPU/delivery, paced', (m) => m.paced.cpu_us, true, 1.25],
  ['us CPU/delivery, saturated', (m) => m.saturated.cpu_us, true, 5],
  ['deliveries/s, saturated', (m) => m.saturated.per_second, false, 1],
  ['p50 ms, paced', (m) => m.paced.p50_ms, true, 0],
  ['p99 ms, paced', (m) => m.paced.p99_ms, true, 0],
  ['kB/idle stream', (m) => m.memory_kb, true, 1.7],
  ['us CPU/connect', (m) => m.connect_us, true, 0],
];

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)];
const row = (cells) => `| ${cells.join(' | ')} |`;

function report(n, results) {
  const behind = [];
  console.log(`\n${bold(`${n} streams, ${paceOf(n)} updates/s when paced`)}\n`);
  console.log(`${row(['', ours, peer, 'times as good', 'at least'])}\n${row(['---', '--:', '--:', '--:', '--:'])}`);
  for (const [title, column, less, must] of columns) {
    const [own, other] = [ours, peer].map((name) => median(results.get(name).map(column)));
    const ratio = less ? other / own : own / other;
    console.log(row([title, own.toFixed(2), other.toFixed(2), ratio.toFixed(2), must || '']));
    if (ratio < must) behind.push(`${n} streams, ${title}: ${ratio.toFixed(2)} times as good, not ${must}`);
  }
  const phases = results.get(ours).flatMap(({ paced, saturated }) => [paced, saturated]);
  const wrong = phases.reduce(
    (sum, { lost, doubled, reordered, closed }) => sum + lost + doubled + reordered + closed,
    0,
  );
  if (wrong > 0) behind.push(`${n} streams: ${wrong} updates lost, doubled or out of order, or streams closed`);
  return behind;
}

await main(import.meta.url, async () => {
  if (process.platform !== 'linux') throw new Stop('the load generator is written for Linux');
  const { values } = parseArgs({
    options: {
      n: { type: 'string', multiple: true, default: ['1000', '5000'] },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  await build();
  const manifest = ['--manifest-path', at('benches', 'hub', 'Cargo.toml'), '--target-dir', benchTarget];
  await timed('building the load generator', () => run('cargo', ['build', '--locked', '--release', ...manifest]));
  await available([ours, peer]);
  const behind = [];
  for (const n of values.n.map(Number)) {
    const results = new Map([ours, peer].map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const name of [ours, peer]) {
        say(`${n} streams, round ${round + 1} of ${rounds}: ${name}`);
        results.get(name).push(await measure(name, n, paceOf(n), values.quick ? 2 : 5));
      }
    }
    behind.push(...report(n, results));
  }
  console.log();
  for (const line of behind) console.log(red(line));
  if (behind.length > 0) throw new Stop(`behind in ${behind.length} places`);
  say(`ahead of ${peer}`);
});
