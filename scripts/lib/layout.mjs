// Where a linked wasm module keeps its stack and its data: what `wasm-opt --low-memory-unused`
// takes for granted is checked here.
import { Stop } from './log.mjs';
import { Reader } from './sections.mjs';

/** No address below this one may be valid (`LowMemoryUnused` in Binaryen: 1024). */
const low = 1024;

const [globals, data] = [6, 11];
const [i32, i32Const, end] = [0x7f, 0x41, 0x0b];

/** The value of `i32.const`, or NaN for another expression. Steps behind it. */
function constant(reader) {
  const value = reader.bytes[reader.at++] === i32Const ? reader.number() : Number.NaN;
  while (reader.bytes[reader.at++] !== end);
  return value;
}

/**
 * The first mutable i32 is the stack pointer, by the convention of LLVM; it begins at the upper end
 * of the stack.
 */
function stackTop(reader) {
  for (let left = reader.number(); left > 0; left--) {
    const [type, mutable] = reader.bytes.subarray(reader.at, reader.at + 2);
    reader.skip(2);
    const value = constant(reader);
    if (type === i32 && mutable === 1) return value;
  }
  return Number.NaN;
}

function lowestData(reader) {
  let lowest = Number.POSITIVE_INFINITY;
  for (let left = reader.number(); left > 0; left--) {
    const passive = reader.number();
    if (passive !== 0) throw new Stop('a data segment is not placed by the linker');
    lowest = Math.min(lowest, constant(reader));
    reader.skip(reader.number());
  }
  return lowest;
}

/** Answers the upper end of the stack and the address of the first data. */
function layoutOf(wasm) {
  const layout = { stack: Number.NaN, data: Number.POSITIVE_INFINITY };
  const reader = new Reader(wasm, 8);
  while (reader.at < wasm.length) {
    const id = wasm[reader.at++];
    const next = reader.number() + reader.at;
    if (id === globals) layout.stack = stackTop(reader);
    if (id === data) layout.data = lowestData(reader);
    reader.at = next;
  }
  return layout;
}

/**
 * Throws unless the stack is the lowest thing in memory, with space to spare, and all data lie
 * above it.
 *
 * Then only a stack that is about to overflow reaches the lowest addresses:
 * `tests/js/memory.test.ts` looks that none does.
 */
export function assertLowMemoryUnused(wasm, name) {
  const layout = layoutOf(wasm);
  const fits = layout.stack >= 16 * low && layout.data >= layout.stack;
  if (!fits) {
    throw new Stop(`${name}: --low-memory-unused is unsound, stack below ${layout.stack}, data from ${layout.data}`);
  }
}
