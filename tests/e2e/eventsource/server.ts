// The server of the cases, which does what the URL asks for.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { extname, join } from 'node:path';
import { build } from 'esbuild';
import { pkg } from '../server';
import type { Answer, Request } from './kit';

const here = import.meta.dirname;
const page = '<!doctype html><meta charset="utf-8"><title>EventSource</title>';

/** An origin that does what the URL asks for, and remembers its requests. */
export class Origin {
  /** Sent with every page. */
  policy = '';
  #script = '';
  readonly #server: Server;
  readonly #live = new Map<string, Socket>();
  readonly #seen = new Map<string, Request[]>();

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response).catch((error) => response.destroy(error));
    });
  }

  static async start(): Promise<Origin> {
    const origin = new Origin();
    const entry = join(here, 'runner.ts');
    const made = await build({ entryPoints: [entry], bundle: true, format: 'iife', target: 'es2022', write: false });
    origin.#script = made.outputFiles[0]?.text ?? '';
    origin.#server.listen(0, '127.0.0.1');
    await once(origin.#server, 'listening');
    return origin;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  end(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** The requests for the stream of this name. */
  seen(key: string): Request[] {
    const list = this.#seen.get(key) ?? [];
    this.#seen.set(key, list);
    return list;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const key = searchParams.get('key') ?? '';
    const file = async (path: string) => readFile(path).catch(() => null);
    const send = (type: string, body: Buffer | string | null) => {
      response.writeHead(body === null ? 404 : 200, { 'content-type': type }).end(body);
    };
    if (pathname === '/stream') {
      await this.#stream(key, JSON.parse(searchParams.get('plan') ?? '[]'), request, response);
    } else if (pathname === '/seen') {
      response.setHeader('access-control-allow-origin', '*');
      send('application/json', JSON.stringify(this.seen(key)));
    } else if (pathname === '/cut') {
      this.#live.get(key)?.destroy();
      send('text/plain', '');
    } else if (pathname === '/runner.js') {
      send('text/javascript', this.#script);
    } else if (pathname === '/worker.js') {
      send('text/javascript', `importScripts(${JSON.stringify(searchParams.getAll('load')).slice(1, -1)});`);
    } else if (pathname.startsWith('/pkg/') && extname(pathname) === '.js') {
      send('text/javascript', await file(join(pkg, pathname.slice('/pkg/'.length))));
    } else {
      if (this.policy) response.setHeader('content-security-policy', this.policy);
      send('text/html', pathname === '/' ? page : null);
    }
  }

  /** Each request of a key gets the next answer of its plan; the last one stays. */
  async #stream(key: string, plan: Answer[], request: IncomingMessage, response: ServerResponse): Promise<void> {
    const cors = {
      'access-control-allow-origin': request.headers.origin ?? '*',
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
    };
    const seen = this.seen(key);
    const answer = plan[Math.min(seen.length, plan.length - 1)] ?? {};
    if (request.method === 'OPTIONS') {
      response.writeHead(204, answer.cors === false ? {} : cors).end();
      return;
    }
    const note: Request = { headers: request.headers, method: request.method ?? '', at: performance.now() };
    seen.push(note);
    response.on('close', () => {
      note.closed = performance.now();
    });
    if (answer.wait) await new Promise((done) => setTimeout(done, answer.wait));
    if (answer.destroy) {
      request.socket.destroy();
      return;
    }
    // A chunked 205 would leave bytes behind that the next answer on the connection begins with.
    const none = answer.status === 205 && { 'content-length': '0' };
    const headers = {
      'content-type': 'text/event-stream',
      ...none,
      ...(answer.cors !== false && cors),
      ...answer.headers,
    };
    const body = Buffer.from(answer.body ?? '', answer.raw ? 'latin1' : 'utf8');
    response.writeHead(answer.status ?? 200, headers);
    response.flushHeaders();
    if (answer.repeat) {
      for (let left = answer.repeat; left > 0; left--) response.write(body);
    } else if (answer.piece) {
      for (let at = 0; at < body.length; at += answer.piece) {
        response.write(body.subarray(at, at + answer.piece));
        await new Promise((done) => setImmediate(done));
      }
    } else if (body.length > 0) {
      response.write(body);
    }
    if (answer.fill) response.write('x'.repeat(answer.fill));
    for (const more of answer.more ?? []) {
      await new Promise((done) => setTimeout(done, 40));
      response.write(more);
    }
    this.#live.set(key, request.socket);
    if (answer.end !== false) response.end();
  }
}
