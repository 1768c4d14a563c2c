// A wasm module as a JavaScript string that compressors can work with; `js/loader/decode.ts` makes
// bytes of it again.
//
// Base64 cuts bytes into pieces of six bits, so what repeats in the module rarely repeats in the
// text, and Brotli makes 17.7 kB of 14.0. Here a byte is always the same text: one character for
// the frequent bytes, a digit and a character for the others. All of it is printable ASCII without
// quotes, backslash, `$` and `<`, so that it means the same in every string literal and inline
// script, and no minifier has anything to escape.
import { at } from './paths.mjs';

const firstCharacter = 32;
const alphabet = 95;
/** Needs no escape in any literal or inline script, and is no digit that begins a pair. */
const single = Array.from({ length: alphabet }, (_, index) => String.fromCharCode(firstCharacter + index)).filter(
  (character) => !`"'\`\\$<01234567`.includes(character),
);
/**
 * The second character of a pair, by the lower five bits of the byte: their codes have the same
 * lower bits.
 */
const second = '@abcdefghijklmnopqrstuvwxyz{|}~_';

const pair = (byte) => `${byte >> 5}${second[byte % 32]}`;

/**
 * Of the table, the character for a difference of 0; those up to the last of the alphabet need no
 * escape either.
 */
const zeroGap = 'a'.charCodeAt(0);
const longest = firstCharacter + alphabet - 1 - zeroGap;

/**
 * These bytes in order, with others between those that are too far from each other for the table.
 */
function filled(bytes) {
  const all = [];
  for (const byte of [...bytes].sort((a, b) => a - b)) {
    while (byte - (all.at(-1) ?? 0) > longest) all.push((all.at(-1) ?? 0) + longest);
    all.push(byte);
  }
  return all;
}

/**
 * The bytes that are one character each: the most frequent ones. In their own order, in which pairs
 * compress better.
 */
function frequent(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte] += 1;
  const ranked = [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b);
  for (let count = single.length; ; count--) {
    const chosen = filled(ranked.slice(0, count));
    if (chosen.length <= single.length) return chosen;
  }
}

/**
 * Returns the text of these bytes: first the table, which has a character for each of the alphabet.
 * It gives by how much the byte of this character is more than that of the one before. Then the
 * bytes.
 */
export function encode(bytes) {
  const texts = Array.from({ length: 256 }, (_, byte) => pair(byte));
  const gaps = new Array(alphabet).fill(0);
  let last = 0;
  for (const [index, byte] of frequent(bytes).entries()) {
    texts[byte] = single[index];
    gaps[single[index].charCodeAt(0) - firstCharacter] = byte - last;
    last = byte;
  }
  const head = String.fromCharCode(...gaps.map((gap) => zeroGap + gap));
  return head + Array.from(bytes, (byte) => texts[byte]).join('');
}

/**
 * Returns a module with `bytes()`, which decodes these. It has the decoder in it: a chunk that two
 * dynamic imports share would be a request more, and the browser learns of it only when the first
 * has arrived.
 */
export async function inlineModule(bytes) {
  const { build } = await import('esbuild');
  const contents = `import { decode } from './decode.js';\nexport const bytes = () => decode(\n"${encode(bytes)}"\n);\n`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: at('js', 'loader') },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0].text;
}
