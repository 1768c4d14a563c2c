// What a leader passes on to its followers.
import { type Frame, ReplayBuffer } from './replay-buffer.js';

/** The events of the group's stream, as the leader sends them on and every tab remembers them. */
export interface Delivery {
  /** Remembers a frame. Returns what followers are to be sent of it, or undefined for nothing. */
  record(frame: Frame): Frame | undefined;
  /**
   * Returns what a hub would answer a client with this cursor: a hello, and the updates that it
   * missed.
   */
  welcome(cursor: string, client: string): Frame[];
}

/** Returns a delivery that remembers nothing yet. */
export function delivery(): Delivery {
  const buffer = new ReplayBuffer();
  return {
    record(frame) {
      const [event, id, data] = frame;
      if (event === 'tinysse.hello') {
        const gap = new URLSearchParams(data).get('gap') ?? 'unknown';
        if (gap === 'none') {
          buffer.advance(id);
          return undefined;
        }
        buffer.reset(id);
        return ['tinysse.resync', id, `gap=${gap}`];
      }
      if (event === 'tinysse.resync') buffer.reset(id);
      else if (event === 'tinysse.beat') buffer.advance(id);
      // A bye is for this tab alone, and other names are reserved for later versions of the wire:
      // ignored, as the core does.
      else if (event.startsWith('tinysse.')) return undefined;
      else buffer.push(frame);
      return frame;
    },
    welcome(cursor, client) {
      const { after, gap, frames } = buffer.resume(cursor);
      // The heartbeats are those of the hub, passed on, and pings detect a dead leader. So the
      // promise is a loose one.
      const hello = new URLSearchParams({ client, after, head: buffer.head, beat: '300000', gap });
      return [['tinysse.hello', after, hello.toString()], ...frames];
    },
  };
}
