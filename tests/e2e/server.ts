// The real servers of the browser tests, as processes.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? `${root}target`;
const exe = process.platform === 'win32' ? '.exe' : '';
const publishKey = 'e2e-publish-key';

/** The page as it was built. */
export const pages = `${root}examples/dashboard/dist`;
/** The npm package as it was built. */
export const pkg = `${root}pkg`;

/** One of our programs, running. What it prints is kept. */
export class Program {
  readonly #lines: string[] = [];
  readonly #file: string;
  readonly #args: string[];
  #child: ChildProcess | undefined;

  constructor(name: string, args: string[]) {
    this.#file = `${target}/debug/${name}${exe}`;
    this.#args = args;
  }

  /** Its last lines. */
  get log(): string {
    return this.#lines.slice(-60).join('\n');
  }

  /** Starts it and answers the address that it prints when it is ready. */
  async start(): Promise<string> {
    if (!existsSync(this.#file))
      throw new Error(`${this.#file} is missing: cargo build -p tinysse-reference -p progress-api`);
    const child = spawn(this.#file, this.#args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const leave = () => child.kill('SIGKILL');
    process.once('exit', leave);
    child.once('exit', () => process.off('exit', leave));
    return new Promise((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          this.#lines.push(line);
          const url = /^listening on (http:\S+)/.exec(line)?.[1];
          if (url) resolve(url);
        });
      }
      child.once('error', reject);
      child.once('close', (code, signal) => reject(new Error(`ended (${signal ?? code}):\n${this.log}`)));
    });
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
    this.#lines.push('-- killed --');
  }
}

export interface Item {
  readonly type: string;
  readonly data?: unknown;
  readonly to?: string | readonly string[];
}

export interface Project {
  readonly id: string;
  readonly name: string;
}

/** The server of the repository, with the page. */
export class Server {
  readonly url: string;
  readonly #program: Program;
  readonly #cookies = new Map<string, string>();

  private constructor(url: string, program: Program) {
    this.url = url;
    this.#program = program;
  }

  /**
   * Its port is known before it starts, since the page's origin is one of its flags, and a restart
   * must find it again.
   */
  static async start(flags: readonly string[]): Promise<Server> {
    for (let tries = 1; ; tries++) {
      const port = await freePort();
      const origin = `http://127.0.0.1:${port}`;
      const program = new Program('reference-server', [
        'serve',
        '--dev',
        '--memory',
        ...['--listen', `127.0.0.1:${port}`, '--cors-origin', origin],
        ...['--publish-key', publishKey, '--pages', pages, ...flags],
      ]);
      try {
        return new Server(await program.start(), program);
      } catch (error) {
        // Another process took the port in between.
        if (tries === 3 || !program.log.includes('in use')) throw error;
      }
    }
  }

  get log(): string {
    return this.#program.log;
  }

  /** `kill -9`. */
  kill(): Promise<void> {
    return this.#program.kill();
  }

  /** A new process at the same address; it remembers nothing. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#program.start();
  }

  /** What a service does: publishes, and answers the ids. */
  async publish(items: Item | readonly Item[]): Promise<string[]> {
    const { ids } = await this.#ask<{ ids: string[] }>('POST', '/publish', items, bearer);
    return ids;
  }

  /** Takes a user's rights away. */
  async revoke(user: string): Promise<void> {
    await this.#ask('POST', '/revoke', { user }, bearer);
  }

  /** What a user's page gets from the token endpoint. */
  token(user: string): Promise<{ token: string; expires_in: number }> {
    return this.#askAs(user, 'POST', '/auth/sse-token');
  }

  /** The projects as the server has them. */
  async projects(): Promise<Project[]> {
    return (await this.#askAs<{ data: Project[] }>('observer', 'GET', '/api/projects')).data;
  }

  /** A change by a client without a page. */
  async rename(from: string, to: string, user = 'carol'): Promise<void> {
    const project = (await this.projects()).find(({ name }) => name === from);
    if (!project) throw new Error(`no project is called ${from}`);
    await this.#askAs(user, 'PATCH', `/api/projects/${project.id}`, { name: to });
  }

  async #askAs<T>(user: string, method: string, path: string, json?: unknown): Promise<T> {
    const cookie = this.#cookies.get(user) ?? (await this.#logIn(user));
    return this.#ask<T>(method, path, json, { cookie });
  }

  async #logIn(user: string): Promise<string> {
    const response = await this.#send('POST', '/auth/login', { user }, {});
    const cookie = response.headers.getSetCookie().map((line) => line.split(';')[0] ?? '')[0] ?? '';
    this.#cookies.set(user, cookie);
    return cookie;
  }

  async #ask<T>(method: string, path: string, json: unknown, headers: Record<string, string>): Promise<T> {
    return (await this.#send(method, path, json, headers)).json() as Promise<T>;
  }

  async #send(method: string, path: string, json: unknown, headers: Record<string, string>): Promise<Response> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: json === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      body: json === undefined ? null : JSON.stringify(json),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}

const bearer = { authorization: `Bearer ${publishKey}` };

/** Publishes numbered updates without a pause, until it is stopped. */
export class Feed {
  /** Ids of what was published, in order. */
  readonly ids: string[] = [];
  #on = true;
  readonly #done: Promise<void>;

  constructor(server: Server, type: string, everyMs: number) {
    this.#done = this.#run(server, type, everyMs);
  }

  async #run(server: Server, type: string, everyMs: number): Promise<void> {
    while (this.#on) {
      this.ids.push(...(await server.publish({ type, data: { n: this.ids.length } })));
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  /** Answers the ids of all that it published. */
  async stop(): Promise<string[]> {
    this.#on = false;
    await this.#done;
    return this.ids;
  }
}

/** Returns a port of this machine at which nothing listens now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
