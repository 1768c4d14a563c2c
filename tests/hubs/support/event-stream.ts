// A reader of event streams over a bare socket. It reads what docs/PROTOCOL.md, 5 allows a hub to
// send and nothing else, and it can stop reading.
import { connect, type Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { bounded } from './bound.js';
import { headersOf } from './http.js';
import { BodyDecoder } from './http-body.js';

/** A frame as it came. */
export interface Frame {
  readonly id: string | undefined;
  readonly event: string;
  /** Several lines are joined by LF. */
  readonly data: string;
  readonly retry: number | undefined;
  /** All of its octets, with the empty line. */
  readonly raw: string;
}

/** A request for a stream. */
export interface StreamRequest {
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** `1.1` by default. */
  readonly version?: '1.0' | '1.1' | undefined;
  /** Requests that are sent before it on the same connection. */
  readonly before?: readonly string[] | undefined;
}

/** A response that is a stream, frame by frame. */
export class EventStream {
  /** Its status line was `200`, and these are its headers. */
  headers: Readonly<Record<string, string>> = {};
  status = 0;
  /** The body so far, without its chunks. */
  body = '';
  /** How it ended: with the end of the body, or with the end of the connection alone. */
  ended: 'whole' | 'cut' | undefined;
  readonly #socket: Socket;
  readonly #text = new StringDecoder('utf8');
  readonly #frames: Frame[] = [];
  readonly #heads: string[] = [];
  #waiting: (() => void) | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #answersBefore = 0;
  #body: BodyDecoder | undefined;
  #rest = '';
  #failure: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#guarded(() => this.#take(bytes)));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.ended ??= this.#body?.isDone || this.#body?.endsWithConnection ? 'whole' : 'cut';
      this.#wake();
    });
  }

  /** Sends a request and reads the head of the answer. */
  static async open(url: string, request: StreamRequest): Promise<EventStream> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const stream = new EventStream(socket);
    const { path, headers = {}, version = '1.1', before = [] } = request;
    stream.#answersBefore = before.length;
    const lines = Object.entries({ host: `${hostname}:${port}`, ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    socket.write(`${before.join('')}GET ${path} HTTP/${version}\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    await stream.#until('the head of the stream', () => stream.#body !== undefined || stream.ended !== undefined);
    return stream;
  }

  /** The next frame; `undefined` at the end of the stream. */
  async next(): Promise<Frame | undefined> {
    await this.#until('a frame or the end', () => this.#frames.length > 0 || this.ended !== undefined);
    return this.#frames.shift();
  }

  /** Frames that arrived and were not taken. */
  get waiting(): number {
    return this.#frames.length;
  }

  /** Reads nothing from now on: the buffers of the system fill. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#socket.resume();
  }

  /** Goes away. */
  close(): void {
    this.#socket.destroy();
  }

  /** Sends something on the connection of the stream. */
  send(text: string): void {
    this.#socket.write(text);
  }

  /** The heads of the answers before the stream, on the same connection. */
  get heads(): readonly string[] {
    return this.#heads;
  }

  #take(bytes: Buffer): void {
    if (this.#body) {
      this.#read(bytes);
      return;
    }
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#bytes.toString('latin1', 0, end);
      const [first = '', ...lines] = head.split('\r\n');
      const headers = headersOf(lines.flatMap((line) => /^([^:]+): ?(.*)$/.exec(line)?.slice(1) ?? []));
      const body = new BodyDecoder(headers);
      if (this.#heads.length === this.#answersBefore) {
        this.status = Number(/^HTTP\/1\.[01] ([0-9]{3})/.exec(first)?.[1]);
        this.headers = headers;
        this.#body = body;
        this.#read(this.#bytes.subarray(end + 4));
        return;
      }
      const { rest } = body.feed(this.#bytes.subarray(end + 4));
      if (!body.isDone) return;
      this.#heads.push(head);
      this.#bytes = rest;
    }
  }

  #read(bytes: Buffer): void {
    const body = this.#body as BodyDecoder;
    const { body: octets, rest } = body.feed(bytes);
    if (rest.length > 0) throw new Error(`behind the end of the body: ${rest.toString('latin1')}`);
    const text = this.#text.write(octets);
    this.body += text;
    // Large streams are not kept whole.
    if (this.body.length > 1 << 20) this.body = '';
    this.#rest += text;
    let at = 0;
    for (;;) {
      const end = this.#rest.indexOf('\n\n', at);
      if (end < 0) break;
      this.#frames.push(frameOf(this.#rest.slice(at, end + 2)));
      at = end + 2;
    }
    this.#rest = this.#rest.slice(at);
    if (body.isDone) {
      this.ended ??= 'whole';
      this.#socket.end();
    }
    if (this.ended && this.#rest !== '') throw new Error(`an unfinished frame: ${this.#rest}`);
    this.#wake();
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failure = error as Error;
      this.#socket.destroy();
      this.#wake();
    }
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    const wait = async () => {
      while (!this.#failure && !condition()) {
        await new Promise<void>((wake) => {
          this.#waiting = wake;
        });
      }
      if (this.#failure) throw this.#failure;
    };
    await bounded(what, wait());
  }
}

/** Reads the lines of a frame; a line that a hub must not send fails. */
function frameOf(raw: string): Frame {
  let [id, event, retry]: [string | undefined, string | undefined, number | undefined] = [
    undefined,
    undefined,
    undefined,
  ];
  const data: string[] = [];
  for (const line of raw.slice(0, -2).split('\n')) {
    const [, name, value = ''] = /^(id|event|data|retry): (.*)$/s.exec(line) ?? [];
    if (name === 'id' && id === undefined) id = value;
    else if (name === 'event' && event === undefined) event = value;
    else if (name === 'retry' && retry === undefined && /^(0|[1-9][0-9]*)$/.test(value)) retry = Number(value);
    else if (name === 'data') data.push(value);
    else throw new Error(`a line that no hub sends: ${JSON.stringify(line)}`);
  }
  if (event === undefined) throw new Error(`a frame without an event: ${JSON.stringify(raw)}`);
  return { id, event, data: data.join('\n'), retry, raw };
}
