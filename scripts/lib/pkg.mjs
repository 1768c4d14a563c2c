// The npm package: js/ compiled file by file, the wasm beside it, and what pkg-template/ adds.
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { at, crateVersion, npmBin } from './paths.mjs';
import { runNode } from './run.mjs';
import { once, replaceDir, writeWhole } from './stamp.mjs';
import { wasmDir } from './wasm.mjs';

export const pkgDir = at('pkg');

const sources = [
  'js',
  'pkg-template',
  'docs/errors.md',
  'scripts/lib/pkg.mjs',
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
];
const licences = ['LICENSE-MIT', 'LICENSE-APACHE'];

export async function buildPackage() {
  const inputs = [...sources, ...licences].map((path) => at(path));
  const version = crateVersion();
  await once('pkg', 'building the npm package', { inputs, extra: [version], outputs: [pkgDir] }, async () => {
    // Beside pkg/, so that putting it in place is one rename.
    const fresh = `${pkgDir}.${process.pid}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    try {
      await runNode(npmBin('typescript', 'tsc'), ['-p', at('tsconfig.build.json'), '--outDir', fresh]);
      cpSync(wasmDir, join(fresh, 'wasm'), { recursive: true });
      await bundleClassic(join(fresh, 'eventsource'));
      cpSync(at('pkg-template'), fresh, { recursive: true });
      cpSync(at('docs', 'errors.md'), join(fresh, 'docs', 'errors.md'));
      for (const licence of licences) cpSync(at(licence), join(fresh, licence));
      const manifest = JSON.parse(readFileSync(at('pkg-template', 'package.json'), 'utf8'));
      writeWhole(join(fresh, 'package.json'), `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);
      replaceDir(fresh, pkgDir);
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  });
}

/** A classic script is one file, in the place of what tsc made of its source. */
async function bundleClassic(dir) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [at('js', 'eventsource', 'classic.ts')],
    outfile: join(dir, 'classic.js'),
    allowOverwrite: true,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'error',
  });
}
