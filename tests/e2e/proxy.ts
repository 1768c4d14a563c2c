// A TCP proxy that cuts, stalls and refuses connections.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** The head of a request that went through, as far as the tests look at it. */
export interface Passed {
  /** When its head was read, in milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  /** Path and query as the browser sent them. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * How a connection ends before its time: `reset` as a broken network does it, `close` as a dying
 * process does it.
 */
export type Cut = 'reset' | 'close';

interface Pair {
  readonly id: number;
  readonly down: Socket;
  readonly up: Socket;
  head: string;
  /** Whether it carried a request. */
  used: boolean;
  /** What is still to come of a request's body, in bytes. */
  body: number;
  stalled: boolean;
  /** What may still go down before the cut, in bytes. */
  allowance: number;
  cut: Cut;
}

/**
 * A TCP proxy that breaks on demand.
 *
 * ```ts
 * const proxy = await Relay.to('http://127.0.0.1:8080');
 * proxy.cut();         // what is open breaks
 * proxy.cutAfter(99);  // in the middle of a frame
 * proxy.stall();       // what is open falls silent and stays open: a half-open connection
 * proxy.hold(); proxy.admit(); // who comes waits at the door; and is let in
 * await proxy.refuse(); await proxy.pass(); // nothing listens; then it does again
 * ```
 */
export class Relay {
  /** Every request that went through, in order. */
  readonly requests: Passed[] = [];
  readonly counters = { accepted: 0, cut: 0, stalled: 0, bytesUp: 0, bytesDown: 0 };
  readonly #target: URL;
  readonly #pairs = new Set<Pair>();
  /** Who waits at the door. */
  readonly #waiting: Socket[] = [];
  readonly #log: string[] = [];
  readonly #begun = Date.now();
  #server: Server | undefined;
  #held = false;
  #joined = 0;
  #port = 0;

  private constructor(target: URL) {
    this.#target = target;
  }

