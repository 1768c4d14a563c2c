// Zig as C compiler and linker, from Python wheels in target/: for programs of other platforms.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Stop, timed } from './log.mjs';
import { at, exe } from './paths.mjs';
import { output, run } from './run.mjs';

const wheels = ['ziglang==0.15.2', 'cargo-zigbuild==0.22.3'];
const folder = at('target', 'zig');
const bin = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');

/** Installs Zig and cargo-zigbuild once. Returns the environment in which cargo finds them. */
export async function needZig() {
  if (!existsSync(join(bin, `cargo-zigbuild${exe}`))) {
    if (!output('python3', ['--version'])) throw new Stop('Python 3 is needed: it installs Zig');
    await timed('installing Zig', async () => {
      await run('python3', ['-m', 'venv', folder]);
      await run(join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...wheels]);
    });
  }
  return { PATH: [bin, process.env.PATH ?? ''].join(delimiter) };
}
