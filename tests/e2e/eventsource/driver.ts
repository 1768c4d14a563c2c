// A browser that is driven by W3C WebDriver.
import { type ChildProcess, spawn } from 'node:child_process';
import { freePort } from '../server';

/** A browser that Playwright does not drive, by the words of W3C WebDriver. */
export class Driver {
  readonly #url: string;
  readonly #child: ChildProcess;
  #session = '';

  private constructor(port: number, command: readonly string[]) {
    const [program = '', ...args] = command;
    this.#url = `http://127.0.0.1:${port}`;
    this.#child = spawn(program, [...args, `--port=${port}`], { stdio: 'ignore', detached: true });
  }

  /** Starts the driver, which is this command, and by it a browser. */
  static async start(command: readonly string[], capabilities: object): Promise<Driver> {
    const driver = new Driver(await freePort(), command);
    try {
      await driver.#ready();
      const made = await driver.#ask('POST', '', { capabilities: { alwaysMatch: capabilities } });
      driver.#session = `/${(made as { sessionId: string }).sessionId}`;
      await driver.#ask('POST', '/timeouts', { script: 150_000 });
    } catch (error) {
      await driver.end();
      throw error;
    }
    return driver;
  }

  async open(url: string): Promise<void> {
    await this.#ask('POST', '/url', { url });
  }

  /** Runs the body of a function, whose last argument is called with the answer. */
  run<T>(script: string, ...args: unknown[]): Promise<T> {
    return this.#ask('POST', '/execute/async', { script, args }) as Promise<T>;
  }

  async end(): Promise<void> {
    if (this.#session) await this.#ask('DELETE', '').catch(() => {});
    const { pid, exitCode } = this.#child;
    // It may run inside another program, such as xvfb-run, which ends with it.
    if (pid && exitCode === null) process.kill(-pid);
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${this.#url}/session${this.#session}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const { value } = (await answer.json()) as { value: { error?: string; message?: string } | null };
    if (!answer.ok) throw new Error(`${path}: ${value?.error}: ${value?.message}`);
    return value;
  }

  async #ready(): Promise<void> {
    for (let left = 100; ; left--) {
      const ready = await fetch(`${this.#url}/status`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ready) return;
      if (left === 0 || this.#child.exitCode !== null) throw new Error('the driver does not answer');
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}
