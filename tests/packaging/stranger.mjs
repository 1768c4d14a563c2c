// A stranger's app: a folder outside the repository with the packed tarball installed by npm, as npm would do it for anyone.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
export const repo = dirname(dirname(here));
const exec = promisify(execFile);

/** Runs a program; what it printed is in the error if it fails. */
export async function sh(command, args, options) {
  try {
    return (await exec(command, args, { maxBuffer: 1 << 26, ...options })).stdout;
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.stdout ?? ''}\n${error.stderr ?? error.message}`);
  }
}

/** A program from the repository's dev dependencies, run in the app's folder. */
export async function program(app, name, bin, args) {
  const dir = join(repo, 'node_modules', name);
  const manifest = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8'));
  const file = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin];
  return await sh(process.execPath, [join(dir, file), ...args], { cwd: app.dir });
}

/** Packs `pkg/`, installs the tarball. `files` are the paths inside the tarball. */
export async function strangersApp() {
  const dir = await mkdtemp(join(tmpdir(), 'tinysse-app-'));
  const packed = await sh('npm', ['pack', '--json', '--pack-destination', dir], { cwd: join(repo, 'pkg') });
  const [{ filename, files }] = JSON.parse(packed.slice(packed.indexOf('[')));
  await cp(join(here, 'app'), dir, { recursive: true });
  const manifest = { name: 'app', private: true, type: 'module', dependencies: { tinysse: `file:./${filename}` } };
  await writeFile(join(dir, 'package.json'), JSON.stringify(manifest));
  await sh('npm', ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--install-links'], {
    cwd: dir,
  });
  await borrow(dir, [
    'react',
    'react-dom',
    '@types/react',
    '@types/react-dom',
    'csstype',
    '@types/node',
    'undici-types',
  ]);
  return { dir, files: files.map(({ path }) => path), remove: () => rm(dir, { recursive: true, force: true }) };
}

/** What the app has beside tinysse comes from the repository, so that the test downloads nothing. */
async function borrow(dir, names) {
  for (const name of names) {
    const place = join(dir, 'node_modules', name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(join(repo, 'node_modules', name), place, 'dir');
  }
}
