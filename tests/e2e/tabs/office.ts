// The site whose tabs share a connection.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { pkg, type Server } from '../server';

const types: Record<string, string> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

/**
 * The smallest app there is, on the package as it is published; what it receives is in `window`.
 */
const script = `
import { createClient } from '/pkg/index.js';
const query = new URLSearchParams(location.search);
const user = query.get('user');
window.heard = [];
window.resyncs = [];
window.asks = 0;
const sse = createClient({
  url: query.get('events'),
  transport: query.get('transport') ?? 'eventsource',
  share: query.get('share') ?? 'auto',
  token: async ({ signal }) => {
    window.asks += 1;
    const response = await fetch('/token?user=' + encodeURIComponent(user), { signal });
    if (!response.ok) throw Object.assign(new Error('no token'), { status: response.status });
    return response.json();
  },
});
window.sse = sse;
sse.subscribe('tick', ({ id, data }) => window.heard.push({ id, n: data.n, at: Date.now() }));
sse.onResync(({ gap }) => window.resyncs.push(gap));
sse.acquire();
`;

export interface Received {
  readonly id: string;
  readonly n: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface Desk {
  readonly heard: Received[];
  readonly resyncs: string[];
  readonly asks: number;
  readonly sse: {
    getSnapshot(): { status: string; role: string; lastEventId: string; error: unknown };
    reconnect(): void;
  };
}

declare global {
  interface Window extends Desk {}
}

/** A page that reports whether its process died. */
export type Watched = Page & { dead?: boolean };

/** A site whose pages share a connection; its tokens are those of a server's users. */
export class Office {
  readonly #http: HttpServer;
  readonly #server: () => Server;
  /** The header `Content-Security-Policy` of pages that are opened with `?policy`. */
  readonly policy = "script-src 'self'";

  private constructor(server: () => Server) {
    this.#server = server;
    this.#http = createServer(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://office');
      if (pathname === '/token') {
        const token = await this.#server()
          .token(searchParams.get('user') ?? '')
          .catch(() => undefined);
        response.statusCode = token ? 200 : 401; // revoked
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(token));
        return;
      }
      if (pathname === '/late') {
        setTimeout(() => response.end(), Number(searchParams.get('ms')));
        return;
      }
      const file = pathname.startsWith('/pkg/') && !pathname.includes('..') ? join(pkg, pathname.slice(5)) : null;
      const page =
        '<!doctype html><meta charset="utf-8"><title>tab</title><script type="module" src="/main.js"></script>';
      const made: Record<string, string> = { '/': page, '/main.js': script, '/elsewhere': '<!doctype html>elsewhere' };
      const body = made[pathname] ?? (file && (await readFile(file).catch(() => null)));
      response.statusCode = body ? 200 : 404;
      response.setHeader(
        'content-type',
        file || pathname === '/main.js' ? (types[extname(pathname)] ?? '') : 'text/html',
      );
      if (searchParams.has('policy')) response.setHeader('content-security-policy', this.policy);
      response.end(body);
    });
  }

  /** `server` may be named later: its CORS list names this site. */
  static async start(server: () => Server): Promise<Office> {
    const office = new Office(server);
    office.#http.listen(0, '127.0.0.1');
    await once(office.#http, 'listening');
    return office;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** A new tab, as soon as it is open. */
  async tab(context: BrowserContext, events: string, query: Record<string, string> = {}): Promise<Watched> {
    const page: Watched = await context.newPage();
    page.once('crash', () => {
      page.dead = true;
    });
    await page.goto(`${this.url}/?${new URLSearchParams({ events, user: 'ada', ...query })}`);
    return page;
  }

  end(): void {
    this.#http.closeAllConnections();
    this.#http.close();
  }
}

export const status = (page: Page) => page.evaluate(() => window.sse.getSnapshot().status);
export const role = (page: Page) => page.evaluate(() => window.sse.getSnapshot().role);
export const heard = (page: Page) => page.evaluate(() => window.heard);

/** Waits until the tab is open and shows which role it has. */
export async function settled(page: Page, as?: string): Promise<void> {
  await page.waitForFunction(
    (as) => {
      const now = window.sse?.getSnapshot();
      return now?.status === 'open' && now.lastEventId !== '' && (!as || now.role === as);
    },
    as,
    { polling: 20, timeout: 20_000 },
  );
}

/** Waits until the tab has received the update of this id. */
export async function hears(page: Page, id: string | undefined): Promise<void> {
  const received = (id: string | undefined) => window.heard.at(-1)?.id === id;
  await page.waitForFunction(received, id, { polling: 20, timeout: 30_000 }).catch(async (error: Error) => {
    const state = await page
      .evaluate(() => ({ ...window.sse.getSnapshot(), last: window.heard.at(-1), received: window.heard.length }))
      .catch(String);
    throw new Error(`no ${id}; the tab shows ${JSON.stringify(state)}`, { cause: error });
  });
}
