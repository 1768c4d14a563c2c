// What a leader passes on to its followers.
import { type Frame, ReplayBuffer } from './replay-buffer.js';

/** The events of the group's stream, as the leader sends them on and every tab remembers them. */
export class Delivery {
  readonly #buffer = new ReplayBuffer();

  /** Remembers a frame. Returns what followers are to be sent of it, or undefined for nothing. */
  record(frame: Frame): Frame | undefined {
    const [event, id, data] = frame;
    if (event === 'tinysse.hello') {
      const gap = new URLSearchParams(data).get('gap') ?? 'unknown';
      if (gap === 'none') {
        this.#buffer.advance(id);
        return undefined;
      }
      this.#buffer.reset(id);
      return ['tinysse.resync', id, `gap=${gap}`];
    }
    if (event === 'tinysse.bye') return undefined;
    if (event === 'tinysse.resync') this.#buffer.reset(id);
    else if (event === 'tinysse.beat') this.#buffer.advance(id);
    // Reserved for a later version of the wire: ignored, as the core does.
    else if (event.startsWith('tinysse.')) return undefined;
    else this.#buffer.push(frame);
    return frame;
  }

  /** Returns what a hub would answer a client with this cursor: a hello, and the updates that it missed. */
  welcome(cursor: string, client: string): Frame[] {
    const { after, gap, frames } = this.#buffer.resume(cursor);
    // The heartbeats are those of the hub, passed on, and pings detect a dead leader. So the promise is a loose one.
    const hello = new URLSearchParams({ client, after, head: this.#buffer.head, beat: '300000', gap });
    return [['tinysse.hello', after, hello.toString()], ...frames];
  }
}
