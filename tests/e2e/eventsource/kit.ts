// What the cases are written with. It runs in windows and in workers, against any class of the
// name.
import type { EventSource as Ours } from '../../../js/eventsource/index';

/** The server's answer to one request. */
export interface Answer {
  status?: number;
  headers?: Record<string, string | string[]>;
  body?: string;
  /** The body is bytes, a character each. */
  raw?: boolean;
  /** How many times the body is sent. */
  repeat?: number;
  /** How many bytes of `x` follow the body. */
  fill?: number;
  /** The size of chunks in bytes. */
  piece?: number;
  /** Written later, one by one. */
  more?: string[];
  /** Milliseconds before the answer. */
  wait?: number;
  /** The stream stays open. */
  end?: false;
  /** No answer: the connection is cut. */
  destroy?: true;
  cors?: false;
}

/** What the server saw. Times are milliseconds. */
export interface Request {
  headers: Record<string, string | string[] | undefined>;
  method: string;
  at: number;
  closed?: number;
}

export interface Place {
  /** The origin that the cases run in, and another one. */
  origin: string;
  other: string;
  /** Where they run. */
  context: string;
  /** The browser's own class instead of that of tinysse. */
  native: boolean;
}

export const equal = (got: unknown, wanted: unknown, what = 'got'): void => {
  const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what}: ${left?.slice(0, 300)}, wanted ${right?.slice(0, 300)}`);
};

export const ok = (holds: unknown, what: string): void => {
  if (!holds) throw new Error(what);
};

/** The error that `work` throws. */
export function thrown(work: () => unknown): { name?: string } {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Until it holds. */
export async function until(holds: () => unknown): Promise<void> {
  for (let left = 500; left > 0; left--) {
    if (await holds()) return;
    await pause(20);
  }
  throw new Error(`never: ${holds}`);
}

let made = 0;

/** The world of one case. */
export class Kit {
  readonly #open: Ours[] = [];

  constructor(
    readonly place: Place,
    readonly Source: typeof Ours,
  ) {}

  /** The URL of a stream that answers so. */
  url(plan: Answer[], origin = this.place.origin): string {
    made += 1;
    const key = `${this.place.context}${this.place.native ? '-native' : ''}-${made}-${Math.random()}`;
    return `${origin}/stream?${new URLSearchParams({ key, plan: JSON.stringify(plan) })}`;
  }

  open(plan: Answer[], init?: ConstructorParameters<typeof Ours>[1], origin?: string): Ours {
    return this.at(this.url(plan, origin), init);
  }

  at(url: string, init?: ConstructorParameters<typeof Ours>[1]): Ours {
    const source = init ? new this.Source(url, init) : new this.Source(url);
    this.#open.push(source);
    return source;
  }

  async seen(source: { url: string }): Promise<Request[]> {
    return (await fetch(source.url.replace('/stream', '/seen'), { cache: 'no-store' })).json();
  }

  /** Cuts the connection that was answered last. */
  async cut(source: { url: string }): Promise<void> {
    await fetch(source.url.replace('/stream', '/cut'), { cache: 'no-store' });
  }

  /** The next event of this type. */
  next(source: Ours, type: string): Promise<MessageEvent<string>> {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`no ${type}`)), 10_000);
      source.addEventListener(
        type,
        (event: Event) => {
          clearTimeout(timer);
          done(event as MessageEvent<string>);
        },
        { once: true },
      );
    });
  }

  /** The events of a stream of these bytes before it ends: `type|id|data`, of the types named. */
  async said(answer: Answer, types: readonly string[] = ['message']): Promise<string[]> {
    const source = this.open([answer]);
    const said: string[] = [];
    for (const type of types) {
      source.addEventListener(type, (event: Event) => {
        if (event instanceof MessageEvent) said.push(`${event.type}|${event.lastEventId}|${event.data}`);
      });
    }
    await this.next(source, 'error');
    source.close();
    return said;
  }

  end(): void {
    for (const source of this.#open) source.close();
  }
}

export interface Case {
  name: string;
  /** Beyond the standard, or where Chromium's own class does not follow it. */
  ours?: true;
  /** Where it can be run; everywhere by default. */
  only?: string;
  run(kit: Kit): Promise<void> | void;
}
