// The site for the tests of users.
import { once } from 'node:events';
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { build } from 'esbuild';
import { pkg, type Server } from '../server';

const here = import.meta.dirname;
const html = (entry: string) =>
  `<!doctype html><meta charset="utf-8"><title>identity</title><body><script type="module" src="/app/${entry}.js"></script>`;

/** The applications, bundled once, on the package as it was built. */
let bundled: Promise<Map<string, Uint8Array>> | undefined;

async function bundle(): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'plain.ts'), join(here, 'react.tsx')],
    outdir: '/app',
    bundle: true,
    // What the client loads later stays a file of its own.
    splitting: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    alias: { tinysse: join(pkg, 'index.js'), 'tinysse/react': join(pkg, 'react/index.js') },
    nodePaths: [join(here, '../../../node_modules')],
    define: { 'process.env.NODE_ENV': '"development"' },
    write: false,
    logLevel: 'error',
  });
  return new Map(outputFiles.map(({ path, contents }) => [path, contents]));
}

/** A site with both applications. It keeps a session at the hub for each tab that asks it to. */
export class Site {
  readonly #http: HttpServer;
  readonly #server: () => Server;
  readonly #files: Map<string, Uint8Array>;
  /** Cookies by tab. */
  readonly #sessions = new Map<string, string>();

  private constructor(server: () => Server, files: Map<string, Uint8Array>) {
    this.#server = server;
    this.#files = files;
    this.#http = createServer((request, response) => {
      void this.#answer(request, response).catch((error) => response.destroy(error));
    });
  }

  /** `server` may be named later: its CORS list names this site. */
  static async start(server: () => Server): Promise<Site> {
    bundled ??= bundle();
    const site = new Site(server, await bundled);
    site.#http.listen(0, '127.0.0.1');
    await once(site.#http, 'listening');
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  end(): void {
    this.#http.closeAllConnections();
    this.#http.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    if (pathname === '/session') return this.#session(searchParams, response);
    const file = this.#files.get(pathname);
    const page = pathname === '/plain' || pathname === '/react' ? html(pathname.slice(1)) : undefined;
    const body = page ?? file;
    const type = extname(pathname) === '.js' ? 'text/javascript' : 'text/html';
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body);
  }

  /** Does at the hub what a tab wants, with the session of that tab. */
  async #session(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const tab = query.get('tab') ?? '';
    const way = { login: '/auth/login', logout: '/auth/logout', token: '/auth/sse-token' }[query.get('do') ?? ''] ?? '';
    const answer = await fetch(`${this.#server().url}${way}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: this.#sessions.get(tab) ?? '' },
      body: JSON.stringify(way === '/auth/login' ? { user: query.get('user') } : {}),
    });
    const [cookie] = answer.headers.getSetCookie();
    if (cookie) this.#sessions.set(tab, cookie.split(';')[0] ?? '');
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  }
}
