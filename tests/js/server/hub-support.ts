// A hub with streams over sinks in memory and a clock that the test turns.
import { type HubError, isHubError } from '../../../js/server/errors.js';
import { HubInstance, type HubSettings, type StreamAsk } from '../../../js/server/hub/instance.js';
import type { Timers } from '../../../js/server/hub/scheduler.js';
import type { Sink, SinkEvents } from '../../../js/server/hub/sink.js';
import { Streams } from '../../../js/server/hub/streams.js';

export const settings: HubSettings = {
  maxCount: 1_000,
  maxAge: 3_600_000,
  maxBytes: 1 << 20,
  heartbeat: 15_000,
  retry: 2_500,
  linger: 5_000,
  spread: 0,
  slowLag: 100,
  slowRules: [],
  windows: [],
  maxStreamAge: 0,
  stallTimeout: 30_000,
  external: false,
};

/** A clock that the test turns. */
export class FakeTimers implements Timers {
  #now = 1_000;
  #soon: (() => void)[] = [];
  #later: { at: number; work: () => void }[] = [];
  /** How long work takes that asks for the time. */
  cost = 0;

  now(): number {
    this.#now += this.cost;
    return this.#now;
  }

  soon(work: () => void): void {
    this.#soon.push(work);
  }

  later(work: () => void, ms: number): () => void {
    const entry = { at: this.#now + ms, work };
    this.#later.push(entry);
    return () => {
      this.#later = this.#later.filter((other) => other !== entry);
    };
  }

  /** The number of timers. */
  get waiting(): number {
    return this.#later.length;
  }

  /** When the next timer fires, from now on. */
  get next(): number {
    return Math.min(...this.#later.map(({ at }) => at)) - this.#now;
  }

  /** Does what is to be done at once, until there is nothing more. */
  settle(): void {
    for (let work = this.#soon.shift(); work; work = this.#soon.shift()) work();
  }

  /** Lets time pass. */
  advance(ms: number): void {
    const end = this.#now + ms;
    this.settle();
    for (;;) {
      const [next] = this.#later.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#later = this.#later.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.work();
      this.settle();
    }
    this.#now = Math.max(this.#now, end);
  }
}

/** Keeps what it is given. */
export class FakeSink implements Sink {
  text = '';
  /** Whether the connection takes more. */
  open = true;
  state: 'open' | 'ended' | 'cut' = 'open';
  writes = 0;
  #events: SinkEvents | undefined;

  attach(events: SinkEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array): boolean {
    this.text += new TextDecoder().decode(bytes);
    this.writes += 1;
    return this.open;
  }

  end(): void {
    this.state = 'ended';
  }

  cut(): void {
    this.state = 'cut';
  }

  /** The connection takes bytes again. */
  drain(): void {
    this.open = true;
    this.#events?.drained();
  }

  /** The client goes away. */
  leave(): void {
    this.#events?.closed();
  }

  /** The types of the frames so far. */
  get types(): string[] {
    return [...this.text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type as string);
  }
}

export function ask(user: string, more: Partial<StreamAsk> = {}): StreamAsk {
  const rights = { user, role: '', channels: [] };
  const unset = { types: undefined, cursor: undefined, folded: false, chunked: false, ends: 0 };
  return { name: `c-${user}`, rights, ...unset, ...more };
}

let epoch = 0;

/** Streams over a hub of their own. */
export function streamsOf(more: Partial<HubSettings> = {}, create = (of: HubSettings) => hubOf(of)) {
  const timers = new FakeTimers();
  const errors: HubError[] = [];
  const flushed: string[] = [];
  const seen = { changed: 0, renewed: 0 };
  const streams = new Streams({
    timers,
    create: () => create({ ...settings, ...more }),
    flushed: (updates) => flushed.push(...updates.map(({ type, id }) => `${type} ${id?.split('.')[1]}`)),
    onError: (error) => errors.push(error),
    changed: () => {
      seen.changed += 1;
    },
    renewed: () => {
      seen.renewed += 1;
    },
  });
  const open = (user: string, more: Partial<StreamAsk> = {}) => {
    const sink = new FakeSink();
    streams.open(ask(user, more), sink, user);
    return sink;
  };
  const publish = (type: string, fields: { data?: string; to?: string[]; key?: string } = {}) =>
    streams.call((hub) => hub.publish(streams.now(), { type, at: 0, ...fields }));
  return { streams, timers, errors, flushed, seen, open, publish };
}

export function hubOf(of: HubSettings): HubInstance {
  epoch += 1;
  return new HubInstance(of, [0, epoch], [0, 7]);
}

/** What a call throws, as its code. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return isHubError(error) ? error.code : String(error);
  }
  return 'nothing';
}
