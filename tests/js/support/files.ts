// The files of the repository: those that git knows, or would know after `git add`; without git,
// all but build products.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const built = /(^|[\\/])(target|node_modules|pkg|dist|\.git|test-results|playwright-report)([\\/]|$)/;

export const exists = (path: string): boolean => existsSync(join(root, path));

/** Returns the text of a file, with LF as line ends. */
export const text = (path: string): string => readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n');

/** Returns the paths of all files whose names end like this. */
export function files(ending: string): string[] {
  const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  const paths =
    listed.status === 0
      ? listed.stdout.trim().split('\n')
      : readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => !built.test(path));
  return paths.map((path) => path.replaceAll('\\', '/')).filter((path) => path.endsWith(ending) && exists(path));
}
