// Splits a wasm module into streams: opcodes, local indices, offsets and so on, each of which resembles itself more than the bytes
// around it. Brotli makes a twelfth less of them. `js/rejoin.ts` puts them together again.
import { Stop } from './log.mjs';
import { at } from './paths.mjs';
import { Reader } from './sections.mjs';

/** Streams of {@link walk}. Next to `offset` are alignments, next to `other` the first of two operands. */
const [code, local, offset, i32, i64, label, other, outside] = [0, 1, 2, 4, 5, 6, 7, 9];

/** Opcodes and their operands, by range: first, last, stream, number. From the core specification 3.0, §5.4. */
const instructions = [
  [0x00, 0x00, code, 0],
  [0x01, 0x01, other, 2], // no `nop`, but the head of a function
  [0x02, 0x04, code, 1], // block, loop, if
  [0x05, 0x05, code, 0],
  [0x0b, 0x0b, code, 0],
  [0x0c, 0x0d, label, 1],
  [0x0e, 0x0e, other, 1], // br_table
  [0x0f, 0x0f, code, 0],
  [0x10, 0x10, code, 1], // call
  [0x11, 0x11, other, 2], // call_indirect
  [0x1a, 0x1b, code, 0],
  [0x20, 0x22, local, 1],
  [0x23, 0x26, other, 1], // globals and tables
  [0x28, 0x3e, offset, 2], // loads and stores
  [0x3f, 0x40, other, 1],
  [0x41, 0x41, i32, 1],
  [0x42, 0x42, i64, 1],
  [0x44, 0x44, other, 8], // f64.const
  [0x45, 0xc4, code, 0],
  [0xd0, 0xd0, other, 1], // ref.null
  [0xfc, 0xfd, code, 0], // prefixes
  [0x100, 0x107, code, 0], // saturating truncation
  [0x10a, 0x10a, other, 2], // memory.copy
  [0x10b, 0x10b, other, 1], // memory.fill
  [0x10f, 0x111, other, 1], // table.grow, table.size, table.fill
  [0x200, 0x20b, offset, 2], // loads and stores of vectors
  [0x20c, 0x20d, other, 16], // v128.const, i8x16.shuffle
  [0x20e, 0x214, code, 0],
  [0x215, 0x222, other, 1], // lanes
  [0x223, 0x253, code, 0],
  [0x25c, 0x25d, offset, 2],
  [0x25e, 0x27f, code, 0],
  [0x280, 0x2ff, code, 1], // the second byte of the opcode
];

/** Returns the entry of an opcode in the table of `walk`. */
function kindOf(op) {
  const found = instructions.find(([first, last]) => op >= first && op <= last);
  if (!found) throw new Stop(`scripts/lib/split.mjs does not know the opcode 0x${op.toString(16)}`);
  return found[2] * 32 + found[3];
}

/** Returns where the content of the code section is. */
export function codeSection(wasm) {
  const reader = new Reader(wasm, 8);
  while (reader.at < wasm.length) {
    const id = wasm[reader.at++];
    const length = reader.number();
    if (id === 10) return { start: reader.at, stop: reader.at + length };
    reader.skip(length);
  }
  return { start: wasm.length, stop: wasm.length };
}

let walking;

/** The walk itself is that of the package. */
async function loadWalk() {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({ entryPoints: [at('js', 'rejoin.ts')], format: 'esm', write: false });
  return (await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`)).walk;
}

/** Returns the arguments of `rejoin` for a module: the streams and the table in one, where each begins, and where the code is. */
export async function split(wasm) {
  walking ??= loadWalk();
  const walk = await walking;
  const { start, stop } = codeSection(wasm);
  const streams = Array.from({ length: outside + 1 }, () => []);
  const table = [];
  const kinds = new Proxy(table, {
    get(_, key) {
      table[key] ??= kindOf(Number(key));
      return table[key];
    },
  });
  let position = 0;
  walk(wasm.length, start, stop, kinds, (stream) => {
    const byte = wasm[position++];
    streams[stream].push(byte);
    return byte;
  });
  const starts = [0];
  for (const stream of streams) starts.push(starts.at(-1) + stream.length);
  return { bytes: Uint8Array.from([...streams, runs(table)].flat()), starts, start, stop };
}

/** Returns a table as runs: by turns a number of opcodes, and their entry. Opcodes that do not occur have that of their neighbours. */
function runs(table) {
  const found = [];
  for (let op = 0; op < table.length; op++) {
    const kind = table[op] ?? found.at(-1) ?? 0;
    if (kind === found.at(-1) && found.at(-2) < 255) found[found.length - 2]++;
    else found.push(1, kind);
  }
  return found;
}
