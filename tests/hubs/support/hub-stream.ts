// A stream of a hub: the frames of tinysse/1, read as a client reads them.
import { expect } from 'vitest';
import { EventStream, type Frame, type StreamRequest } from './event-stream.js';

/** The first frame. */
export interface Hello {
  readonly client: string;
  readonly after: string;
  readonly head: string;
  readonly beat: number;
  readonly gap: string;
  readonly retry: number;
}

/** The frame that announces a loss. */
export interface Resync {
  readonly gap: string;
  readonly types: string | undefined;
  readonly id: string;
}

/** The frame that ends a stream. */
export interface Bye {
  readonly reason: string;
  readonly wait: number;
  readonly retry: number | undefined;
}

/** An update. */
export interface Update {
  readonly id: string;
  readonly type: string;
  readonly data?: unknown;
  readonly key?: string;
  readonly origin?: string;
  readonly spread?: number;
  readonly at: number;
  /** The envelope, octet by octet. */
  readonly envelope: string;
}

const ID = /^(?:0|[1-9a-f][0-9a-f]{0,15})\.(?:0|[1-9][0-9]{0,19})$/;

/** A stream of a hub. */
export class HubStream {
  /** The stream below. */
  readonly events: EventStream;
  #hello: Hello | undefined;

  private constructor(events: EventStream) {
    this.events = events;
  }

  /** Sends a request and reads the head of the answer, which must be a stream. */
  static async open(url: string, request: StreamRequest): Promise<HubStream> {
    const events = await EventStream.open(url, request);
    expect(events.status, JSON.stringify(events.headers)).toBe(200);
    expect(events.headers['content-type']).toBe('text/event-stream');
    return new HubStream(events);
  }

  /** The hello that was read. */
  get hello(): Hello {
    if (!this.#hello) throw new Error('the hello was not read');
    return this.#hello;
  }

  /** Reads the first frame, which must be a hello. */
  async readHello(): Promise<Hello> {
    const frame = await this.next();
    if (frame?.event !== 'tinysse.hello') throw new Error(`no hello: ${frame?.raw}`);
    const { client = '', after = '', head = '', beat, gap = '' } = pairs(frame);
    expect(frame.id).toBe(after);
    expect([after, head]).toEqual([expect.stringMatching(ID), expect.stringMatching(ID)]);
    this.#hello = { client, after, head, beat: Number(beat), gap, retry: frame.retry ?? Number.NaN };
    return this.#hello;
  }

  /** The next frame; `undefined` at the end. */
  next(): Promise<Frame | undefined> {
    return this.events.next();
  }

  /** The next frame that is not a beat, which must be an update. */
  async update(): Promise<Update> {
    const frame = await this.#behindBeats();
    if (frame === undefined || (frame.event.startsWith('tinysse.') && frame.event !== 'tinysse.update')) {
      throw new Error(`no update: ${frame?.raw ?? 'the stream ended'}`);
    }
    return updateOf(frame);
  }

  /** The types of the updates up to and with `last`. */
  async typesUntil(last: string): Promise<string[]> {
    const types: string[] = [];
    do types.push((await this.update()).type);
    while (types.at(-1) !== last);
    return types;
  }

  /** The next frame that is not a beat, which must be a resync. */
  async resync(): Promise<Resync> {
    const frame = await this.#behindBeats();
    if (frame?.event !== 'tinysse.resync') throw new Error(`no resync: ${frame?.raw}`);
    expect(frame.id).toMatch(ID);
    const { gap = '', types } = pairs(frame);
    return { gap, types, id: frame.id ?? '' };
  }

  /** The next frame that is not a beat, which must be a bye. */
  async bye(): Promise<Bye> {
    const frame = await this.#behindBeats();
    if (frame?.event !== 'tinysse.bye') throw new Error(`no bye: ${frame?.raw}`);
    expect(frame.id).toBeUndefined();
    const { reason = '', wait } = pairs(frame);
    return { reason, wait: Number(wait), retry: frame.retry };
  }

  /** Reads to the end, behind which the body is whole. */
  async end(): Promise<void> {
    expect(await this.#behindBeats()).toBeUndefined();
    expect(this.events.ended).toBe('whole');
  }

  /** Goes away. */
  close(): void {
    this.events.close();
  }

  async #behindBeats(): Promise<Frame | undefined> {
    for (;;) {
      const frame = await this.next();
      if (frame?.event !== 'tinysse.beat') return frame;
    }
  }
}

/** Reads an update, folded or not. */
export function updateOf(frame: Frame): Update {
  const folded = frame.event === 'tinysse.update';
  const at = frame.data.indexOf('\n');
  const type = folded ? frame.data.slice(0, at) : frame.event;
  const envelope = folded ? frame.data.slice(at + 1) : frame.data;
  expect(frame.id).toMatch(ID);
  const members = JSON.parse(envelope) as Omit<Update, 'id' | 'type' | 'envelope'>;
  return { ...members, id: frame.id ?? '', type, envelope };
}

function pairs(frame: Frame): Partial<Record<string, string>> {
  return Object.fromEntries(frame.data.split('&').map((pair) => pair.split('=', 2)));
}

/** The position of an id in its epoch. */
export function seqOf(id: string): number {
  return Number(id.split('.')[1]);
}

/** The epoch of an id. */
export function epochOf(id: string): string {
  return id.split('.')[0] ?? '';
}
