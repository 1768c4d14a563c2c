// A site with the published package, without a bundler.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { pkg } from './server';

const types: Record<string, string> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

const html = '<!doctype html><meta charset="utf-8"><title>policy</title><script type="module" src="/main.js"></script>';

/** The smallest app there is: it imports the package as it is published, without a bundler. */
const script = `
import { createClient } from '/pkg/index.js';
const url = new URLSearchParams(location.search).get('events');
window.__tinysse = createClient({ url });
window.__tinysse.acquire();
`;

/**
 * A site with a content security policy: the package, and a page that uses it on the URL in
 * `?events=`.
 */
export class Site {
  readonly #server: Server;
  /** The header `Content-Security-Policy` of the page. */
  policy = '';

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://site');
      if (pathname === '/') {
        response.setHeader('content-type', 'text/html');
        if (this.policy) response.setHeader('content-security-policy', this.policy);
        response.end(html);
        return;
      }
      const file = pathname.startsWith('/pkg/') && !pathname.includes('..') ? join(pkg, pathname.slice(5)) : null;
      const body = pathname === '/main.js' ? script : file && (await readFile(file).catch(() => null));
      response.statusCode = body ? 200 : 404;
      response.setHeader('content-type', types[extname(pathname)] ?? 'text/plain');
      response.end(body);
    });
  }

  static async start(): Promise<Site> {
    const site = new Site();
    site.#server.listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  end(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
