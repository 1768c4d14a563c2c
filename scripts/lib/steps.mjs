// Runs named steps in order, stops at the first that fails, and prints at the end what each took.
import { bold, dim, green, red, Stop, say, seconds } from './log.mjs';

function table(steps, results) {
  const width = Math.max(...steps.map(({ name }) => name.length));
  console.log();
  for (const { name } of steps) {
    const result = results.get(name);
    const state = !result ? dim('not run') : result.error ? red('FAILED ') : green('passed ');
    console.log(`  ${name.padEnd(width)}  ${state}  ${result ? dim(seconds(result.ms).padStart(8)) : ''}`.trimEnd());
  }
  console.log();
}

/** Answers whether every step passed. The last line printed is `N passed, N failed`. */
export async function runSteps(steps) {
  const results = new Map();
  const total = performance.now();
  for (const [index, { name, about, work }] of steps.entries()) {
    console.log();
    say(`${bold(`[${index + 1}/${steps.length}] ${name}`)} ${dim(about)}`);
    const start = performance.now();
    let error = null;
    try {
      await work();
    } catch (thrown) {
      error = thrown;
      const text = thrown instanceof Stop ? thrown.message : (thrown?.stack ?? String(thrown));
      console.error(red(`${name} FAILED: ${text}`));
    }
    results.set(name, { error, ms: performance.now() - start });
    if (error) break;
  }
  table(steps, results);
  const failed = [...results.values()].filter(({ error }) => error).length;
  console.log(`in ${seconds(performance.now() - total)}${failed ? `; failed: ${[...results.keys()].at(-1)}` : ''}`);
  console.log(`${results.size - failed} passed, ${failed} failed`);
  return failed === 0;
}
