// `npm test -- --only fuzz`: libFuzzer on what strangers send, each target for ten minutes;
// FUZZ_MINUTES sets how many, FUZZ_TARGETS which. Coverage comes from flags that the stable
// compiler has. What is found anew is kept in target/fuzz/corpus; an input that breaks a rule is
// printed, written to target/fuzz/found, and belongs into server/fuzz/corpus, where `cargo test`
// tries it for ever.
import { mkdirSync, readdirSync } from 'node:fs';
import { Stop, say } from './lib/log.mjs';
import { at, exe } from './lib/paths.mjs';
import { output, run } from './lib/run.mjs';

const coverage = [
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
];

/** Where libFuzzer runs; it needs a C++ compiler. */
const systems = ['linux', 'darwin'];

export async function fuzz() {
  if (!systems.includes(process.platform)) {
    console.warn(`SKIPPED: libFuzzer does not run on ${process.platform}`);
    return;
  }
  const minutes = Number(process.env.FUZZ_MINUTES ?? 10);
  if (!(minutes > 0)) throw new Stop(`FUZZ_MINUTES is a number of minutes, not ${process.env.FUZZ_MINUTES}`);
  const folder = at('examples', 'server', 'fuzz');
  const known = readdirSync(at('examples', 'server', 'fuzz', 'corpus'));
  const chosen = process.env.FUZZ_TARGETS?.split(',') ?? known;
  const unknown = chosen.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Stop(`there is no target ${unknown}: ${known.join(', ')}`);
  const target = at('target', 'fuzz');
  // Named, so that programs that run while building are left alone by the flags.
  const host = /host: (.+)/.exec(output('rustc', ['-vV']) ?? '')?.[1];
  if (!host) throw new Stop('rustc does not say for what it builds');
  const build = ['build', '--locked', '--release', '--manifest-path', at('examples', 'server', 'fuzz', 'Cargo.toml')];
  await run('cargo', [...build, '--target', host, '--target-dir', target], {
    env: { RUSTFLAGS: coverage.join(' ') },
  });
  for (const name of chosen) {
    const [corpus, found] = ['corpus', 'found'].map((kind) => at('target', 'fuzz', kind, name));
    for (const made of [corpus, found]) mkdirSync(made, { recursive: true });
    say(`${name}, for ${minutes} min`);
    const limits = [`-max_total_time=${Math.ceil(minutes * 60)}`, '-timeout=10', '-rss_limit_mb=2048', '-max_len=4096'];
    const program = at('target', 'fuzz', host, 'release', `${name}${exe}`);
    const seeds = at('examples', 'server', 'fuzz', 'corpus', name);
    await run(program, [...limits, '-print_final_stats=1', `-artifact_prefix=${found}/`, corpus, seeds], {
      cwd: folder,
    });
  }
}
