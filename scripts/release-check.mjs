// What of a release can be tried without publishing: versions, what each package contains, the workflow.
//   node scripts/release-check.mjs [--tag v1.2.3]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { main, Stop, say } from './lib/log.mjs';
import { at, crateVersion } from './lib/paths.mjs';
import { platforms } from './lib/platforms.mjs';
import { output, run } from './lib/run.mjs';

/** Crates in the order in which they are published. */
const crates = ['tinysse', 'tinysse-hub', 'tinysse-server'];

/** What must be in each crate, whatever else is. */
const needed = ['Cargo.toml', 'README.md', 'LICENSE-MIT', 'LICENSE-APACHE', 'src/lib.rs'];

export async function checkRelease(tag) {
  const version = crateVersion();
  if (tag?.startsWith('v') && tag !== `v${version}`) throw new Stop(`the tag ${tag} is not v${version}`);
  for (const crate of crates) {
    const listed = output('cargo', ['package', '--list', '--allow-dirty', '--locked', '-p', crate]);
    if (listed === null) throw new Stop(`cargo packages no ${crate}`);
    const files = listed.split('\n');
    const missing = needed.filter((file) => !files.includes(file));
    if (missing.length > 0) throw new Stop(`${crate} lacks ${missing.join(', ')}`);
    say(`${crate} ${version}: ${files.length} files`);
  }
  const hub = readFileSync(at('hub', 'Cargo.toml'), 'utf8');
  if (!hub.includes(`tinysse = { path = "..", version = "${version}"`)) {
    throw new Stop(`hub/Cargo.toml asks for another version of tinysse than ${version}`);
  }
  for (const folder of ['pkg-template', 'npm/server']) {
    await run('npm', ['pack', '--dry-run', '--silent'], { cwd: at(folder) });
  }
  const workflow = readFileSync(at('.github', 'workflows', 'release.yml'), 'utf8');
  const built = [...workflow.matchAll(/platform: ([\w-]+) \}/g)].map(([, name]) => name);
  const wanted = platforms.map(({ name }) => name);
  if (built.join() !== wanted.join()) throw new Stop(`release.yml builds ${built}, not ${wanted}`);
  say(`a release of ${version} would have ${wanted.length} programs`);
}

await main(import.meta.url, () => checkRelease(parseArgs({ options: { tag: { type: 'string' } } }).values.tag));
