// The wasm beneath `tinysse/eventsource`: cargo without wasm-bindgen, then wasm-opt, then a file of
// TypeScript that holds it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from './inline.mjs';
import { at, crateVersion, targetDir, wasmTarget } from './paths.mjs';
import { output, run } from './run.mjs';
import { once, writeWhole } from './stamp.mjs';
import { optimise } from './wasm.mjs';

/** Where the package imports it from. */
const inlined = at('js', 'eventsource', 'inline.ts');

/** The optimised module. */
export const eventSourceWasm = at('target', 'eventsource.wasm');

/** The same, with names. */
export const eventSourceNamed = join(targetDir, wasmTarget, 'small', 'tinysse_eventsource.wasm');

const inputs = [
  ...['Cargo.toml', 'Cargo.lock', 'src/lib.rs', 'src/proto', 'wasm/eventsource', 'package-lock.json'],
  ...['eventsource', 'inline', 'layout', 'wasm'].map((name) => `scripts/lib/${name}.mjs`),
].map((path) => at(path));

// A parser does not recurse; a small stack keeps the memory that each stream begins with small.
const stack = ['-C', 'link-arg=-zstack-size=16384'];

export async function buildEventSourceWasm() {
  const extra = [crateVersion(), output('rustc', ['--version']), process.env.RUSTFLAGS ?? ''];
  const outputs = [inlined, eventSourceWasm];
  await once('wasm-eventsource', 'building the wasm of tinysse/eventsource', { inputs, extra, outputs }, async () => {
    const what = ['--locked', '--package', 'tinysse-eventsource', '--profile', 'small', '--target', wasmTarget];
    await run('cargo', ['rustc', ...what, '--target-dir', targetDir, '--', ...stack]);
    await optimise(eventSourceNamed, eventSourceWasm);
    const text = encode(readFileSync(eventSourceWasm));
    writeWhole(inlined, `/** The parser's wasm module, for \`decode\`. */\nexport const wasm =\n  '${text}';\n`);
  });
}
