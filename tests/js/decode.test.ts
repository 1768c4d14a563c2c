// The wasm as text: what is encoded is decoded, and no tool that rewrites literals changes it.
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';
import { minify } from 'terser';
import { describe, expect, test } from 'vitest';
import { wasm as eventSourceText } from '../../js/eventsource/inline.js';
import { decode } from '../../js/loader/decode.js';
import { encode } from '../../scripts/lib/inline.mjs';

const file = (path: string) => new URL(`../../${path}`, import.meta.url);
const flavours = ['js/wasm', 'js/wasm/fetch'];

const roundTrip = (bytes: Uint8Array) => Buffer.from(decode(encode(bytes)));

test('every byte behind every byte comes out as it went in', () => {
  const pairs = Uint8Array.from({ length: 2 * 65_536 }, (_, index) => (index % 2 ? index >> 1 : index >> 9) % 256);
  expect(roundTrip(pairs).equals(pairs)).toBe(true);
});

test.each([[[]], [[0]], [[255]], [[0, 255, 128, 127]]])('%j comes out as it went in', (bytes) => {
  expect([...roundTrip(Uint8Array.from(bytes))]).toEqual(bytes);
});

test.each(flavours)('%s: the inlined module is the published file', async (dir) => {
  const { bytes } = (await import(file(`${dir}/inline.js`).href)) as { bytes(): Uint8Array };
  expect(Buffer.from(bytes()).equals(readFileSync(file(`${dir}/tinysse.wasm`)))).toBe(true);
});

test('tinysse/eventsource: the inlined module is what wasm-opt made', () => {
  expect(Buffer.from(decode(eventSourceText)).equals(readFileSync(file('target/eventsource.wasm')))).toBe(true);
});

describe('no literal and no inline script needs an escape in the text of', () => {
  test.each([
    ['all bytes', Uint8Array.from({ length: 256 }, (_, byte) => byte)],
    ...flavours.map((dir): [string, Uint8Array] => [dir, readFileSync(file(`${dir}/tinysse.wasm`))]),
  ])('%s', (_, bytes) => {
    expect(encode(bytes)).toMatch(/^[ !#%&(-;=-[\]-_a-~]*$/);
  });
});

describe('the text stays as it is in what is made by', () => {
  const source = readFileSync(file('js/wasm/inline.js'), 'utf8');
  const text = encode(readFileSync(file('js/wasm/tinysse.wasm')));
  const bundled = async (minifies: boolean) => {
    const bundle = await rolldown({ input: file('js/wasm/inline.js').pathname });
    const { output } = await bundle.generate({ minify: minifies });
    return output[0].code;
  };
  test.each([
    ['the build', async () => source],
    [
      'esbuild',
      async () => (await build({ stdin: { contents: source }, minify: true, write: false })).outputFiles[0]?.text,
    ],
    ['terser', async () => (await minify(source, { module: true })).code],
    ['rolldown', () => bundled(false)],
    ["rolldown's minifier", () => bundled(true)],
  ])('%s', async (_, make) => {
    const made = await make();
    expect(made?.includes(text)).toBe(true);
  });
});
