// The open streams: which sink belongs to which slot of the hub, and the rounds that write to them.
import { HubError } from '../errors.js';
import type { HubInstance, LoggedFields, Rights, StreamAsk } from './instance.js';
import { Scheduler, type Timers } from './scheduler.js';
import type { Sink, SinkEvents } from './sink.js';

/** What the shell does for the streams. */
export interface StreamsOptions {
  readonly timers: Timers;
  /** Makes the hub, also again after a defect ended it: with another epoch. */
  readonly create: () => HubInstance;
  /** Takes updates whose window ended. */
  readonly flushed: (updates: readonly LoggedFields[]) => void;
  /** Reports an error that no caller receives. */
  readonly onError: (error: HubError) => void;
  /** Streams opened, closed or changed: what may see a type may be another. */
  readonly changed: () => void;
  /** Another hub took the place of one that failed. */
  readonly renewed: () => void;
}

/** An open stream. */
export interface OpenStream {
  readonly slot: number;
  readonly sink: Sink;
  readonly user: string;
  /** What the application knows it by: the claims of its token. */
  readonly owner: unknown;
}

/** One object a stream: there are many of them. */
class Open implements OpenStream, SinkEvents {
  readonly #streams: Streams;
  readonly slot: number;
  readonly sink: Sink;
  readonly user: string;
  readonly owner: unknown;

  constructor(streams: Streams, slot: number, sink: Sink, user: string, owner: unknown) {
    this.#streams = streams;
    this.slot = slot;
    this.sink = sink;
    this.user = user;
    this.owner = owner;
  }

  drained(): void {
    this.#streams.drained(this);
  }

  closed(): void {
    this.#streams.closed(this);
  }
}

