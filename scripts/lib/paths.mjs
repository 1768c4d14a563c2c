// Where things are. Everything a script makes lies in `target/`, `pkg/`, `js/wasm/` or
// `node_modules/`.
import { readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const at = (...parts) => join(root, ...parts);

export const wasmTarget = 'wasm32-unknown-unknown';
export const exe = process.platform === 'win32' ? '.exe' : '';

/**
 * Cargo's target directory for the workspace; the toolchain keeps its own, whatever the environment
 * sets.
 */
export const targetDir = process.env.CARGO_TARGET_DIR ?? at('target');
export const toolsDir = at('tools', 'target', 'debug');
export const tool = (name) => join(toolsDir, name + exe);

/**
 * A program of a dev dependency, run with this Node and without the shell wrappers that differ
 * between systems.
 */
export function npmBin(name, bin = name) {
  const dir = at('node_modules', ...name.split('/'));
  const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  const file = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin];
  return join(dir, file);
}

/** The environment of every child: our toolchain first on PATH, then the npm programs. */
export function childEnv(extra = {}) {
  const path = [toolsDir, at('node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);
  return { ...process.env, PATH: path, ...extra };
}

/** The version of the crate, which is the version of the npm package too. */
export function crateVersion() {
  const manifest = readFileSync(at('Cargo.toml'), 'utf8');
  const version = /\[workspace\.package\][^[]*?\nversion = "([^"]+)"/.exec(manifest)?.[1];
  if (!version) throw new Error('Cargo.toml names no version under [workspace.package]');
  return version;
}
