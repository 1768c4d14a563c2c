// `npm run bench:hub`: what a delivery, a connection and an idle stream cost our server, beside
// other hubs, in the same run. Linux only.
//   npm run bench:hub -- --n 1000 --quick         one number of streams, one short round
//   npm run bench:hub -- --only ours,nchan        some of the hubs
//   npm run bench:hub -- --rounds 5               the median of more rounds
//   npm run bench:hub -- --curve                  ours alone, from 100 to 15,000 streams; draws docs/hub-cost.svg
//   npm run bench:hub -- --audiences              an update for one of 100 to 10,000 users; draws docs/hub-audiences.svg
//   npm run bench:hub -- --replay                 clients that come back at once, by the number of channels that their pattern covers
// The servers are kept to core 0, the load generator to core 1. Fails if a peer is ahead of
// tinysse, or if anything was lost or doubled.
import { parseArgs } from 'node:util';
import { available, benchTarget, measure, measureOne, measureReplay } from './lib/hubs.mjs';
import { bold, main, red, Stop, say, timed } from './lib/log.mjs';
import { at } from './lib/paths.mjs';
import { plot } from './lib/plot.mjs';
import { run } from './lib/run.mjs';
import { writeWhole } from './lib/stamp.mjs';

/**
 * Updates a second of the paced phase: every client keeps up, so no update is joined with another.
 */
const paceOf = (n) => Math.max(1, Math.min(20, Math.round(20_000 / n)));

/**
 * The columns of a measurement, and whether less is better. Saturated, a delay is as long as the
 * queue that the load generator allows.
 */
const columns = [
  ['us CPU/delivery, paced', (m) => m.paced.cpu_us, true],
  ['us CPU/delivery, saturated', (m) => m.saturated.cpu_us, true],
  ['deliveries/s, saturated', (m) => m.saturated.per_second, false],
  ['p50 ms, paced', (m) => m.paced.p50_ms, true],
  ['p99 ms, paced', (m) => m.paced.p99_ms, true],
  ['p50 ms, saturated', (m) => m.saturated.p50_ms, null],
  ['p99 ms, saturated', (m) => m.saturated.p99_ms, null],
  ['kB/idle stream', (m) => m.memory_kb, true],
  ['us CPU/connect', (m) => m.connect_us, true],
];

/** Loops without log, rights or replay: there to show what the machine can do, not to be beaten. */
const ceiling = 'raw sockets';

const row = (cells) => `| ${cells.join(' | ')} |`;
const digits = (number) => (number >= 1000 ? `${(number / 1000).toFixed(0)}k` : number.toFixed(number < 10 ? 2 : 0));
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)];

function report(n, results) {
  const behind = [];
  const of = (name, column) => median(results.get(name).map(column));
  console.log(
    `\n${bold(`${n} streams, ${paceOf(n)} updates/s when paced`)}; in brackets, how many times as good ours is\n`,
  );
  console.log(
    row(['', ...columns.map(([name]) => name), 'joined/read', 'lost, doubled', "load's own us", 'cores of others']),
  );
  console.log(row(['---', ...columns.map(() => '--:'), '--:', '--:', '--:', '--:']));
  for (const [name, rounds] of results) {
    const cells = columns.map(([title, column, less]) => {
      const value = of(name, column);
      if (name === 'ours' || !results.has('ours') || less === null) return digits(value);
      const ratio = less ? value / of('ours', column) : of('ours', column) / value;
      if (ratio < 1 && name !== ceiling) behind.push(`${n} streams, ${title}: ${name} is ahead (${ratio.toFixed(2)})`);
      return `${digits(value)} (${ratio.toFixed(2)})`;
    });
    const phases = rounds.flatMap(({ paced, saturated }) => [paced, saturated]);
    const sum = (what) => phases.reduce((total, phase) => total + phase[what], 0);
    const wrong = [sum('lost'), sum('doubled') + sum('reordered'), sum('closed')];
    if (name === 'ours' && wrong.some((count) => count > 0)) {
      behind.push(`${n} streams: ours lost ${wrong[0]}, doubled or reordered ${wrong[1]}, closed ${wrong[2]}`);
    }
    const joined = median(rounds.map(({ saturated }) => saturated.joined));
    const load = median(rounds.map(({ saturated }) => saturated.load_us));
    const others = median(phases.map((phase) => phase.others));
    console.log(
      row([name, ...cells, joined.toFixed(1), wrong.slice(0, 2).join(', '), load.toFixed(2), others.toFixed(2)]),
    );
  }
  return behind;
}

/** What the number of streams changes: nothing, or the hub does too much for one of them. */
async function curve(rounds, seconds) {
  const numbers = [100, 400, 1_500, 5_000, 15_000];
  const shown = columns.filter(([title]) => /CPU|kB/.test(title));
  const rows = [];
  for (const n of numbers) {
    const measured = [];
    for (let round = 0; round < rounds; round++) {
      say(`${n} streams, round ${round + 1} of ${rounds}`);
      measured.push(await measure('ours', n, paceOf(n), seconds));
    }
    const phases = measured.flatMap(({ paced, saturated }) => [paced, saturated]);
    const wrong = phases.reduce((sum, phase) => sum + phase.lost + phase.doubled + phase.reordered + phase.closed, 0);
    if (wrong > 0) throw new Stop(`${n} streams: ${wrong} updates lost, doubled or out of order, or streams closed`);
    rows.push([n, ...shown.map(([, column]) => median(measured.map(column)))]);
  }
  console.log(`\n${row(['streams', ...shown.map(([title]) => title)])}\n${row(['--:', ...shown.map(() => '--:')])}`);
  for (const [n, ...values] of rows) console.log(row([n.toLocaleString('en'), ...values.map(digits)]));
  const charts = shown.map(([title], place) => ({ title, points: rows.map(([n, ...values]) => [n, values[place]]) }));
  writeWhole(
    at('docs', 'hub-cost.svg'),
    plot(charts, 'Cost of a delivery, of an idle stream and of a connect, by streams'),
  );
  say('drew docs/hub-cost.svg');
}

