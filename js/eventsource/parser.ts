import { SseError } from '../errors.js';
import { wasm } from './inline.js';

/** The raw exports of `wasm-eventsource/border.rs`. */
interface Exports {
  memory: WebAssembly.Memory;
  reset(limit: number): number;
  feed(length: number): number;
}

/** The length of what is not there: `usize::MAX`. */
const absent = 2 ** 32 - 1;
/** Words of a mark: start, data, kind, id, retry. */
const width = 5;
/** Bytes that one call takes. */
export const piece = 2 ** 16;
/** An instance that needs no more memory than this serves another stream when its own is over. */
const small = 2 ** 20;
const spares = 4;

// Bad bytes become U+FFFD; a byte order mark inside of a stream is a character like any other.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

let module: WebAssembly.Module | undefined;
const spare: Exports[] = [];

/** Reads one stream. What a chunk completed is decoded when it is asked for, and is there until the next `feed`. */
export class Parser {
  readonly #wasm: Exports;
  readonly #input: number;
  /** How much the last chunk completed. */
  count = 0;
  /** True if the stream passed the bound, and must be given up. */
  tooLarge = false;
  #marks = new Uint32Array();
  #held = new Uint8Array();
  /** All that the last chunk completed, if each of its characters is one byte. */
  #text: string | undefined;
  #kinds: [bytes: Uint8Array, name: string][] = [];

  /** @throws SseError with the code `csp` or `wasm` */
  constructor(limit: number) {
    this.#wasm = spare.pop() ?? instance();
    this.#input = this.#wasm.reset(limit);
  }

  /** Forgets what is unfinished. */
  reset(limit: number): void {
    this.#wasm.reset(limit);
  }

  /** Takes at most {@link piece} bytes. */
  feed(bytes: Uint8Array): void {
    const { memory, feed } = this.#wasm;
    new Uint8Array(memory.buffer).set(bytes, this.#input);
    const report = feed(bytes.length);
    const { buffer } = memory; // another one if the memory grew
    const [marks = 0, count = 0, held = 0, tooLarge] = new Uint32Array(buffer, report, 4);
    this.count = count;
    this.tooLarge = tooLarge === 1;
    this.#marks = new Uint32Array(buffer, marks, count * width);
    this.#held = new Uint8Array(buffer, held);
    this.#text = count > 1 ? this.#whole() : undefined;
  }

  /** The reconnection time, in milliseconds, if that is what the finding is. */
  retry(index: number): number | undefined {
    return present(this.#word(index, 4));
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
    if (known?.[0].every((byte, i) => byte === this.#held[at + i])) return known[1];
    const name = this.#slice(at, kind);
    if (kind <= 64) this.#kinds[kind] = [this.#held.slice(at, at + kind), name];
    return name;
  }

  /** The stream is over. */
  free(): void {
    if (spare.length < spares && this.#wasm.memory.buffer.byteLength <= small) spare.push(this.#wasm);
  }

  #whole(): string | undefined {
    let end = 0;
    for (let index = 0; index < this.count; index++) {
      const { start, data, kind, id } = this.#mark(index);
      end = Math.max(end, start + (data ?? 0) + (kind ?? 0) + (id ?? 0));
    }
    const text = utf8.decode(this.#held.subarray(0, end));
    // No character is longer than its bytes, so if the sums agree each one is one byte.
    return text.length === end ? text : undefined;
  }

  #slice(start: number, length: number): string {
    const end = start + length;
    return this.#text?.slice(start, end) ?? utf8.decode(this.#held.subarray(start, end));
  }

  #mark(index: number) {
    const word = (at: number) => present(this.#word(index, at));
    return { start: word(0) ?? 0, data: word(1), kind: word(2), id: word(3) };
  }

  #word(index: number, at: number): number {
    return this.#marks[index * width + at] ?? absent;
  }
}

const present = (word: number): number | undefined => (word === absent ? undefined : word);

function instance(): Exports {
  try {
    module ??= new WebAssembly.Module(bytes());
    return new WebAssembly.Instance(module).exports as unknown as Exports;
  } catch (cause) {
    const message = String(cause);
    // Engines have no error class of their own for a refusal by policy; all of them name it in the message.
    const refused = /content.security.policy|\bcsp\b|unsafe-eval|disallowed by embedder/i.test(message);
    throw refused
      ? new SseError('csp', `the content security policy needs script-src 'wasm-unsafe-eval' (${message})`, { cause })
      : new SseError('wasm', `the wasm module did not start: ${message}`, { cause });
  }
}

function bytes(): Uint8Array<ArrayBuffer> {
  const text = atob(wasm);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
