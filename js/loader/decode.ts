// The decoder of the text that holds the wasm in `inline.js`.
/**
 * The first character that encodes anything; the alphabet is the printable ASCII characters from it
 * on.
 */
const space = 32;
/** How many characters the alphabet has, those that are never used included. */
const alphabet = 95;
/** The digits from this one on begin a pair. */
const zero = 48;
/** In the table, the character for a difference of 0. */
const zeroGap = 97;

/**
 * Returns the bytes that `scripts/lib/inline.mjs` encoded.
 *
 * A byte is one character, or a pair: a digit for its upper three bits and a letter for the lower
 * five. What the single characters mean comes first: a character for each of the alphabet, in
 * order, for the difference from the one before.
 */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  const table: number[] = [];
  let length = 0;
  let byte = 0;
  let upper = -1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (at < alphabet) {
      byte += code - zeroGap;
      table.push(byte);
    } else if (upper < 0 && code >= zero && code < zero + 8) {
      upper = code - zero;
    } else {
      bytes[length++] = upper < 0 ? (table[code - space] as number) : upper * 32 + (code % 32);
      upper = -1;
    }
  }
  return bytes.subarray(0, length);
}
