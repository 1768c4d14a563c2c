import { SseError } from '../errors.js';
import { wasm } from './inline.js';

/** The raw exports of `wasm-eventsource/border.rs`. */
interface Exports {
  memory: WebAssembly.Memory;
  input(): number;
  open(limit: number): number;
  reset(scanner: number): void;
  feed(scanner: number, length: number): number;
  close(scanner: number): void;
}

/** The length of what is not there: `usize::MAX`. */
const absent = 2 ** 32 - 1;
/** Words of a mark: start, data, kind, id, retry. */
const width = 5;
/** Bytes that one call takes. */
export const piece = 2 ** 16;
/** When no stream is open, an instance with more memory than this is dropped: wasm gives none back. */
const large = 2 ** 20;

// Bad bytes become U+FFFD; a byte order mark inside of a stream is a character like any other.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

let compiled: WebAssembly.Module | undefined;
/** One instance for all streams: a browser has room for little more than a hundred. */
let shared: Exports | undefined;
let streams = 0;

/** Reads one stream. What a chunk completed is decoded when it is asked for, and is there until the next `feed`. */
export class Parser {
  readonly #wasm: Exports;
  readonly #scanner: number;
  /** How much the last chunk completed. */
  count = 0;
  /** True if the stream passed the bound, and must be given up. */
  tooLarge = false;
  #marks = new Uint32Array();
  /** Where the bytes are that the marks speak of. */
  #held = 0;
  /** All that the last chunk completed, if each of its characters is one byte. */
  #text: string | undefined;
  #again = false;
  #kinds: [bytes: Uint8Array, name: string][] = [];

  /** @throws SseError with the code `csp` or `wasm` */
  constructor(limit: number) {
    shared ??= instance();
    this.#wasm = shared;
    this.#scanner = shared.open(limit);
    streams += 1;
  }

  /** Forgets what is unfinished. What was found stays until the next `feed`. */
  reset(): void {
    this.#again = true;
  }

  /** Takes at most {@link piece} bytes. */
  feed(bytes: Uint8Array): void {
    const { memory, input, feed } = this.#wasm;
    new Uint8Array(memory.buffer).set(bytes, input());
    let report: number;
    try {
      if (this.#again) this.#wasm.reset(this.#scanner);
      this.#again = false;
      report = feed(this.#scanner, bytes.length);
    } catch (cause) {
      shared = undefined; // no memory is left; nothing of that instance is to be trusted
      throw new SseError('wasm', `the parser stopped: ${cause}`, { cause });
    }
    const [marks = 0, count = 0, held = 0, tooLarge] = new Uint32Array(memory.buffer, report, 4);
    this.count = count;
    this.tooLarge = tooLarge === 1;
    this.#marks = new Uint32Array(memory.buffer, marks, count * width).slice();
    this.#held = held;
    this.#text = count > 1 ? this.#whole() : undefined;
  }

  /** The reconnection time, in milliseconds, if that is what the finding is. */
  retry(index: number): number | undefined {
    return this.#word(index, 4);
  }

  /** The id that the block names. */
  id(index: number): string | undefined {
    const { start, data, kind, id } = this.#mark(index);
    return id === undefined ? undefined : this.#slice(start + (data ?? 0) + (kind ?? 0), id);
  }

  /** The data, if there is any: an event is to be dispatched. */
  data(index: number): string | undefined {
    const { start, data } = this.#mark(index);
    return data === undefined ? undefined : this.#slice(start, data);
  }

  /** The type of the event. */
  kind(index: number): string {
    const { start, data, kind } = this.#mark(index);
    if (!kind) return 'message';
    const at = start + (data ?? 0);
    // Streams have few types: one of each length is remembered, up to 64 bytes.
    const known = this.#kinds[kind];
    const bytes = this.#bytes(at, kind);
    if (known?.[0].every((byte, i) => byte === bytes[i])) return known[1];
    const name = this.#slice(at, kind);
    if (kind <= 64) this.#kinds[kind] = [bytes.slice(), name];
    return name;
  }

  /** The stream is over, and nothing will be asked any more. */
  free(): void {
    this.#wasm.close(this.#scanner);
    streams -= 1;
    if (streams === 0 && this.#wasm.memory.buffer.byteLength > large) shared = undefined;
  }

  /** In the memory of now: it is another one after it grew, for whichever stream. */
  #bytes(start: number, length: number): Uint8Array {
    return new Uint8Array(this.#wasm.memory.buffer, this.#held + start, length);
  }

  #whole(): string | undefined {
    let end = 0;
    for (let index = 0; index < this.count; index++) {
      const { start, data, kind, id } = this.#mark(index);
      end = Math.max(end, start + (data ?? 0) + (kind ?? 0) + (id ?? 0));
    }
    const text = utf8.decode(this.#bytes(0, end));
    // No character is longer than its bytes, so if the sums agree each one is one byte.
    return text.length === end ? text : undefined;
  }

  #slice(start: number, length: number): string {
    return this.#text?.slice(start, start + length) ?? utf8.decode(this.#bytes(start, length));
  }

  #mark(index: number) {
    const word = (at: number) => this.#word(index, at);
    return { start: word(0) ?? 0, data: word(1), kind: word(2), id: word(3) };
  }

  #word(index: number, at: number): number | undefined {
    const word = this.#marks[index * width + at];
    return word === absent ? undefined : word;
  }
}

function instance(): Exports {
  try {
    compiled ??= new WebAssembly.Module(Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0)));
    return new WebAssembly.Instance(compiled).exports as unknown as Exports;
  } catch (cause) {
    const message = String(cause);
    // Engines have no error class of their own for a refusal by policy; all of them name it in the message.
    const refused = /content.security.policy|\bcsp\b|unsafe-eval|disallowed by embedder/i.test(message);
    throw refused
      ? new SseError('csp', `the content security policy needs script-src 'wasm-unsafe-eval' (${message})`, { cause })
      : new SseError('wasm', `the wasm module did not start: ${message}`, { cause });
  }
}
