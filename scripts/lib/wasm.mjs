// The shipped wasm: cargo and wasm-bindgen through wasm-pack, then wasm-opt, then what JavaScript
// imports from js/wasm/.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { privateNames, replaceOnce, slim } from './glue.mjs';
import { inlineModule } from './inline.mjs';
import { assertLowMemoryUnused } from './layout.mjs';
import { Stop, say } from './log.mjs';
import { shorten } from './names.mjs';
import { at, npmBin, targetDir, tool } from './paths.mjs';
import { output, run, runNode } from './run.mjs';
import { once, replaceDir, writeWhole } from './stamp.mjs';

export const wasmDir = at('js', 'wasm');

/**
 * What is shipped: one wasm for the browser's own EventSource, and one that also has the fetch
 * transport and its decoder, for those who ask for it. A page loads one of them.
 */
export const flavours = [
  { name: 'eventsource', features: [], dir: wasmDir, optLevel: 'z', flags: '' },
  // Its decoder has work to do: a quarter faster for a kilobyte, and long lines by vectors a third
  // more.
  {
    name: 'fetch',
    features: ['--features', 'fetch'],
    dir: join(wasmDir, 'fetch'),
    optLevel: 's',
    flags: '-C target-feature=+simd128',
  },
].map((flavour) => {
  const packed = at('target', `wasm-pack-${flavour.name}`);
  // wasm-bindgen's own output, before wasm-opt; its name section maps functions to names.
  return { ...flavour, packed, named: join(packed, 'tinysse_bg.wasm') };
});

const inputs = [
  ...['Cargo.toml', 'Cargo.lock', 'src', 'wasm/client', 'tools/Cargo.lock', 'package-lock.json'].map((path) =>
    at(path),
  ),
  ...['glue', 'inline', 'layout', 'names', 'sections', 'wasm'].map((name) => at('scripts', 'lib', `${name}.mjs`)),
  at('js', 'loader', 'decode.ts'),
];

export async function buildWasm() {
  const extra = [output('rustc', ['--version']), process.env.RUSTFLAGS ?? ''];
  const outputs = [wasmDir, ...flavours.map(({ named }) => named)];
  await once('wasm', 'building the wasm', { inputs, extra, outputs }, async () => {
    const fresh = `${wasmDir}.${process.pid}.new`;
    rmSync(fresh, { recursive: true, force: true });
    for (const flavour of flavours) {
      await pack(flavour);
      await finish(flavour, join(fresh, relative(wasmDir, flavour.dir)));
    }
    replaceDir(fresh, wasmDir);
  });
}

async function finish({ name, packed, named }, dir) {
  mkdirSync(dir, { recursive: true });
  const optimised = at('target', `tinysse-${name}-opt.wasm`);
  await optimise(named, optimised);
  const { wasm, glue } = shorten(readFileSync(optimised), slim(readGlue(packed)));
  writeWhole(join(dir, 'tinysse.wasm'), wasm);
  await writeGlue(dir, packed, glue);
  writeWhole(join(dir, 'inline.js'), await inlineModule(wasm));
  writeWhole(
    join(dir, 'inline.d.ts'),
    '/** Returns the wasm module. */\nexport declare function bytes(): Uint8Array<ArrayBuffer>;\n',
  );
}

/**
 * `no-install`: wasm-pack may use the pinned wasm-bindgen beside it and nothing else. wasm-opt is
 * run by us, see below.
 */
async function pack({ features, packed, named, optLevel, flags }) {
  rmSync(packed, { recursive: true, force: true });
  const args = [
    'build',
    at('wasm', 'client'),
    '--target',
    'web',
    '--profile',
    'small',
    '--mode',
    'no-install',
    '--no-pack',
    '--no-opt',
  ];
  const out = ['--out-dir', packed, '--out-name', 'tinysse'];
  const cargo = ['--target-dir', targetDir, '--locked', ...features];
  await run(tool('wasm-pack'), ['--log-level', 'error', ...args, ...out, '--', ...cargo], {
    env: {
      RUST_LIB_BACKTRACE: '0',
      CARGO_PROFILE_SMALL_OPT_LEVEL: optLevel,
      RUSTFLAGS: `${process.env.RUSTFLAGS ?? ''} ${flags}`.trim(),
    },
  });
  if (!existsSync(named)) throw new Stop(`wasm-pack made no ${named}`);
}

/**
 * Control flow is taken apart and put together again, then everything is optimised for speed and
 * after that for size, until nothing shrinks any more. Without `-O2` first, the download is 16 bytes
 * larger, and with `transport: 'fetch'` 183 (Brotli, measured).
 */
const passes = ['--low-memory-unused', '--flatten', '--rereloop', '-O2', '--converge', '-Oz'];

/**
 * wasm-pack would skip wasm-opt in silence if it did not find one; here its absence, or its failure
 * to shrink, is an error.
 */
export async function optimise(from, to, flags = []) {
  assertLowMemoryUnused(readFileSync(from), from);
  const strip = ['--strip-producers', '--strip-target-features'];
  // Functions side by side that resemble each other, and loads that all look the same, compress
  // better. An alignment is only a hint.
  const alike = ['--reorder-functions-by-name', '--dealign'];
  await runNode(npmBin('binaryen', 'wasm-opt'), [...passes, ...alike, ...strip, ...flags, from, '-o', to]);
  const [before, after] = [statSync(from).size, statSync(to).size];
  if (after >= before) throw new Stop(`wasm-opt did not make the wasm smaller (${before} -> ${after} bytes)`);
  if (flags.length === 0) say(`wasm-opt: ${before} -> ${after} bytes`);
}

function readGlue(packed) {
  const source = readFileSync(join(packed, 'tinysse.js'), 'utf8');
  if (source.includes('new URL(')) {
    // Bundlers look for the file that such an expression names, and fail to find it or emit it for
    // nothing.
    throw new Stop('the glue names a default wasm URL: omit-default-module-path did not reach wasm-bindgen');
  }
  return source;
}

/** One module with the glue and the files of `src/web` that the wasm speaks with. */
async function writeGlue(dir, packed, source) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: packed, sourcefile: 'glue.js' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    mangleProps: privateNames,
    write: false,
    logLevel: 'error',
  });
  writeWhole(join(dir, 'glue.js'), outputFiles[0].text);
  const types = readFileSync(join(packed, 'tinysse.d.ts'), 'utf8');
  // The exports of the module itself are the glue's own business, and have other names by now.
  const exported = replaceOnce(
    types,
    /export interface InitOutput \{[^}]*\}/,
    'export type InitOutput = WebAssembly.Exports;',
  );
  const noDefault = replaceOnce(exported, /\/\*\*(?:(?!\/\*\*)[\s\S])*export default function __wbg_init[\s\S]*$/, '');
  const named = replaceOnce(noDefault, /^ +\[Symbol\.dispose\]\(\): void;\n/m, '');
  writeWhole(join(dir, 'glue.d.ts'), replaceOnce(named, /export type InitInput = .*\n/, ''));
}
