/** An event of a stream: type, id, data. The ids are those of the hub, `epoch.seq`. */
export type Frame = readonly [event: string, id: string, data: string];

/** Where a follower goes on, what it misses, and the updates that lie between. */
export interface Resumption {
  readonly after: string;
  readonly gap: 'none' | 'first' | 'epoch' | 'trimmed' | 'unknown';
  readonly frames: readonly Frame[];
}

/** The place of an id in its log; `undefined` for what is no id of a tinysse hub. */
function place(id: string): { epoch: string; seq: bigint } | undefined {
  const match = /^([0-9a-f]{1,16})\.(\d{1,20})$/.exec(id);
  return match ? { epoch: match[1] as string, seq: BigInt(match[2] as string) } : undefined;
}

/** True if `a` follows `b` in the same log. */
export function follows(a: string, b: string): boolean {
  const [one, other] = [place(a), place(b)];
  return one !== undefined && other !== undefined && one.epoch === other.epoch && one.seq > other.seq;
}

/**
 * What a tab remembers of the stream, so that it can serve others when it comes to lead them: a
 * small log, bounded by count and by characters. The oldest go first, and a follower that needed
 * them receives a gap.
 */
export class ReplayBuffer {
  readonly #most: number;
  readonly #mostCharacters: number;
  /** The cursor before the first frame. */
  #from = '';
  /** The cursor behind the last. */
  #head = '';
  #frames: Frame[] = [];
  #characters = 0;

  constructor(most = 4096, mostCharacters = 1 << 20) {
    this.#most = most;
    this.#mostCharacters = mostCharacters;
  }

  get head(): string {
    return this.#head;
  }

  /** An update; one that is known already is left out. */
  push(frame: Frame): void {
    const [, id] = frame;
    if (id === this.#head || follows(this.#head, id)) return;
    this.#head = id;
    this.#frames.push(frame);
    this.#characters += size(frame);
    while (this.#frames.length > this.#most || this.#characters > this.#mostCharacters) {
      const oldest = this.#frames.shift() as Frame;
      this.#characters -= size(oldest);
      this.#from = oldest[1];
    }
  }

  /** The cursor is here now; never backwards. */
  advance(id: string): void {
    if (this.#head && !follows(id, this.#head)) return;
    this.#head = id;
    if (this.#frames.length === 0) this.#from = id;
  }

  /** There is a gap before this cursor: what was remembered leads nowhere. */
  reset(id: string): void {
    this.#frames = [];
    this.#characters = 0;
    this.#from = id;
    this.#head = id;
  }

  /** Answers a follower with this cursor as the hub would. */
  resume(cursor: string): Resumption {
    const head = this.#head;
    const lost = (gap: Resumption['gap']): Resumption => ({ after: head, gap, frames: [] });
    if (cursor === '') return lost('first');
    const at = place(cursor);
    if (!at) return lost('unknown');
    if (at.epoch !== place(head)?.epoch) return lost('epoch');
    // It is ahead of us: we repeat what it has, and it drops that.
    if (follows(cursor, head)) return lost('none');
    if (cursor !== this.#from && !follows(cursor, this.#from)) return lost('trimmed');
    return { after: cursor, gap: 'none', frames: this.#frames.filter(([, id]) => follows(id, cursor)) };
  }
}

function size([event, id, data]: Frame): number {
  return event.length + id.length + data.length;
}
