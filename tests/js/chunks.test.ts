// What bundlers make of the package: the entry has no chunk that it waits for, since each costs
// every page a request and a round.
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';
import { describe, expect, test } from 'vitest';

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const app = `export { createClient } from '${path('js/index.ts')}';
export { useAutoRefetch, SSEProvider } from '${path('js/react/index.ts')}';
export { updates } from '${path('js/client/iterate.ts')}';`;

/** What the entry imports statically, by name. */
const bundlers: Record<string, () => Promise<string[]>> = {
  async esbuild() {
    const { metafile } = await build({
      stdin: { contents: app, resolveDir: path('js') },
      bundle: true,
      splitting: true,
      format: 'esm',
      outdir: '/nowhere',
      write: false,
      metafile: true,
      external: ['react'],
    });
    const outputs = Object.values(metafile.outputs);
    expect(outputs.length).toBeGreaterThan(5);
    const entry = outputs.find(({ entryPoint }) => entryPoint === '<stdin>');
    return (
      entry?.imports
        .filter(({ kind, external }) => kind === 'import-statement' && !external)
        .map(({ path }) => path) ?? ['no entry']
    );
  },
  async rolldown() {
    const name = 'app.ts';
    const bundle = await rolldown({
      input: name,
      logLevel: 'silent',
      external: ['react'],
      plugins: [
        {
          name: 'app',
          resolveId: (id) => (id === name ? path(name) : undefined),
          load: (id) => (basename(id) === name ? app : undefined),
        },
      ],
    });
    const { output } = await bundle.generate();
    expect(output.length).toBeGreaterThan(5);
    const entry = output.find((chunk) => chunk.type === 'chunk' && chunk.isEntry);
    return entry?.type === 'chunk' ? entry.imports.filter((name) => name !== 'react') : ['no entry'];
  },
};

describe('the entry waits for no other chunk with', () => {
  test.each(Object.entries(bundlers))('%s', async (_, imports) => {
    expect(await imports()).toEqual([]);
  });
});