/** The open streams of a hub. */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #scheduler: Scheduler;
  #hub: HubInstance;
  #open: (OpenStream | undefined)[] = [];
  #count = 0;
  /** The last round left streams to be served. */
  #more = false;
  readonly #users = new Map<string, number>();

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#hub = options.create();
    this.#scheduler = new Scheduler(options.timers, () => this.#round());
  }

  /** The number of open streams. */
  get count(): number {
    return this.#count;
  }

  /** The number of open streams of a user. */
  countOf(user: string): number {
    return this.#users.get(user) ?? 0;
  }

  /** The time on the hub's clock. */
  now(): number {
    return this.#options.timers.now();
  }

  /** Opens a stream over `sink`. `owner` is what the application knows it by. */
  open(ask: StreamAsk, sink: Sink, owner: unknown): void {
    const slot = this.call((hub) => hub.connect(this.now(), ask));
    const stream = new Open(this, slot, sink, ask.rights.user, owner);
    this.#open[slot] = stream;
    this.#add(stream, 1);
    this.#options.changed();
    sink.attach(stream);
  }

  /** Notes that the connection of a stream takes bytes again. */
  drained(stream: OpenStream): void {
    if (this.#open[stream.slot] === stream) this.#quietly((hub) => hub.drained(stream.slot));
  }

  /** Notes that the connection of a stream ended. */
  closed(stream: OpenStream): void {
    this.#close(stream);
  }

  /** The open streams that `which` chooses. */
  *all(which: (stream: OpenStream) => boolean = () => true): Iterable<OpenStream> {
    for (const stream of this.#open) if (stream && which(stream)) yield stream;
  }

  /** Replaces the rights of a stream. Returns true if it is open and they are other ones. */
  setRights(stream: OpenStream, rights: Rights): boolean {
    // Its slot may be another's by now.
    if (this.#open[stream.slot] !== stream) return false;
    const news = this.call((hub) => hub.setRights(stream.slot, rights));
    if (news) this.#options.changed();
    return news;
  }

  /** Ends a stream with a bye. Returns true if it is open. */
  bye(stream: OpenStream, reason: string, wait?: number, retry?: number): boolean {
    if (this.#open[stream.slot] !== stream) return false;
    return this.call((hub) => hub.bye(stream.slot, reason, wait, retry));
  }

  /**
   * Calls the hub, and has what follows from it written. A defect of the hub ends it: a new one
   * begins, with another epoch, so that every client refetches.
   *
   * Throws a {@link HubError}: what the hub refuses, or `hub_failed`.
   */
  call<T>(work: (hub: HubInstance) => T): T {
    try {
      const result = work(this.#hub);
      this.#scheduler.wake();
      return result;
    } catch (error) {
      if (error instanceof HubError) throw error;
      throw this.#renew(error);
    }
  }

  /** Reads something of the hub, from which nothing follows. Throws as {@link call} does. */
  read<T>(work: (hub: HubInstance) => T): T {
    try {
      return work(this.#hub);
    } catch (error) {
      if (error instanceof HubError) throw error;
      throw this.#renew(error);
    }
  }

  /** Writes what is due, without waiting for other events. */
  flush(): void {
    do this.#round();
    while (this.#more);
  }

  /** Cuts all connections and ends the timers. */
  stop(): void {
    this.#scheduler.stop();
    for (const stream of this.all()) stream.sink.cut();
  }

  #round(): number {
    const begun = this.now();
    try {
      const held = this.#hub.flush(begun);
      if (held.length > 0) this.#options.flushed(held);
      const { groups, cut, more } = this.#hub.round(this.now());
      for (const slot of cut) this.#cut(slot);
      for (const { bytes, ends, slots } of groups) {
        for (const slot of slots) this.#write(slot, bytes, ends);
      }
      this.#more = more;
      this.#scheduler.spent(this.now() - begun, more);
      return this.#hub.next();
    } catch (error) {
      this.#more = false;
      this.#options.onError(this.#renew(error));
      return Number.POSITIVE_INFINITY;
    }
  }

  /** Calls the hub where there is no caller to throw to. */
  #quietly(work: (hub: HubInstance) => void): void {
    try {
      this.call(work);
    } catch (error) {
      this.#options.onError(error as HubError);
    }
  }

  #write(slot: number, bytes: Uint8Array, ends: boolean): void {
    const stream = this.#open[slot];
    // It was closed since the round began.
    if (!stream) return;
    const takesMore = bytes.length === 0 || stream.sink.write(bytes);
    if (ends) {
      this.#close(stream);
      stream.sink.end();
    } else if (!takesMore && this.#open[slot] === stream) {
      this.#hub.full(this.now(), slot);
    }
  }

  #cut(slot: number): void {
    const stream = this.#open[slot];
    if (!stream) return;
    this.#close(stream);
    stream.sink.cut();
  }

  #close(stream: OpenStream): void {
    if (this.#open[stream.slot] !== stream) return;
    this.#open[stream.slot] = undefined;
    this.#add(stream, -1);
    this.#quietly((hub) => hub.disconnect(stream.slot));
    this.#options.changed();
  }

  #add({ user }: OpenStream, more: number): void {
    this.#count += more;
    const count = (this.#users.get(user) ?? 0) + more;
    if (count > 0) this.#users.set(user, count);
    else this.#users.delete(user);
  }

  /** Begins a new hub in the place of one that failed. Its streams end, and come back to it. */
  #renew(cause: unknown): HubError {
    const words = readLastWords(this.#hub);
    const streams = [...this.all()];
    this.#open = [];
    this.#count = 0;
    this.#users.clear();
    this.#hub = this.#options.create();
    this.#options.renewed();
    for (const { sink } of streams) sink.cut();
    this.#options.changed();
    const text = `the hub failed and began anew; every client refetches. Please report this: ${words}`;
    return new HubError('hub_failed', text, { cause, status: 500 });
  }
}

function readLastWords(hub: HubInstance): string {
  try {
    return hub.lastWords();
  } catch {
    return 'no message';
  }
}
