// The tRPC example as its own processes, and pages that count the requests of each procedure.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from '@playwright/test';

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
/** As `scripts/lib/trpc.mjs` builds them. */
const servers = at('target/trpc');
const pages = at('examples/trpc/dist');
const SECRET = 'a secret of the example that is long enough';

async function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}

/** Starts a server of the example. */
async function start(name: string, env: Record<string, string>): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [`${servers}/${name}.mjs`], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((done, fail) => {
    child.once('exit', (code) => fail(new Error(`${name} ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, found] = /listening on (http:\S+)/.exec(line) ?? [];
      if (found) done(found);
    });
  });
  return { child, url };
}

/** The application: its server, and the API that it polls. */
export class App {
  #server: ChildProcess | undefined;
  #api: ChildProcess | undefined;
  #port = 0;
  #env: Record<string, string> = {};
  api = '';
  url = '';

  async start(env: Record<string, string> = {}): Promise<this> {
    const api = await start('progress-api', { PORT: '0', STEP: '100000' });
    this.#port = await freePort();
    this.api = api.url;
    this.#api = api.child;
    const own = { PORT: String(this.#port), PROGRESS_API: api.url, PAGES: pages, TINYSSE_SECRET: SECRET };
    this.#env = { ...own, IMAGE_BUILD: '300', ...env };
    await this.restart();
    return this;
  }

  /** Ends the server, without a word, and starts it anew on the same port. */
  async restart(): Promise<void> {
    const old = this.#server;
    if (old) {
      const gone = new Promise((done) => old.once('exit', done));
      old.kill('SIGKILL');
      await gone;
    }
    const { child, url } = await start('main', this.#env);
    this.#server = child;
    this.url = url;
  }

  stop(): void {
    this.#server?.kill('SIGKILL');
    this.#api?.kill('SIGKILL');
  }
}

/** A page of a user. */
export class Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Requests so far, by procedure. */
  readonly #counts = new Map<string, number>();
  streams = 0;

  private constructor(page: Page, context: BrowserContext) {
    this.page = page;
    this.context = context;
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (pathname === '/events') this.streams += 1;
      const [, procedure] = /^\/trpc\/([\w.]+)$/.exec(pathname) ?? [];
      if (procedure) this.#counts.set(procedure, this.count(procedure) + 1);
    });
  }

  static async open(browser: Browser, app: App, user: string): Promise<Tab> {
    const context = await browser.newContext();
    const tab = new Tab(await context.newPage(), context);
    await tab.page.goto(app.url);
    await tab.logIn(user);
    return tab;
  }

  /** Another page of the same user. */
  async beside(app: App): Promise<Tab> {
    const tab = new Tab(await this.context.newPage(), this.context);
    await tab.page.goto(app.url);
    await tab.live();
    return tab;
  }

  async logIn(user: string): Promise<void> {
    await this.page.getByTestId(`as-${user}`).click();
    await this.live();
  }

  async live(): Promise<void> {
    await this.page.locator('[data-testid=status][data-status=open]').waitFor();
    // The first stream asks for a fetch of everything, since nothing is known of what was before it.
    await this.page.waitForFunction(() => document.querySelectorAll('[data-type=resync]').length > 0);
    await this.settled();
  }

  /** Waits until no request was made for as long as the client keeps between two of a query. */
  async settled(): Promise<void> {
    let before = -1;
    for (let now = this.total; now !== before; now = this.total) {
      before = now;
      await this.page.waitForTimeout(400);
    }
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  count(procedure: string): number {
    return this.#counts.get(procedure) ?? 0;
  }

  /** The queries that were fetched since `before`, each with how often. */
  since(before: ReadonlyMap<string, number>): Record<string, number> {
    const queries = ['projects.getAll', 'compute.getAll', 'images.getAll', 'gardener.getAll', 'progress.get'];
    const all = [...queries, 'authentication.online'];
    const rows = all.map((name) => [name, this.count(name) - (before.get(name) ?? 0)] as const);
    return Object.fromEntries(rows.filter(([, count]) => count > 0));
  }

  snapshot(): ReadonlyMap<string, number> {
    return new Map(this.#counts);
  }

  panel(name: string) {
    return this.page.getByTestId(name);
  }

  names(panel: string) {
    return this.panel(panel).getByTestId('name');
  }

  async add(panel: string, name: string): Promise<void> {
    await this.panel(panel).getByRole('textbox').fill(name);
    await this.panel(panel).getByTestId('add').click();
  }
}