  static async to(url: string): Promise<Relay> {
    const proxy = new Relay(new URL(url));
    await proxy.pass();
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Connections that wait at the door. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The last lines of what happened. */
  get log(): string {
    return this.#log.slice(-60).join('\n');
  }

  /** Breaks what is open. Answers how many connections that were. */
  cut(how: Cut = 'reset'): number {
    const pairs = [...this.#pairs];
    for (const pair of pairs) this.#break(pair, how);
    return pairs.length;
  }

  /**
   * Lets this many more bytes down each connection that is open, and then breaks it, most likely
   * inside a frame.
   */
  cutAfter(bytes: number, how: Cut = 'reset'): void {
    for (const pair of this.#pairs) {
      pair.allowance = bytes;
      pair.cut = how;
    }
    this.#note(`to be cut after ${bytes} bytes (${how})`);
  }

  /**
   * Passes nothing more over the open connections, in either direction, without closing them. New
   * connections work, and so do those without a request: a browser may open a spare connection and
   * send its next request there.
   */
  stall(): void {
    for (const pair of this.#pairs) {
      if (pair.stalled || !pair.used) continue;
      pair.stalled = true;
      pair.down.pause();
      pair.up.pause();
      this.counters.stalled += 1;
      this.#note(`#${pair.id} stalled`);
    }
  }

  /** New connections wait, until {@link admit}; those that are open go on. */
  hold(): void {
    this.#held = true;
    this.#note('holds');
  }

  /** Lets those in that wait, and everybody after them. */
  admit(): void {
    this.#held = false;
    this.#note('admits');
    for (const down of this.#waiting.splice(0)) this.#join(down);
  }

  /** Nobody listens from now on; what is open is cut. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cut();
    for (const down of this.#waiting.splice(0)) down.resetAndDestroy();
    if (!server) return;
    this.#note('refuses');
    server.close();
    await once(server, 'close');
  }

  /** Listens, on the same port as before. */
  async pass(): Promise<void> {
    if (this.#server) return;
    const server = createServer((down) => this.#accept(down));
    this.#server = server;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#note(`passes ${this.url} -> ${this.#target.origin}`);
  }

  /** For good. */
  async end(): Promise<void> {
    await this.refuse();
  }

  #accept(down: Socket): void {
    this.counters.accepted += 1;
    if (!this.#held) this.#join(down);
    // Nothing is read meanwhile: the request is still there when it is let in.
    else this.#waiting.push(down.on('error', (error) => this.#note(`waiting: ${error.message}`)));
  }

  #join(down: Socket): void {
    if (down.destroyed) return;
    this.#joined += 1;
    const id = this.#joined;
    const up = connect(Number(this.#target.port), this.#target.hostname);
    const pair: Pair = {
      id,
      down,
      up,
      head: '',
      used: false,
      body: 0,
      stalled: false,
      allowance: Number.POSITIVE_INFINITY,
      cut: 'reset',
    };
    this.#pairs.add(pair);
    this.#note(`#${id} begins`);
    for (const socket of [down, up]) {
      socket.setNoDelay(true);
      // A reset by either side is an end like any other here.
      socket.on('error', (error) => this.#note(`#${id} ${error.message}`));
    }
    down.on('data', (chunk) => {
      this.counters.bytesUp += chunk.length;
      this.#read(pair, chunk);
      forward(pair, down, up, chunk);
    });
    up.on('data', (chunk) => this.#down(pair, chunk));
    // `end` is passed on as it comes; once either side is gone, so is the other.
    down.on('end', () => up.end());
    up.on('end', () => down.end());
    for (const [socket, other] of [
      [down, up],
      [up, down],
    ] as const) {
      socket.on('close', () => {
        if (this.#pairs.delete(pair)) this.#note(`#${id} closed by ${socket === down ? 'the client' : 'the server'}`);
        other.destroy();
      });
    }
  }

  #down(pair: Pair, chunk: Buffer): void {
    const fits = Math.min(chunk.length, pair.allowance);
    this.counters.bytesDown += fits;
    pair.allowance -= fits;
    if (pair.allowance > 0) {
      forward(pair, pair.up, pair.down, chunk);
      return;
    }
    pair.up.pause();
    // Only when these bytes are out: a reset would throw them away.
    pair.down.write(chunk.subarray(0, fits), () => this.#break(pair, pair.cut));
  }

  #break(pair: Pair, how: Cut): void {
    if (!this.#pairs.delete(pair)) return;
    this.counters.cut += 1;
    this.#note(`#${pair.id} cut (${how})`);
    pair.up.destroy();
    if (how === 'reset') pair.down.resetAndDestroy();
    else pair.down.destroy();
  }

  /** Reads request heads, and passes over bodies whose length is given. */
  #read(pair: Pair, chunk: Buffer): void {
    pair.head += chunk.toString('latin1');
    for (;;) {
      const passed = Math.min(pair.body, pair.head.length);
      pair.head = pair.head.slice(passed);
      pair.body -= passed;
      const end = pair.head.indexOf('\r\n\r\n');
      if (pair.body > 0 || end < 0) return;
      const request = parse(pair.head.slice(0, end));
      pair.head = pair.head.slice(end + 4);
      pair.body = Number(request.headers.get('content-length') ?? 0);
      this.requests.push(request);
      pair.used = true;
      const cursor = request.headers.get('last-event-id');
      this.#note(`#${pair.id} ${request.method} ${request.path}${cursor ? ` Last-Event-ID: ${cursor}` : ''}`);
    }
  }

  #note(text: string): void {
    this.#log.push(`${String(Date.now() - this.#begun).padStart(7)} ms  ${text}`);
  }
}

/** With back pressure: a slow reader must be slow for the other side too. */
function forward(pair: Pair, from: Socket, to: Socket, chunk: Buffer): void {
  if (to.destroyed || to.write(chunk)) return;
  from.pause();
  to.once('drain', () => {
    if (!pair.stalled) from.resume();
  });
}

function parse(head: string): Passed {
  const [first = '', ...lines] = head.split('\r\n');
  const [method = '', url = ''] = first.split(' ');
  const { pathname, searchParams } = new URL(url, 'http://proxy');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { at: Date.now(), method, url, path: pathname, query: searchParams, headers };
}