/** Who else is there: it must not matter to an update for one. */
async function audiences(rounds, seconds) {
  const kinds = ['user', 'role', 'channel'];
  const rows = [];
  for (const streams of [100, 1_000, 10_000]) {
    const costs = [];
    for (const kind of kinds) {
      const measured = [];
      for (let round = 0; round < rounds; round++) {
        say(`one ${kind} of ${streams} streams, round ${round + 1} of ${rounds}`);
        const { paced, saturated } = await measureOne(kind, streams, 200, seconds);
        const wrong = [paced, saturated].reduce((sum, { lost, doubled, closed }) => sum + lost + doubled + closed, 0);
        if (wrong > 0)
          throw new Stop(`${kind}, ${streams} streams: ${wrong} updates lost or doubled, or streams closed`);
        measured.push(saturated.cpu_us);
      }
      costs.push(median(measured));
    }
    rows.push([streams, ...costs]);
  }
  const titles = kinds.map((kind) => `us CPU/update for one ${kind}`);
  console.log(`\n${row(['streams', ...titles])}\n${row(['--:', ...titles.map(() => '--:')])}`);
  for (const [n, ...values] of rows) console.log(row([n.toLocaleString('en'), ...values.map(digits)]));
  const charts = titles.map((title, place) => ({ title, points: rows.map(([n, ...values]) => [n, values[place]]) }));
  writeWhole(
    at('docs', 'hub-audiences.svg'),
    plot(charts, 'Cost of an update for one user, role or channel, by streams'),
  );
  say('drew docs/hub-audiences.svg');
}

/** How many channels there are must not matter to a replay, nor a replay to who publishes. */
async function replay(rounds) {
  const clients = 50;
  const updates = 10_000;
  const longest = 20;
  const rows = [];
  for (const channels of [0, 10, updates]) {
    const measured = [];
    for (let round = 0; round < rounds; round++) {
      say(`${clients} clients come back, ${channels || 'no'} channels, round ${round + 1} of ${rounds}`);
      measured.push(await measureReplay(clients, updates, channels));
    }
    const of = (column) => median(measured.map((one) => one[column]));
    rows.push([channels, of('cpuUs'), of('p50'), of('worst'), of('publishes')]);
  }
  console.log(`\n${bold(`${clients} clients, ${updates.toLocaleString('en')} updates each`)}\n`);
  console.log(row(['channels', 'us CPU/update replayed', 'publish p50 ms', 'publish worst ms', 'publishes']));
  console.log(row(['--:', '--:', '--:', '--:', '--:']));
  for (const [channels, ...values] of rows) console.log(row([channels.toLocaleString('en'), ...values.map(digits)]));
  const late = rows.filter(([, , , worst]) => worst > longest);
  if (late.length > 0) throw new Stop(`a publish took longer than ${longest} ms`);
  const [all, , most] = rows.map(([, cpu]) => cpu);
  if (most > 3 * all) throw new Stop('a replay by a pattern costs more than three times one for everybody');
}

await main(import.meta.url, async () => {
  if (process.platform !== 'linux') throw new Stop('the load generator is written for Linux');
  const { values } = parseArgs({
    options: {
      n: { type: 'string', multiple: true, default: ['1000', '5000'] },
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      curve: { type: 'boolean', default: false },
      audiences: { type: 'boolean', default: false },
      replay: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  await timed('building the server', () =>
    run('cargo', ['build', '--locked', '--profile', 'dist', '-p', 'tinysse-server']),
  );
  const manifest = ['--manifest-path', at('benches', 'hub', 'Cargo.toml'), '--target-dir', benchTarget];
  await timed('building the load generator', () => run('cargo', ['build', '--locked', '--release', ...manifest]));
  if (values.audiences) return audiences(rounds, values.quick ? 2 : 5);
  if (values.replay) return replay(rounds);
  if (values.curve) return curve(rounds, values.quick ? 2 : 5);
  const names = await available(values.only.split(',').filter(Boolean));
  const behind = [];
  for (const n of values.n.map(Number)) {
    const results = new Map(names.map((name) => [name, []]));
    // Round by round, so that the noise of a shared machine falls on all alike.
    for (let round = 0; round < rounds; round++) {
      for (const name of names) {
        say(`${n} streams, round ${round + 1} of ${rounds}: ${name}`);
        results.get(name).push(await measure(name, n, paceOf(n), values.quick ? 2 : 5));
      }
    }
    behind.push(...report(n, results));
  }
  console.log();
  for (const line of behind) console.log(red(line));
  if (behind.length > 0) throw new Stop(`behind in ${behind.length} places`);
  say('ahead of every peer');
});
