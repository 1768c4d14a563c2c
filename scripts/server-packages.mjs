// `npm run build:server`: the npm packages of `npx tinysse-server`, as tarballs in target/npm/.
//   npm run build:server                                   the launcher, and the program for this machine
//   npm run build:server -- --platform linux-x64-musl      another platform; repeatable
//   npm run build:server -- --platform linux-x64-gnu --binary FILE    a program that was built elsewhere
//   npm run build:server -- --launcher                     the launcher alone
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { main, Stop, say, timed } from './lib/log.mjs';
import { at, crateVersion, targetDir } from './lib/paths.mjs';
import { packageOf, platforms, programOf } from './lib/platforms.mjs';
import { output, run } from './lib/run.mjs';
import { writeWhole } from './lib/stamp.mjs';
import { needZig } from './lib/zig.mjs';

export const tarballs = at('target', 'npm');
const licences = ['LICENSE-MIT', 'LICENSE-APACHE'];

/** Builds the program for a platform. Returns its path. */
async function compile({ name, target, zig }) {
  const args = ['--locked', '--profile', 'dist', '-p', 'tinysse-server'];
  const libs = output('rustc', ['--print', 'target-libdir', '--target', target]);
  if (!libs || !output('rustup', ['target', 'list', '--installed'])?.includes(target)) {
    await run('rustup', ['target', 'add', target]);
  }
  await timed(`building tinysse-server for ${name}`, async () => {
    if (zig === undefined) await run('cargo', ['build', ...args, '--target', target]);
    else await run('cargo', ['zigbuild', ...args, '--target', `${target}${zig}`], { env: await needZig() });
  });
  return join(targetDir, target, 'dist', programOf({ os: platforms.find((one) => one.name === name).os }));
}

/** Packs a folder that `fill` fills. Returns the path of the tarball. */
async function pack(name, manifest, fill) {
  const folder = join(tarballs, name.replace('/', '-').replace('@', ''));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  fill(folder);
  for (const licence of licences) copyFileSync(at(licence), join(folder, licence));
  writeWhole(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, version: crateVersion() }, null, 2)}\n`);
  const packed = output('npm', ['pack', '--json', '--pack-destination', tarballs], { cwd: folder });
  if (packed === null) throw new Stop(`npm packs no ${name}`);
  const [{ filename, size }] = JSON.parse(packed.slice(packed.indexOf('[')));
  say(`${filename}: ${(size / 1e6).toFixed(1)} MB`);
  return join(tarballs, filename);
}

/** Packs the program of a platform. */
export async function packPlatform(platform, binary) {
  const { name, os, cpu, libc } = platform;
  const program = programOf(platform);
  const manifest = {
    name: packageOf(name),
    description: `The program of tinysse-server for ${name}.`,
    license: 'MIT OR Apache-2.0',
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    files: ['bin'],
    preferUnplugged: true,
  };
  const built = binary ?? (await compile(platform));
  return pack(packageOf(name), manifest, (folder) => {
    const target = join(folder, 'bin', program);
    mkdirSync(dirname(target));
    copyFileSync(built, target);
    chmodSync(target, 0o755);
  });
}

/** Packs the launcher, which depends on the programs of all platforms. */
export async function packLauncher() {
  const manifest = JSON.parse(readFileSync(at('npm', 'server', 'package.json'), 'utf8'));
  const optionalDependencies = Object.fromEntries(platforms.map(({ name }) => [packageOf(name), crateVersion()]));
  return pack('tinysse-server', { ...manifest, optionalDependencies }, (folder) => {
    cpSync(at('npm', 'server'), folder, { recursive: true });
  });
}

/** The platform of this machine. */
export async function thisPlatform() {
  const { platformName } = await import('../npm/server/platform.js');
  const own = platforms.find(({ name }) => name === platformName());
  if (!own) throw new Stop(`there is no package for ${platformName()}`);
  return own;
}

await main(import.meta.url, async () => {
  const { values } = parseArgs({
    options: {
      platform: { type: 'string', multiple: true },
      binary: { type: 'string' },
      launcher: { type: 'boolean', default: false },
    },
  });
  mkdirSync(tarballs, { recursive: true });
  const wanted = values.platform?.map((name) => {
    const found = platforms.find((one) => one.name === name);
    if (!found) throw new Stop(`there is no platform ${name}: ${platforms.map((one) => one.name).join(', ')}`);
    return found;
  });
  await packLauncher();
  if (values.launcher) return;
  for (const platform of wanted ?? [await thisPlatform()]) await packPlatform(platform, values.binary);
});
