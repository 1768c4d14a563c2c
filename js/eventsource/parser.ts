// The event stream parser of the class, which runs in wasm.
import { decode } from '../loader/decode.js';
import { policyAdvice } from '../loader/policy.js';
import { SseError } from '../model/errors.js';
import { wasm } from './inline.js';

/** The raw exports of `wasm/eventsource/exports.rs`. */
interface Exports {
  memory: WebAssembly.Memory;
  input(): number;
  open(limit: number): number;
  feed(scanner: number, length: number): number;
  close(scanner: number): void;
}

/** The length of what is not there: `usize::MAX`. */
const ABSENT = 2 ** 32 - 1;
/** Words of a mark: start, data, kind, id, retry. */
const MARK_WORDS = 5;
/** Bytes that one call takes. */
export const CHUNK_BYTES = 2 ** 16;
/**
 * When no stream is open, an instance with more memory than this is dropped: wasm gives none back.
 */
const LARGE_MEMORY_BYTES = 2 ** 20;

// Bad bytes become U+FFFD; a byte order mark inside of a stream is a character like any other.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

let compiled: WebAssembly.Module | undefined;
/** One instance for all streams: a browser has capacity for little more than a hundred. */
let shared: Exports | undefined;
let streams = 0;

/** The fields of a block of a stream; what it does not set is absent. */
export interface Finding {
  /** A reconnection time, in milliseconds; nothing else then. */
  readonly retry: number | undefined;
  /** The id that the block names. */
  readonly id: string | undefined;
  /** The type and the data, if an event is to be dispatched. */
  readonly kind: string;
  readonly data: string | undefined;
}

const nothing: readonly Finding[] = [];

/** Reads one stream. */
export class Parser {
  readonly #wasm: Exports;
  readonly #limit: number;
  #scanner: number;
  /** True if the stream passed the bound, and must be given up. */
  tooLarge = false;
  #again = false;
  /**
   * The memory of now: it is another one after it grew, for whichever stream, and these are empty
   * then.
   */
  #bytes = new Uint8Array();
  #words = new Uint32Array();
  /**
   * Streams have few types: one of each length is remembered, and so is what the browser made of
   * it.
   */
  #kinds: string[] = [];

  /** @throws SseError with the code `csp` or `wasm` */
  constructor(limit: number) {
    shared ??= instance();
    this.#wasm = shared;
    this.#limit = limit;
    this.#scanner = shared.open(limit);
    streams += 1;
  }

  /** Forgets what is unfinished. */
  reset(): void {
    this.#again = true;
  }

  /** Takes at most {@link CHUNK_BYTES} bytes, and returns what they complete. */
  feed(bytes: Uint8Array): readonly Finding[] {
    const { input, open, feed, close } = this.#wasm;
    this.#look();
    this.#bytes.set(bytes, input());
    let report: number;
    try {
      if (this.#again) {
        close(this.#scanner);
        this.#scanner = open(this.#limit);
        this.#again = false;
      }
      report = feed(this.#scanner, bytes.length) / 4;
    } catch (cause) {
      shared = undefined; // no memory is left; nothing of that instance is to be trusted
      throw new SseError('wasm', `the parser stopped: ${cause}`, { cause });
    }
    this.#look();
    const word = (at: number) => this.#words[report + at] as number;
    this.tooLarge = word(3) === 1;
    return word(1) ? this.#found(word(0) / 4, word(1), word(2)) : nothing;
  }

  /** The stream is over, and nothing will be asked any more. */
  free(): void {
    this.#wasm.close(this.#scanner);
    streams -= 1;
    if (streams === 0 && this.#wasm.memory.buffer.byteLength > LARGE_MEMORY_BYTES) shared = undefined;
  }

  #look(): void {
    if (this.#bytes.length > 0) return;
    const { buffer } = this.#wasm.memory;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
  }

  #found(marks: number, count: number, held: number): Finding[] {
    const bytes = this.#bytes.subarray(held);
    const words = this.#words.subarray(marks, marks + count * MARK_WORDS);
    const length = (at: number) => (words[at] === ABSENT ? 0 : (words[at] as number));
    // They lie behind one another, so the last one that is no reconnection time ends them.
    let end = 0;
    for (let at = 0; at < words.length; at += MARK_WORDS) {
      end = Math.max(end, (words[at] as number) + length(at + 1) + length(at + 2) + length(at + 3));
    }
    const whole = utf8.decode(bytes.subarray(0, end));
    // No character is longer than its bytes, so if the sums agree each one is one byte.
    const simple = whole.length === end;
    const part = (from: number, to: number) => (simple ? whole.slice(from, to) : utf8.decode(bytes.subarray(from, to)));
    const findings: Finding[] = [];
    for (let at = 0; at < words.length; at += MARK_WORDS) {
      const retry = words[at + 4] as number;
      const start = words[at] as number;
      const kindAt = start + length(at + 1);
      const idAt = kindAt + length(at + 2);
      findings.push({
        retry: retry === ABSENT ? undefined : retry,
        id: words[at + 3] === ABSENT ? undefined : part(idAt, idAt + length(at + 3)),
        kind: this.#kind(part(kindAt, idAt)),
        data: words[at + 1] === ABSENT ? undefined : part(start, kindAt),
      });
    }
    return findings;
  }

  #kind(name: string): string {
    if (!name) return 'message';
    const known = this.#kinds[name.length];
    if (known === name) return known;
    if (name.length <= 64) this.#kinds[name.length] = name;
    return name;
  }
}

function instance(): Exports {
  try {
    compiled ??= new WebAssembly.Module(decode(wasm));
    return new WebAssembly.Instance(compiled).exports as unknown as Exports;
  } catch (cause) {
    const message = String(cause);
    const advice = policyAdvice(message);
    throw new SseError(advice ? 'csp' : 'wasm', advice ?? `the wasm module did not start: ${message}`, { cause });
  }
}
