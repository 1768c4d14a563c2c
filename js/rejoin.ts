// Opcodes that the walk treats in their own ways. Not in one array, so that minifiers put them in place.
const nop = 0x01;
const block = 0x02;
const if_ = 0x04;
const end = 0x0b;
const brTable = 0x0e;
const prefix = 0xfc;
/** The stream of what is outside of the code section. */
const outside = 9;

/**
 * Walks through a wasm module, and asks `next` for each byte by the stream that it is in. Returns the module.
 *
 * The code section's content is at `start` to `stop`. There, opcodes are in stream 0, and operands in the stream of their kind.
 * An entry of `kinds`, by opcode, is 32 times the stream plus the number of operands; opcodes with the prefixes 0xfc and 0xfd
 * begin at 256 and 512. An operand is a LEB128 number, whose last byte is below 128; of an instruction with more than 7, each byte
 * is one. The first of two operands is in the next stream. The head of a function has the entry of `nop`, which does not occur.
 *
 * The build walks in the same way to split a module, so an error here costs bytes of the download, and none of the module.
 */
export function walk(
  length: number,
  start: number,
  stop: number,
  kinds: ArrayLike<number>,
  next: (stream: number) => number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let op = nop;
  let kind = kinds[nop] as number;
  let page = 0;
  let depth = 0;
  // The number of functions; the size of the first one, and the number of its groups of locals.
  let left = 3;
  for (let at = 0; at < length; at++) {
    const code = at >= start && at < stop;
    const count = kind % 32;
    const byte = next(code ? left && (kind >> 5) + +(count === 2 && left === 2) : outside);
    bytes[at] = byte;
    if (!code) continue;
    if (left === 0) {
      op = page + byte;
      page = byte < prefix || page ? 0 : (byte - prefix + 1) * 256;
      if (op >= block && op <= if_) depth++;
      if (op === end && --depth < 0) {
        depth = 0;
        op = nop;
      }
      kind = kinds[op] as number;
      left = kind % 32;
    } else if (byte < 128 || count > 7) {
      left--;
      if (left === 0 && (op === nop || op === brTable)) {
        // A group of locals is a count and a type. A table has one label more than it says.
        left = op === nop ? byte * 2 : byte + 1;
        op = 0;
      }
    }
  }
  return bytes;
}

/**
 * Returns the module whose streams begin at these places of `bytes`. Behind the last one is the table for {@link walk}: by turns a
 * number of opcodes, and their entry. Throws a `RangeError` if bytes are missing.
 */
export function rejoin(bytes: Uint8Array, starts: number[], start: number, stop: number): Uint8Array<ArrayBuffer> {
  const length = starts.pop() as number;
  const kinds: number[] = [];
  for (let at = length; at < bytes.length; at += 2) {
    for (let count = bytes[at] as number; count > 0; count--) kinds.push(bytes[at + 1] as number);
  }
  if (kinds.length === 0) throw new RangeError('the wasm is cut off');
  return walk(length, start, stop, kinds, (stream) => bytes[(starts[stream] as number)++] as number);
}
