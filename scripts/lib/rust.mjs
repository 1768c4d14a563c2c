// Rust: its wasm target, and the pinned wasm toolchain of tools/.
import { existsSync } from 'node:fs';
import { Stop, timed } from './log.mjs';
import { at, tool, wasmTarget } from './paths.mjs';
import { output, run } from './run.mjs';

function needRust() {
  if (output('cargo', ['--version']) && output('rustc', ['--version'])) return;
  throw new Stop('Rust is not installed (cargo, rustc). Get it from https://rustup.rs and run this again.');
}

async function setUpTarget() {
  const libs = output('rustc', ['--print', 'target-libdir', '--target', wasmTarget]);
  if (libs && existsSync(libs)) return;
  if (!output('rustup', ['--version'])) {
    throw new Stop(
      `this Rust has no ${wasmTarget} and there is no rustup to add it: install the target, or use rustup`,
    );
  }
  await timed(`adding the Rust target ${wasmTarget}`, () => run('rustup', ['target', 'add', wasmTarget]));
}

export async function setUpRust() {
  needRust();
  await setUpTarget();
  const args = [
    'build',
    '--locked',
    '--manifest-path',
    at('tools', 'Cargo.toml'),
    '--target-dir',
    at('tools', 'target'),
  ];
  const build = () => run('cargo', [...args, '--quiet']);
  // Cargo knows by itself what is fresh; when everything is, it takes a quarter of a second and is
  // not worth a line.
  if (existsSync(tool('wasm-pack'))) await build();
  else await timed('building the wasm toolchain, once (two minutes)', build);
}
