// A real HTTP server that counts and holds back requests.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A real HTTP server that answers how often it was asked, and lets a test hold answers back. */
export class CountingServer {
  requests = 0;
  /** What the server would show now; a request answers what it was when the request came. */
  version = 1;
  readonly #held: (() => void)[] = [];
  #holding = false;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((_request, response) => {
      this.requests += 1;
      const body = JSON.stringify({ version: this.version });
      const answer = () => response.writeHead(200, { 'content-type': 'application/json' }).end(body);
      if (this.#holding) this.#held.push(answer);
      else answer();
    });
  }

  static async start(): Promise<CountingServer> {
    const server = new CountingServer();
    await new Promise<void>((done) => server.#server.listen(0, '127.0.0.1', done));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Keeps answers back from now on. */
  hold(): void {
    this.#holding = true;
  }

  /** Gives those kept back, and holds no more. */
  release(): void {
    this.#holding = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  async stop(): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
