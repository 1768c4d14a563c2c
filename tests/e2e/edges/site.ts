// The site for the tests of edge cases.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join, normalize } from 'node:path';
import type { Page } from '@playwright/test';
import { pkg } from '../server';

const types: Record<string, string> = { '.js': 'text/javascript', '.html': 'text/html' };
const html = '<!doctype html><meta charset="utf-8"><title>edges</title><body>';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers with a stream of one update that stays open. */
export const stream: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write('id: 1\nevent: projects\ndata: {"id":7}\n\n');
};

/** Answers with a status and no body. */
export const refusal =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(status, headers).end();

/** A site with the package as it was built, and a stream that answers as a test sets it. */
export class Site {
  /** What `/events` answers. */
  events: Answer = stream;
  /** The header `Content-Security-Policy` of the page. */
  policy = '';
  /** Asks for user `u` and password `p`. */
  locked = false;
  /** For each path, how many answers are cut. */
  readonly drops = new Map<string, number>();
  /** Paths that are never answered. */
  readonly hangs = new Set<string>();
  /** Further files. */
  readonly files = new Map<string, string>();
  /** The paths that were asked for, with their queries. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on('connection', (socket) => this.#sockets.add(socket));
  }

  static async start(): Promise<Site> {
    const site = new Site();
    site.#server.listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    return site;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The same server under another origin. */
  get other(): string {
    return `http://localhost:${this.port}`;
  }

  asked(path: string): string[] {
    return this.requests.filter((url) => url.split('?')[0] === path);
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = normalize(new URL(request.url ?? '/', this.url).pathname);
    this.requests.push(request.url ?? '');
    const left = this.drops.get(path) ?? 0;
    this.drops.set(path, left - 1);
    if (left > 0) {
      // After the head: what is cut before it, Chromium asks for again by itself.
      response.writeHead(200, { 'content-type': 'text/javascript', 'content-length': '100000' });
      return void response.write('//', () => request.socket.destroy());
    }
    if (this.hangs.has(path)) return;
    if (this.locked && request.headers.authorization !== `Basic ${btoa('u:p')}`) {
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    }
    if (path.startsWith('/events')) return this.events(request, response);
    if (path === '/') {
      if (this.policy) response.setHeader('content-security-policy', this.policy);
      return void response.setHeader('content-type', 'text/html').end(html);
    }
    const kept = this.files.get(path);
    const body = kept ?? (path.startsWith('/pkg/') ? await readFile(join(pkg, path.slice(5))).catch(() => null) : null);
    const ending = path.slice(path.lastIndexOf('.'));
    response.writeHead(body === null ? 404 : 200, { 'content-type': types[ending] ?? 'text/plain' }).end(body);
  }
}

/** What the page's console warned of. Listen before the page is opened. */
export function warnings(page: Page): string[] {
  const said: string[] = [];
  page.on('console', (message) => message.type() === 'warning' && said.push(message.text()));
  return said;
}

/**
 * Makes a client in the page, as `sse`; `options` is JavaScript. Its updates and errors are in
 * `seen`.
 */
export async function connect(page: Page, options: string): Promise<void> {
  await page.evaluate(`(async () => {
    const { createClient } = await import('/pkg/index.js');
    globalThis.seen = [];
    globalThis.sse = createClient(${options});
    sse.subscribe('projects', ({ type, data }) => seen.push([type, data.id]));
    sse.onError(({ code, status, message }) => seen.push([code, status ?? null, message]));
    sse.acquire();
  })()`);
}
