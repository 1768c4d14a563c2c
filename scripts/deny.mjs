// `npm test -- --only deny`: cargo-deny with the rules of deny.toml. It takes minutes to build,
// once.
import { existsSync } from 'node:fs';
import { at, exe } from './lib/paths.mjs';
import { output, run } from './lib/run.mjs';

const version = '0.20.2';

export async function deny() {
  const place = at('target', 'cargo-deny');
  const program = at('target', 'cargo-deny', 'bin', `cargo-deny${exe}`);
  if (!existsSync(program) || !output(program, ['--version'])?.includes(version)) {
    await run('cargo', ['install', '--locked', 'cargo-deny', '--version', version, '--root', place]);
  }
  const all = ['--workspace', '--all-features'];
  await run(program, [...all, 'check', 'bans', 'licenses', 'sources']);
  // The advisories are a repository on GitHub, which not every network reaches.
  if (output(program, [...all, 'fetch', 'db']) === null) {
    console.warn(
      'SKIPPED: the advisories, for their database (github.com/rustsec/advisory-db) can not be fetched from here',
    );
    return;
  }
  await run(program, [...all, 'check', 'advisories']);
}
