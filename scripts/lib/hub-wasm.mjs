// The wasm beneath `tinysse/server`: cargo without wasm-bindgen, then wasm-opt for speed, then a file
// of TypeScript that holds it as Base64. Servers read it from disk, so nothing compresses it.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { say } from './log.mjs';
import { at, crateVersion, npmBin, targetDir, wasmTarget } from './paths.mjs';
import { output, run, runNode } from './run.mjs';
import { once, writeWhole } from './stamp.mjs';

/** Where the package imports it from. */
const inlined = at('js', 'server', 'hub', 'inline.ts');

/** The optimised module. */
export const hubWasm = at('target', 'hub.wasm');

const built = join(targetDir, wasmTarget, 'small', 'tinysse_hub_wasm.wasm');

const inputs = [
  ...['Cargo.toml', 'Cargo.lock', 'src/lib.rs', 'src/proto', 'hub/Cargo.toml', 'hub/src/lib.rs', 'hub/src/hub'],
  ...['wasm/hub', 'package-lock.json', 'scripts/lib/hub-wasm.mjs'],
].map((path) => at(path));

export async function buildHubWasm() {
  const extra = [crateVersion(), output('rustc', ['--version']), process.env.RUSTFLAGS ?? ''];
  const outputs = [inlined, hubWasm];
  await once('wasm-hub', 'building the wasm of tinysse/server', { inputs, extra, outputs }, async () => {
    const what = ['--locked', '--package', 'tinysse-hub-wasm', '--lib', '--profile', 'small', '--target', wasmTarget];
    // A server does not download it: speed counts, not size.
    const env = { CARGO_PROFILE_SMALL_OPT_LEVEL: '3' };
    await run('cargo', ['rustc', ...what, '--target-dir', targetDir, '--crate-type', 'cdylib'], { env });
    const flags = ['-O3', '--strip-debug', '--strip-producers', '--strip-target-features'];
    await runNode(npmBin('binaryen', 'wasm-opt'), [...flags, built, '-o', hubWasm]);
    say(`the hub: ${statSync(built).size} -> ${statSync(hubWasm).size} bytes`);
    const text = readFileSync(hubWasm).toString('base64');
    writeWhole(inlined, `/** The wasm module of the hub, as Base64. */\nexport const wasm =\n  '${text}';\n`);
  });
}
