// Are the packages in node_modules those of the lock file? Asked of npm's own record of what it
// installed, so that an interrupted install counts as none and an `npm install` by hand as a whole
// one.
import { existsSync, readFileSync } from 'node:fs';
import { timed } from './log.mjs';
import { at } from './paths.mjs';
import { run } from './run.mjs';

function installed() {
  const record = at('node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const have = JSON.parse(readFileSync(record, 'utf8')).packages;
  const want = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
  return Object.entries(want).every(([path, entry]) => {
    if (path === '') return true;
    // A package for another system is not installed here, and that is right.
    if (!have[path]) return entry.optional === true;
    return have[path].version === entry.version && have[path].integrity === entry.integrity && existsSync(at(path));
  });
}

export async function setUpPackages() {
  if (installed()) return;
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  await timed('installing npm packages', () =>
    run(npm, ['ci', '--no-audit', '--no-fund'], { shell: process.platform === 'win32' }),
  );
}
