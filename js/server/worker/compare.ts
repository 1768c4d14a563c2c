// What counts as a change of a polled value.
import type { Reading } from './answer.js';
import { exactAt, isIndex, readExact, tokensOf, writeExact } from './exact-json.js';
import { failureOf, PollFailure } from './failure.js';

/** How values are compared. */
export type Detect<V> =
  /** As JSON: neither spaces, nor the order of fields, nor the spelling of numbers make a change. */
  | { readonly by: 'json' }
  /** These places of the JSON only. A place that is not there differs from one that is null. */
  | { readonly by: 'pointer'; readonly pointers: readonly string[] }
  /** Every byte; the body need not be JSON. */
  | { readonly by: 'hash' }
  /** A function of the application. */
  | { readonly by: 'function'; readonly changed: (previous: V, next: V) => boolean };

/** Reads values and compares them. */
export class Comparison<V> {
  readonly #detect: Detect<V>;
  /** The newest text and its print: most answers repeat it to the letter. */
  #text: string | undefined;
  #textPrint: string | undefined;

  constructor(detect: Detect<V>) {
    this.#detect = detect;
  }

  /**
   * Reads the body of an answer. Rejects with a {@link PollFailure} if it is no JSON and should be.
   */
  async readBody(body: Uint8Array): Promise<Reading<V>> {
    if (this.#detect.by === 'hash') return { value: jsonOrText(body) as V, print: await sha256(body) };
    const text = utf8(body);
    const value = parse(text) as V;
    return { value, print: this.#print(text) };
  }

  /**
   * Reads what a client of the application returned. Rejects with a {@link PollFailure} if it has
   * no JSON form and needs one.
   */
  async readValue(value: V): Promise<Reading<V>> {
    if (this.#detect.by === 'function') return { value, print: undefined };
    const text = jsonOf(value);
    if (this.#detect.by === 'hash') return { value, print: await sha256(new TextEncoder().encode(text)) };
    return { value, print: this.#print(text) };
  }

  /**
   * Returns true if `next` is no change. Throws a {@link PollFailure} if a function of the
   * application throws.
   */
  isSame(previous: Reading<V>, next: Reading<V>): boolean {
    if (this.#detect.by !== 'function') return previous.print === next.print;
    try {
      return !this.#detect.changed(previous.value, next.value);
    } catch (error) {
      throw new PollFailure(`\`detect\` threw an error: ${failureOf(error).message}`);
    }
  }

  /**
   * Returns what of a value is compared, for updates that carry it: at one pointer the value there,
   * or null; at several an object of those that are there, by pointer; else the whole.
   */
  compared(value: V): unknown {
    if (this.#detect.by !== 'pointer') return value;
    const json: unknown = JSON.parse(jsonOf(value));
    const { pointers } = this.#detect;
    const [only, ...others] = pointers;
    if (only !== undefined && others.length === 0) return valueAt(json, only) ?? null;
    const parts = pointers.map((pointer) => [pointer, valueAt(json, pointer)] as const);
    return Object.fromEntries(parts.filter(([, part]) => part !== undefined));
  }

  #print(text: string): string | undefined {
    if (this.#detect.by === 'function') return undefined;
    if (this.#text !== text) {
      this.#textPrint = this.#printOf(text, this.#detect);
      this.#text = text;
    }
    return this.#textPrint;
  }

  #printOf(text: string, detect: Detect<V>): string {
    const exact = readExact(text);
    if (detect.by !== 'pointer') return writeExact(exact);
    const parts = detect.pointers.map((pointer) => exactAt(exact, pointer));
    // Canonical JSON has no raw line ends, and begins with another character than `!`.
    return parts.map((part) => (part === undefined ? '!' : writeExact(part))).join('\n');
  }
}

/**
 * Returns what is wrong with a JSON pointer (RFC 6901, 3); `undefined` for a good one.
 *
 * ```ts
 * pointerFault('/current/temperature'); // undefined
 * ```
 */
export function pointerFault(pointer: unknown): string | undefined {
  if (typeof pointer !== 'string') return 'a JSON pointer is a text';
  // `~` occurs only before 0 and 1.
  const isSound = (pointer === '' || pointer.startsWith('/')) && !/~(?![01])/.test(pointer);
  return isSound ? undefined : `${JSON.stringify(pointer)} is no JSON pointer, such as "/current/temperature"`;
}

function valueAt(json: unknown, pointer: string): unknown {
  let at = json;
  for (const token of tokensOf(pointer)) {
    if (typeof at !== 'object' || at === null) return undefined;
    if (Array.isArray(at)) at = isIndex(token) ? at[Number(token)] : undefined;
    else at = Object.hasOwn(at, token) ? (at as Record<string, unknown>)[token] : undefined;
  }
  return at;
}

/** The messages of `JSON.parse` quote the text, which may be confidential. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const trimmed = text.trimStart();
    if (trimmed === '') throw new PollFailure('the answer is empty');
    throw new PollFailure(`the answer is no JSON${trimmed.startsWith('<') ? ' but looks like HTML or XML' : ''}`);
  }
}

function jsonOf(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch {
    // A BigInt, a circle, or a `toJSON` that throws.
  }
  if (json !== undefined) return json;
  throw new PollFailure(`\`fetch\` returned a value without a JSON form (${typeof value}); give \`detect\` a function`);
}

/** Decodes UTF-8, without a byte order mark. */
function utf8(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new PollFailure('the answer is no JSON: it is not in UTF-8');
  }
}

function jsonOrText(body: Uint8Array): unknown {
  const text = new TextDecoder().decode(body);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
