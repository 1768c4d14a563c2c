// Base64url without padding (RFC 4648, 5), in its one canonical form.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** The value of each character of the alphabet by its code; -1 for other characters. */
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

/**
 * Encodes bytes.
 *
 * ```ts
 * toBase64url(new Uint8Array([255])); // '_w'
 * ```
 */
export function toBase64url(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    for (held += 8; held >= 6; ) {
      held -= 6;
      text += ALPHABET[(bits >> held) & 63];
    }
    bits &= 255;
  }
  return held > 0 ? text + ALPHABET[(bits << (6 - held)) & 63] : text;
}

/**
 * Decodes a text. Returns `undefined` for one that no encoder writes: with padding, spaces or other
 * characters, with a length that is impossible, or with bits set that belong to no byte. So two
 * texts never mean the same bytes.
 *
 * ```ts
 * fromBase64url('_w'); // Uint8Array [255]
 * fromBase64url('_x'); // undefined
 * ```
 */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const { length } = text;
  if (length % 4 === 1) return undefined;
  const bytes = new Uint8Array((length * 3) >> 2);
  let at = 0;
  let filled = 0;
  for (; at + 4 <= length; at += 4) {
    const bits = (valueAt(text, at) << 18) | (valueAt(text, at + 1) << 12) | (valueAt(text, at + 2) << 6);
    const group = bits | valueAt(text, at + 3);
    if (group < 0) return undefined;
    bytes[filled++] = group >> 16;
    bytes[filled++] = group >> 8;
    bytes[filled++] = group;
  }
  if (at === length) return bytes;
  // One byte in two characters, or two in three.
  const isOne = at + 2 === length;
  const bits = (valueAt(text, at) << 12) | (valueAt(text, at + 1) << 6) | (isOne ? 0 : valueAt(text, at + 2));
  // What belongs to no byte.
  const unused = isOne ? 0x3ff : 3;
  if (bits < 0 || (bits & unused) !== 0) return undefined;
  bytes[filled++] = bits >> 10;
  if (!isOne) bytes[filled] = bits >> 2;
  return bytes;
}

/** The value of a character; below 0, also when it is shifted, for one outside the alphabet. */
function valueAt(text: string, at: number): number {
  return VALUES[text.charCodeAt(at)] ?? -1;
}
