// A real HTTP server that speaks tinysse/1.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const epoch = '4f9a2c';

/** A real HTTP server that speaks tinysse/1 to native streams, and counts them. */
export class SseServer {
  /** Streams opened so far. */
  opened = 0;
  /** The requests for streams, in order. */
  readonly urls: URL[] = [];
  /**
   * Speak plain server-sent events, as other servers do: no hello, updates under their own names.
   */
  plain = false;
  /** Tokens that are answered 401. */
  readonly refused = new Set<string | null>();
  #seq = 0;
  /** Each with its token. */
  readonly #streams = new Map<ServerResponse, string | null>();
  readonly #log: { seq: number; frame: string }[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(): Promise<SseServer> {
    const server = new SseServer();
    await new Promise<void>((done) => server.#server.listen(0, '127.0.0.1', done));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/events`;
  }

  /** Streams open now. */
  get open(): number {
    return this.#streams.size;
  }

  /** Sends an update to every stream, and keeps it for those that come back. */
  update(type: string, envelope: object = {}): void {
    this.#seq += 1;
    const name = this.plain ? `event: ${type}` : `event: tinysse.update\ndata: ${type}`;
    const frame = `id: ${epoch}.${this.#seq}\n${name}\ndata: ${JSON.stringify(envelope)}\n\n`;
    this.#log.push({ seq: this.#seq, frame });
    for (const stream of this.#streams.keys()) stream.write(frame);
  }

  /** Sends an update to the streams of one token, and keeps it for nobody. */
  updateFor(token: string, type: string): void {
    this.#seq += 1;
    const frame = `id: ${epoch}.${this.#seq}\nevent: tinysse.update\ndata: ${type}\ndata: {}\n\n`;
    for (const [stream, its] of this.#streams) if (its === token) stream.write(frame);
  }

  /** What was missed cannot be replayed. */
  resync(gap: string): void {
    const frame = `id: ${epoch}.${this.#seq}\nevent: tinysse.resync\ndata: gap=${gap}\n\n`;
    for (const stream of this.#streams.keys()) stream.write(frame);
  }

  /** Cuts every connection. */
  cut(): void {
    for (const stream of this.#streams.keys()) stream.destroy();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    this.urls.push(url);
    // The client asks with `fetch` for the status of a refusal.
    response.setHeader('access-control-allow-origin', '*');
    if (this.refused.has(url.searchParams.get('token'))) {
      response.writeHead(401).end();
      return;
    }
    this.opened += 1;
    this.#streams.set(response, url.searchParams.get('token'));
    response.on('close', () => this.#streams.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    if (this.plain) {
      response.write(': hello\n\n');
      return;
    }
    const header = request.headers['last-event-id'];
    const cursor = (typeof header === 'string' ? header : url.searchParams.get('lastEventId')) ?? '';
    const known = cursor.startsWith(`${epoch}.`);
    const after = known ? Number(cursor.slice(epoch.length + 1)) : this.#seq;
    const hello = `client=c${this.opened}&after=${epoch}.${after}&head=${epoch}.${this.#seq}&beat=15000&gap=${known ? 'none' : 'first'}&retry=10`;
    response.write(`retry: 10\nid: ${epoch}.${after}\nevent: tinysse.hello\ndata: ${hello}\n\n`);
    for (const { seq, frame } of this.#log) if (seq > after) response.write(frame);
  }
}
