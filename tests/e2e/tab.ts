// A visited page: its snapshot, its requests, its console.
import { expect, type Locator, type Page, type Request } from '@playwright/test';

/** What the tests look at in a snapshot of the client. */
export interface Snapshot {
  readonly status: string;
  readonly error: { code: string; message: string; status?: number | undefined; retryable: boolean } | null;
  readonly clientId: string | null;
  readonly lastEventId: string;
  readonly attempt: number;
  readonly connects: number;
  readonly events: number;
  readonly duplicates: number;
  readonly resyncs: number;
}

/** An update as the page's client delivered it. */
export interface Received {
  readonly type: string;
  readonly id: string;
  readonly n: number;
  readonly replayed: boolean;
}

/** The page's own handle, `window.__tinysse`, as far as it is used here. */
interface Handle {
  getSnapshot(): Snapshot;
  subscribe(type: string, fn: (update: { type: string; id: string; data: unknown; replayed: boolean }) => void): void;
  pause(): void;
  resume(): void;
}

declare global {
  interface Window {
    __tinysse: Handle;
    __heard: Received[];
  }
}

/** The live page in a tab, and what it asked of the server. */
export class Tab {
  readonly page: Page;
  readonly user: string;
  /** What nobody caught, in the page. */
  readonly errors: string[] = [];
  readonly #console: string[] = [];
  readonly #requests: { method: string; path: string }[] = [];

  constructor(page: Page, user: string) {
    this.page = page;
    this.user = user;
    page.on('request', (request) => this.#note(request));
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => this.#console.push(`${message.type()}: ${message.text()}`));
  }

  get log(): string {
    return [
      ...this.#console.slice(-20),
      ...this.errors,
      ...this.#requests.map((r) => `${r.method} ${r.path}`).slice(-40),
    ]
      .map((line) => `  ${line}`)
      .join('\n');
  }

  /** Requests so far, without the browser's own retries of a stream: those only the proxy sees. */
  count(method: string, path: string): number {
    return this.#requests.filter((request) => request.method === method && request.path === path).length;
  }

  #note(request: Request): void {
    this.#requests.push({ method: request.method(), path: new URL(request.url()).pathname });
  }

  get pill(): Locator {
    return this.page.getByTestId('status');
  }

  get banner(): Locator {
    return this.page.getByTestId('failed');
  }

  async shows(status: string, timeout = 15_000): Promise<void> {
    await expect(this.pill).toHaveAttribute('data-status', status, { timeout });
  }

  /** Open, and everything on it fetched: what happens next is what the test does. */
  async settled(): Promise<void> {
    await this.shows('open');
    await expect(this.page.getByTestId('project-row').first()).toBeVisible();
    await this.page.waitForLoadState('load');
    await this.quiet('GET', '/api/projects', 300);
  }

  /** Waits until no such request was made for so long. */
  async quiet(method: string, path: string, ms: number): Promise<void> {
    for (let before = -1; before !== this.count(method, path); ) {
      before = this.count(method, path);
      await this.page.waitForTimeout(ms);
    }
  }

  get names(): Locator {
    return this.page.getByTestId('project-name-text');
  }

  async rename(from: string, to: string): Promise<void> {
    await this.page.getByTestId('rename').filter({ hasText: from }).click();
    await this.page.getByTestId('rename-input').fill(to);
    await this.page.getByTestId('rename-input').press('Enter');
  }

  /** Rows of the event log: `{ kind: 'resync', gap: 'epoch' }`. */
  rows(having: Record<string, string>): Locator {
    const attributes = Object.entries(having).map(([name, value]) => `[data-${name}="${value}"]`);
    return this.page.locator(`[data-testid="log-row"]${attributes.join('')}`);
  }

  press(button: 'storm' | 'cut' | 'expire' | 'pause' | 'reconnect'): Promise<void> {
    return this.page.getByTestId(`btn-${button}`).click();
  }

  snapshot(): Promise<Snapshot> {
    return this.page.evaluate(() => {
      const { error, ...rest } = window.__tinysse.getSnapshot();
      // An Error travels as its message alone.
      const told = error && {
        code: error.code,
        message: error.message,
        status: error.status,
        retryable: error.retryable,
      };
      return { ...rest, error: told };
    });
  }

  /** Writes down every update of this type from now on. */
  async hear(type: string): Promise<void> {
    await this.page.evaluate((type) => {
      window.__heard = [];
      window.__tinysse.subscribe(type, ({ type, id, data, replayed }) => {
        window.__heard.push({ type, id, n: (data as { n: number }).n, replayed });
      });
    }, type);
  }

  heard(): Promise<Received[]> {
    return this.page.evaluate(() => window.__heard);
  }

  /** Waits until something more was received. */
  async hearsMore(): Promise<void> {
    const before = await this.page.evaluate(() => window.__heard.length);
    await this.page.waitForFunction((before) => window.__heard.length > before, before, {
      timeout: 20_000,
      polling: 10,
    });
  }

  /** Waits for the update of this id. */
  async hearsId(id: string | undefined, timeout = 30_000): Promise<void> {
    const last = (id?: string) => window.__heard.at(-1)?.id === id;
    await this.page.waitForFunction(last, id, { timeout, polling: 20 });
  }
}
