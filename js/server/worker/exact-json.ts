// JSON read without rounding, for comparison: numbers are equal if their decimal values are.
//
// `JSON.parse` makes 9007199254740992 and 9007199254740993 the same number. Whatever compares what
// it returns never notices that such an id changed.
import { PollFailure } from './failure.js';

/** Containers in containers, at most; serde_json has the same limit. */
const MAX_DEPTH = 127;

/** A value: a scalar in its canonical text, a list, or fields by name. */
export type ExactJson = string | readonly ExactJson[] | ReadonlyMap<string, ExactJson>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;

/**
 * Reads a text that `JSON.parse` accepts. Of fields with the same name the last one counts.
 *
 * Throws a {@link PollFailure} for more than 127 nested containers, and for numbers that are out of
 * the range of a double.
 *
 * ```ts
 * writeExact(readExact('{"b":1.50,"a":10}')); // '{"a":1e1,"b":15e-1}'
 * ```
 */
export function readExact(text: string): ExactJson {
  return new Reader(text).value(0);
}

/** Returns the value at a JSON pointer (RFC 6901); `undefined` if there is no such place. */
export function exactAt(value: ExactJson, pointer: string): ExactJson | undefined {
  let at: ExactJson | undefined = value;
  for (const token of tokensOf(pointer)) {
    if (at === undefined || typeof at === 'string') return undefined;
    if (isFields(at)) at = at.get(token);
    else at = isIndex(token) ? at[Number(token)] : undefined;
  }
  return at;
}

/** Writes a value so that equal values are equal texts: fields sorted by name, no spaces. */
export function writeExact(value: ExactJson): string {
  if (typeof value === 'string') return value;
  if (!isFields(value)) return `[${value.map(writeExact).join(',')}]`;
  const fields = [...value].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, one]) => `${JSON.stringify(name)}:${writeExact(one)}`).join(',')}}`;
}

/** Splits a JSON pointer into its reference tokens, unescaped (RFC 6901, 4). */
export function tokensOf(pointer: string): readonly string[] {
  const tokens = pointer.split('/').slice(1);
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Returns true for a token that names an element of a list (RFC 6901, 4). */
export function isIndex(token: string): boolean {
  return /^(?:0|[1-9]\d{0,14})$/.test(token);
}

function isFields(
  value: readonly ExactJson[] | ReadonlyMap<string, ExactJson>,
): value is ReadonlyMap<string, ExactJson> {
  return value instanceof Map;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): ExactJson {
    const first = this.#peek();
    if (first === QUOTE) return this.#string();
    if (first !== OPEN_LIST && first !== OPEN_OBJECT) return this.#word();
    if (depth === MAX_DEPTH) throw new PollFailure(`the JSON has more than ${MAX_DEPTH} nested lists and objects`);
    return first === OPEN_LIST ? this.#list(depth + 1) : this.#fields(depth + 1);
  }

  #list(depth: number): ExactJson {
    const list: ExactJson[] = [];
    this.#at += 1;
    while (this.#peek() !== CLOSE_LIST) {
      list.push(this.value(depth));
      if (this.#peek() === COMMA) this.#at += 1;
    }
    this.#at += 1;
    return list;
  }

  #fields(depth: number): ExactJson {
    const fields = new Map<string, ExactJson>();
    this.#at += 1;
    while (this.#peek() !== CLOSE_OBJECT) {
      const name = nameOf(this.#string());
      this.#peek();
      // The colon.
      this.#at += 1;
      fields.set(name, this.value(depth));
      if (this.#peek() === COMMA) this.#at += 1;
    }
    this.#at += 1;
    return fields;
  }

  /** A string as `JSON.stringify` writes it, whatever its escapes. */
  #string(): string {
    const start = this.#at;
    let isEscaped = false;
    this.#at += 1;
    for (let code = this.#code(); code !== QUOTE; code = this.#code()) {
      if (Number.isNaN(code)) throw notJson();
      isEscaped ||= code === BACKSLASH;
      this.#at += code === BACKSLASH ? 2 : 1;
    }
    this.#at += 1;
    const raw = this.#text.slice(start, this.#at);
    return isEscaped ? JSON.stringify(JSON.parse(raw)) : raw;
  }

  /** A number, `true`, `false` or `null`. */
  #word(): string {
    const start = this.#at;
    while (isOfWord(this.#code())) this.#at += 1;
    const raw = this.#text.slice(start, this.#at);
    if (raw === '') throw notJson();
    return raw === 'true' || raw === 'false' || raw === 'null' ? raw : exactNumber(raw);
  }

  /** Skips white space. Returns the code of the next character. */
  #peek(): number {
    let code = this.#code();
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      this.#at += 1;
      code = this.#code();
    }
    return code;
  }

  /** The code of the character here; not a number at the end. */
  #code(): number {
    return this.#text.charCodeAt(this.#at);
  }
}

/** The name that a string of JSON is, where it has escapes by way of `JSON.parse`. */
function nameOf(json: string): string {
  return json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1);
}

/** The failure of a text that `JSON.parse` would refuse. */
function notJson(): PollFailure {
  return new PollFailure('the answer is no JSON');
}

function isOfWord(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x45 || isSign(code);
}

function isSign(code: number): boolean {
  return code === 0x2b || code === 0x2d || code === 0x2e;
}

/** Writes a number as digits without zeros at either end, and a power of ten. */
function exactNumber(raw: string): string {
  // Most numbers: nothing to remove.
  if (/^-?[1-9]\d{0,14}$/.test(raw) && !raw.endsWith('0')) return `${raw}e0`;
  if (!Number.isFinite(Number(raw))) throw new PollFailure('the JSON has a number that is out of range');
  const sign = raw.startsWith('-') ? '-' : '';
  const [mantissa = '', exponent = '0'] = raw.slice(sign.length).toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = whole + fraction;
  // No regular expression: one that looks for zeros at the end takes quadratic time.
  let first = 0;
  while (digits[first] === '0') first += 1;
  if (first === digits.length) return '0';
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return `${sign}${digits.slice(first, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
