// The data that a notification of a poller carries.
import type { Comparison } from './compare.js';
import { PollFailure } from './failure.js';

/** Bytes of JSON: every client of the type receives them. */
const MAX_DATA = 256 << 10;

/**
 * Returns the data for a value, as the option `send` wants them. Throws what a function of the
 * application throws, and a {@link PollFailure} for data that are no JSON or too large.
 */
export function dataOf<V>(value: V, send: boolean | ((value: V) => unknown), comparison: Comparison<V>): unknown {
  if (send === false) return undefined;
  const data = send === true ? comparison.compared(value) : send(value);
  if (data === undefined) return undefined;
  let json: string | undefined;
  try {
    json = JSON.stringify(data);
  } catch {
    // A BigInt, a circle, or a `toJSON` that throws.
  }
  if (json === undefined) throw new PollFailure(`what \`send\` gives has no JSON form (${typeof data})`);
  // A character has one byte at least, and three at most.
  const isSmall = json.length * 3 <= MAX_DATA;
  if (isSmall || (json.length <= MAX_DATA && new TextEncoder().encode(json).length <= MAX_DATA)) return data;
  throw new PollFailure(`the data have more than ${MAX_DATA} bytes of JSON`);
}
