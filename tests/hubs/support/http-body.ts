// The body of an HTTP/1 response: chunks, a length, or everything until the connection ends.

/** Decodes a body piece by piece. */
export class BodyDecoder {
  /** The end of the connection is the end of the body. */
  readonly endsWithConnection: boolean;
  readonly #chunked: boolean;
  #left: number;
  #line = '';
  #state: 'size' | 'data' | 'end' | 'done';

  constructor(headers: Readonly<Record<string, string>>) {
    this.#chunked = headers['transfer-encoding'] === 'chunked';
    const length = headers['content-length'];
    this.endsWithConnection = !this.#chunked && length === undefined;
    this.#left = this.#chunked ? 0 : Number(length ?? Number.POSITIVE_INFINITY);
    this.#state = this.#chunked ? 'size' : this.#left === 0 ? 'done' : 'data';
  }

  /** True at the end of the body. */
  get isDone(): boolean {
    return this.#state === 'done';
  }

  /**
   * Takes octets of the connection. Returns those of the body, and what is behind its end. Throws
   * at an invalid chunk.
   */
  feed(bytes: Buffer): { body: Buffer; rest: Buffer } {
    const parts: Buffer[] = [];
    let at = 0;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const taken = bytes.subarray(at, at + this.#left);
        parts.push(taken);
        at += taken.length;
        this.#left -= taken.length;
        if (this.#left === 0) this.#state = this.#chunked ? 'end' : 'done';
        continue;
      }
      this.#line += String.fromCharCode(bytes[at] as number);
      at += 1;
      if (this.#line.endsWith('\r\n')) this.#lineRead();
    }
    return { body: Buffer.concat(parts), rest: bytes.subarray(at) };
  }

  #lineRead(): void {
    const line = this.#line.slice(0, -2);
    this.#line = '';
    if (this.#state === 'end') {
      if (line !== '') throw new Error(`a chunk that is longer than its size: ${JSON.stringify(line)}`);
      this.#state = 'size';
      return;
    }
    // Behind the last chunk is an empty line, since there are no trailers.
    if (this.#left === -1) {
      if (line !== '') throw new Error(`a trailer: ${JSON.stringify(line)}`);
      this.#state = 'done';
      return;
    }
    if (!/^[0-9a-fA-F]+$/.test(line)) throw new Error(`no size of a chunk: ${JSON.stringify(line)}`);
    this.#left = Number.parseInt(line, 16);
    if (this.#left === 0) this.#left = -1;
    else this.#state = 'data';
  }
}
