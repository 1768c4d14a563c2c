// The check of web APIs sees what is newer than the supported browsers, on instances and on
// classes, and README lists which those are.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, expect, test } from 'vitest';
import { lacking, look, supported } from '../../scripts/browsers.mjs';

const dir = mkdtempSync(join(tmpdir(), 'tinysse-browsers-'));
afterAll(() => rmSync(dir, { recursive: true }));

const newer = {
  'AbortSignal.any': 'AbortSignal.any([])',
  'AbortSignal.timeout': 'AbortSignal.timeout(1)',
  'Promise.withResolvers': 'Promise.withResolvers()',
  'Array.fromAsync': 'Array.fromAsync([])',
  'Array.toSorted': '[1].toSorted()',
  'Set.union': 'new Set([1]).union(new Set([2]))',
  'Object.groupBy': 'Object.groupBy([1], String)',
  'URL.canParse': "URL.canParse('')",
  'Response.bytes': 'new Response().bytes()',
  'Scheduler.yield': 'scheduler.yield()',
};
const old = [
  '[1].map(String)',
  "fetch('/')",
  'new AbortController().abort(1)',
  'structuredClone(1)',
  'navigator.locks',
];

test('newer APIs are found, of instances too, and older ones are not', () => {
  const file = join(dir, 'uses.ts');
  const lines = [...Object.values(newer), ...old];
  writeFileSync(file, `${lines.join(';\n')};\nexport {};\n`);
  const options = { target: ts.ScriptTarget.ESNext, lib: ['lib.esnext.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'] };
  const program = ts.createProgram([file], options);
  const found = [...look({ program, files: new Set([file]) })].filter((use) => lacking(use).length > 0);
  const names = found.map(({ place, where }) => [
    place.split('.').slice(-2).join('.').replace('_static', ''),
    Number(where.split(':').at(-1)),
  ]);
  for (const [index, name] of Object.keys(newer).entries()) expect(names).toContainEqual([name, index + 1]);
  for (const [, line] of names) expect(line).toBeLessThanOrEqual(Object.keys(newer).length);
}, 60_000);

test('README and the package name the browsers that are checked', () => {
  for (const path of ['README.md', 'pkg-template/README.md']) {
    const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    const { chrome, firefox, safari } = supported;
    expect(text, path).toContain(`Chrome and Edge ${chrome}, Firefox ${firefox}, Safari ${safari}`);
  }
});
