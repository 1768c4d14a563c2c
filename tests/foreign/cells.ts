// A page with one client for each cell. Each client has its own server and its own relay.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { findNchan } from '../../scripts/lib/nchan.mjs';
import { Relay } from '../e2e/proxy';
import { pkg } from '../e2e/server';
import { Nginx } from './nginx';
import { type Foreign, type Start, servers } from './servers';

export const transports = ['native', 'fetch'] as const;
export type Transport = (typeof transports)[number];

/** The state of a client in the page. */
interface Look {
  readonly name: string;
  /** Numbers of updates and reasons of gaps, in order; `|` marks the start of the disturbance. */
  readonly log: string;
  readonly status: string;
  readonly bytes: number;
  /** Requests by its own count. */
  readonly connects: number;
}

export interface Cell extends Look {
  readonly server: string;
  readonly transport: Transport;
  readonly foreign: Foreign;
  readonly relay: Relay;
  /** Requests for a stream. */
  readonly requests: number;
}

declare global {
  // Defined by page.js.
  var foreign: {
    open(name: string, url: string, options: object): void;
    all(method: 'pause' | 'resume'): void;
    mark(): void;
    look(): Look[];
  };
  var persisted: boolean | undefined;
}

const types: Record<string, string> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
const page = '<!doctype html><meta charset="utf-8"><title>matrix</title><script type="module" src="/page.js"></script>';

async function site(): Promise<Server> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site');
    const packed = pathname.startsWith('/pkg/') && !pathname.includes('..') && join(pkg, pathname.slice(5));
    const file = pathname === '/page.js' ? new URL('page.js', import.meta.url) : packed;
    const body = file ? await readFile(file).catch(() => undefined) : page;
    const type = file ? (types[extname(pathname)] ?? 'text/plain') : 'text/html';
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

type Part = Pick<Cell, 'name' | 'server' | 'transport' | 'foreign' | 'relay'>;

export class Cells {
  readonly page: Page;
  readonly #parts: Part[] = [];
  readonly #site: Server;
  #nginx: Nginx | undefined;

  private constructor(page: Page, site: Server) {
    this.page = page;
    this.#site = site;
  }

  /** Opens a page without clients, with Playwright's clock. */
  static async open(context: BrowserContext): Promise<Cells> {
    const http = await site();
    const page = await context.newPage();
    await page.clock.install();
    const cells = new Cells(page, http);
    await page.goto(cells.url);
    await page.waitForFunction(() => globalThis.foreign !== undefined);
    return cells;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#site.address() as AddressInfo).port}/`;
  }

  /** Adds a client for every server and transport, and waits until all are open. */
  async addAll(): Promise<void> {
    const module = findNchan();
    if (module) this.#nginx = await Nginx.start(module);
    for (const [server, start] of Object.entries(servers)) {
      if (server === 'nchan' && !this.#nginx)
        console.warn('SKIPPED: the row nchan, because its module is not installed');
      else for (const transport of transports) await this.add(server, transport, start);
    }
    await this.until(({ status }) => status === 'open');
  }

  /** Adds a client with a new server. */
  async add(server: string, transport: Transport, start: Start, options: object = {}): Promise<void> {
    const foreign = await start(this.#nginx);
    const relay = await Relay.to(foreign.origin);
    const name = `${server}, ${transport}`;
    this.#parts.push({ name, server, transport, foreign, relay });
    const all = { transport: transport === 'native' ? 'eventsource' : 'fetch', ...options };
    await this.page.evaluate(([name, url, options]) => globalThis.foreign.open(name, url, options), [
      name,
      `${relay.url}${foreign.path}`,
      all,
    ] as const);
  }

  /** Calls `work` for every cell. */
  async each(work: (part: Part) => Promise<void> | void): Promise<void> {
    await Promise.all(this.#parts.map(work));
  }

  async publish(n: number): Promise<void> {
    await this.each(({ foreign }) => foreign.publish(n));
  }

  async look(): Promise<Cell[]> {
    const looks = new Map((await this.page.evaluate(() => globalThis.foreign.look())).map((one) => [one.name, one]));
    return this.#parts.map((part) => {
      const look = looks.get(part.name);
      if (!look) throw new Error(`the page has no client ${part.name}`);
      const requests = part.relay.requests.filter(({ method }) => method === 'GET').length;
      return { ...part, ...look, requests };
    });
  }

  /**
   * Waits until `good` holds for all cells, for at most `limit` milliseconds of real time.
   *
   * Does not throw: the comparison at the end then shows every cell that differs, not only the
   * first one.
   */
  async until(good: (cell: Cell) => boolean, limit = 20_000): Promise<void> {
    const end = performance.now() + limit;
    while (performance.now() < end) {
      if ((await this.look()).every(good)) return;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  async end(): Promise<void> {
    await this.each(async ({ relay, foreign }) => {
      await relay.end();
      foreign.end();
    });
    this.#site.closeAllConnections();
    this.#site.close();
    await this.#nginx?.end();
  }
}
