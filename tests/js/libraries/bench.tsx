// The screen on which the behaviour table mounts its components.
import { StrictMode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { vi } from 'vitest';
import { SSEProvider } from '../../../js/react/index.js';
import { HandClient } from '../support/client.js';
import type { App, Library } from './library.js';

/** What is mounted: how many components, of which query, switched on or off. */
interface Screen {
  rows: number;
  name: string;
  on: boolean;
}

/**
 * A page with one library in it, in virtual time (see `clock.ts`): React renders as it does in a
 * browser, not in `act`.
 */
export class Bench {
  readonly sse = new HandClient();
  requests = 0;
  version = 1;
  /** How long the server takes, in milliseconds. It answers what it had when the request came. */
  delay = 20;
  readonly app: App;
  readonly #element = document.body.appendChild(document.createElement('div'));
  readonly #root: Root;
  #screen: Screen = { rows: 0, name: 'a', on: true };

  constructor(library: Library) {
    this.app = library.app(this.#load);
    this.#root = createRoot(this.#element);
  }

  get shown(): string[] {
    // Suspense hides what it shows no longer.
    const visible = [...this.#element.querySelectorAll('p')].filter(({ style }) => style.display !== 'none');
    return visible.map((element) => element.textContent ?? '');
  }

  /** Lets milliseconds pass, and what is to be rendered be rendered. */
  async pass(ms: number): Promise<void> {
    let over = false;
    setTimeout(() => {
      over = true;
    }, ms);
    await rendered();
    while (!over) {
      await vi.advanceTimersToNextTimerAsync();
      await rendered();
    }
  }

  async show(change: Partial<Screen>): Promise<void> {
    const { Provider, Row, queryClient } = this.app;
    const { rows, name, on } = Object.assign(this.#screen, change);
    this.#root.render(
      <StrictMode>
        <Provider>
          <SSEProvider client={this.sse} queryClient={queryClient}>
            {Array.from({ length: rows }, (_, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the rows are alike.
              <Row key={i} name={name} on={on} />
            ))}
          </SSEProvider>
        </Provider>
      </StrictMode>,
    );
    await this.pass(1);
  }

  /** Something changes on the server, which publishes it. */
  change(): void {
    this.version += 1;
    this.sse.update('projects');
  }

  /** The requests made during `act` and two seconds after it. */
  async count(act: () => unknown): Promise<number> {
    const before = this.requests;
    await act();
    await this.pass(2000);
    return this.requests - before;
  }

  async end(): Promise<void> {
    this.#root.unmount();
    await this.pass(1);
    this.app.end?.();
    this.#element.remove();
    vi.clearAllTimers();
  }

  #load = async (_name: string): Promise<{ version: number }> => {
    this.requests += 1;
    const { version } = this;
    await new Promise((done) => setTimeout(done, this.delay));
    return { version };
  };
}

/** React's scheduler runs in immediates, which are real: rendering takes no virtual time. */
async function rendered(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((done) => setImmediate(done));
}
