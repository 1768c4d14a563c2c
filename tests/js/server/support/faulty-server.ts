// A hub behind a server that fails as servers do: down, busy, or with an answer that gets lost.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createHub, type TinysseHub } from '../../../../js/server/index.js';

export const KEY = 'the-publish-key-of-the-tests';

export type Mode = 'ok' | 'down' | 'lost' | 'error' | 'busy' | 'unauthorized' | 'old';

/** A hub that publishers reach over HTTP. */
export class FaultyServer {
  mode: Mode = 'ok';
  /** The bodies of all requests that reached the server. */
  readonly bodies: string[] = [];
  readonly keys: string[] = [];
  readonly hub: TinysseHub<Record<string, unknown>>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.hub = createHub({ secret: 'a secret of these tests that is long enough', publishKey: KEY });
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<FaultyServer> {
    const server = new FaultyServer();
    await new Promise<void>((done) => server.#server.listen(0, '127.0.0.1', done));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await this.hub.close({ drain: 0 });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.mode === 'down') {
      request.socket.destroy();
      return;
    }
    this.keys.push(String(request.headers['idempotency-key']));
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.once('end', () => {
      const body = Buffer.concat(chunks).toString();
      this.bodies.push(body);
      const refuse = (status: number, code: string, headers = {}) =>
        response.writeHead(status, headers).end(JSON.stringify({ code, detail: 'as the test wishes' }));
      if (this.mode === 'error') refuse(500, 'internal');
      else if (this.mode === 'busy') refuse(429, 'busy', { 'retry-after': '0' });
      else if (this.mode === 'unauthorized') refuse(401, 'unauthenticated');
      else if (this.mode === 'old' && body.includes('"resync"')) refuse(400, 'bad_json');
      else {
        // It is published, and the answer never arrives.
        if (this.mode === 'lost') response.end = () => response.destroy();
        Object.assign(request, { body });
        this.hub.node(request, response);
      }
    });
  }
}
