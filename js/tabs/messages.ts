// Messages between the tabs of a user, and what a tab needs of its client and of the browser.
import type { Frame } from './replay-buffer.js';

/**
 * Messages between tabs. `from` is a tab, or (`join`) the stream that is to be answered:
 * `tab.ticket`.
 */
export type Message =
  /** "I follow, and this is my cursor." The leader answers with a hello and what was missed. */
  | { readonly kind: 'join'; readonly from: string; readonly cursor: string }
  /**
   * Events of the leader's stream; `to` is a stream, or empty for all. What was missed comes in one
   * message, as every message wakes all tabs.
   */
  | { readonly kind: 'frames'; readonly from: string; readonly to: string; readonly frames: readonly Frame[] }
  /** "I hold the connection": a tab that follows another one, or none, joins anew. */
  | { readonly kind: 'here'; readonly from: string }
  /**
   * What the leader shows, and how long (milliseconds) it may take to answer a ping. Also that
   * answer.
   */
  | { readonly kind: 'status'; readonly from: string; readonly answer: number; readonly shown: SharedStatus }
  /** "Is the leader alive?" */
  | { readonly kind: 'ping'; readonly from: string }
  /** The user of a follower wants a new connection. */
  | { readonly kind: 'reconnect'; readonly from: string }
  /** The user logged out: nothing of the connection may be kept in any tab. */
  | { readonly kind: 'forget'; readonly from: string }
  /**
   * The server does not speak tinysse/1, so nothing could be handed over without loss: each tab
   * connects by itself.
   */
  | { readonly kind: 'unshared'; readonly from: string };

/** The part of a snapshot that followers show as theirs. */
export interface SharedStatus {
  readonly status: string;
  readonly error: {
    readonly name: 'SseError';
    readonly code: string;
    readonly message: string;
    readonly status?: number;
    readonly retryable: boolean;
  } | null;
  readonly attempt: number;
  /** In milliseconds since 1970: tabs have one clock. */
  readonly retryAt: number | null;
}

/** The client of this tab. */
export interface TabClient {
  /** Hold the connection from now on, or follow the tab that does. */
  lead(lead: boolean): void;
  /** What the leader passes on for the stream of a ticket; the first frame opens it. */
  relay(ticket: number, frame: Frame): void;
  reconnect(): void;
  /** Ends everything of this user. */
  forget(): void;
  /** What this tab's own connection shows, and what the hub calls it. */
  shown(): SharedStatus & { readonly clientId: string | null };
}

/** What the browser does for a tab. */
export interface TabEnvironment {
  now(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** In [0, 1). */
  random(): number;
  /** Sends something to the others. */
  post(message: Message): void;
  /** Asks for the lock; `steal` takes it from the tab that has it. */
  lock(steal: boolean): void;
  /** Gives the lock back and closes the channel. */
  leave(): void;
  /** The leader's state is another one: look at `leading` of the election. */
  changed(): void;
}
