// `npm run lab`: our clients and the others in every failure, in one browser, as a table for the
// docs.
//   npm run lab -- --ours     only ours
import { main, say } from './lib/log.mjs';
import { setUp } from './setup.mjs';

export async function lab({ onlyOurs = false } = {}) {
  const { build } = await import('./build.mjs');
  await build();
  const { ours, others, runLab } = await import('../tests/lab/lab.mjs');
  const { cell, marks } = await import('../tests/lab/measure.mjs');
  const { scenarios } = await import('../tests/lab/scenarios.mjs');
  const clients = onlyOurs ? ours : [...ours, ...others];
  say(`${clients.length} clients, ${scenarios.length} scenarios, 75 s`);
  const { result } = await runLab({ clients, scenarios });
  const row = (cells) => `| ${cells.join(' | ')} |`;
  console.log(row(['scenario, 15 s', ...clients]));
  console.log(row(['---', ...clients.map(() => '--:')]));
  for (const scenario of scenarios) {
    console.log(row([scenario.name, ...clients.map((client) => cell(result(client, scenario.name), scenario))]));
  }
  console.log(`\n${marks}`);
}

await main(import.meta.url, async () => {
  const found = await setUp({ browser: true });
  process.env.CHROME = found.browser;
  await lab({ onlyOurs: process.argv.includes('--ours') });
});
