// The tRPC example: its page by Vite, its two servers by esbuild, all from the built package.
import { at, npmBin } from './paths.mjs';
import { runNode } from './run.mjs';
import { once } from './stamp.mjs';

const example = at('examples', 'trpc');
/** The servers, built: `main.mjs` and `progress-api.mjs`. */
export const servers = at('target', 'trpc');
export const pages = at('examples', 'trpc', 'dist');

export async function buildTrpc() {
  const look = ['examples/dashboard/src/styles', 'hub/admin/tokens.css', 'hub/admin/parts.css'].map((path) => at(path));
  const inputs = [example, ...look, at('pkg'), at('package-lock.json'), at('scripts', 'lib', 'trpc.mjs')];
  await once('trpc', 'building the tRPC example', { inputs, outputs: [pages, servers] }, async () => {
    await runNode(npmBin('vite'), ['build', '--logLevel', 'warn', example]);
    const { build } = await import('esbuild');
    await build({
      entryPoints: ['main', 'progress-api'].map((name) => at('examples', 'trpc', 'server', `${name}.ts`)),
      outdir: servers,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      alias: { 'tinysse/server': at('pkg', 'server', 'index.js') },
      logLevel: 'error',
    });
  });
}
