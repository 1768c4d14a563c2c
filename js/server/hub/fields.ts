// Arguments of the wasm module, written one behind the other; `wasm/hub/src/fields.rs` reads them.

const ABSENT = 0xffff_ffff;
const encoder = new TextEncoder();
/** A UTF-16 unit takes three bytes of UTF-8 at most. */
const WIDEST = 3;

/** Writes numbers, texts and lists into a buffer that grows. */
export class FieldWriter {
  #bytes = new Uint8Array(4_096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Begins anew. */
  begin(): this {
    this.#length = 0;
    return this;
  }

  /** Appends a number. */
  number(value: number): this {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
    return this;
  }

  /** Appends a text, or that there is none. */
  text(value: string | undefined | null): this {
    if (value === undefined || value === null) return this.#count(ABSENT);
    this.#reserve(4 + value.length * WIDEST);
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(this.#length + 4));
    this.#view.setUint32(this.#length, written, true);
    this.#length += 4 + written;
    return this;
  }

  /** Appends a list, or that there is none; `item` appends each of its items. */
  list<T>(values: readonly T[] | undefined | null, item: (value: T) => void): this {
    if (!values) return this.#count(ABSENT);
    this.#count(values.length);
    for (const value of values) item(value);
    return this;
  }

  /** Appends a list of texts, or that there is none. */
  texts(values: readonly string[] | undefined | null): this {
    return this.list(values, (value) => this.text(value));
  }

  /** Returns what was written; it is there until the next {@link begin}. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #count(count: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.#length, count, true);
    this.#length += 4;
    return this;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

const decoder = new TextDecoder();

/** Reads what the module wrote in the same form. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** True if nothing is left. */
  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Takes a number. */
  number(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** Takes a text, if there is one. */
  text(): string | undefined {
    const length = this.#count();
    if (length === ABSENT) return undefined;
    const text = decoder.decode(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return text;
  }

  /** Takes a list of texts. */
  texts(): string[] {
    return Array.from({ length: this.#count() }, () => this.text() ?? '');
  }

  #count(): number {
    const count = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return count;
  }
}
