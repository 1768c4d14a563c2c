// Which tab of a user holds the connection.
import type { Role } from '../model/snapshot.js';
import { delivery } from './delivery.js';
import { type LeaderMonitor, monitorLeader } from './leader-monitor.js';
import type { Message, SharedStatus, TabClient, TabEnvironment } from './messages.js';
import type { Frame } from './replay-buffer.js';

/**
 * The time, in milliseconds, after which an open stream without a hello counts as one of a plain
 * server.
 */
const HELLO_TIMEOUT_MS = 3000;

/**
 * One connection for all tabs of a user: which tab holds it, and how the others receive its events.
 * Pure: lock, channel and time are injected.
 *
 * A follower is a session like any other; its stream is what the leader passes on, and the leader
 * answers it as a hub does: a hello, what was missed, then what comes. So the guarantees of a
 * stream (order, duplicates, gaps) are those of the session, and a handover is nothing but the next
 * stream, from the cursor.
 *
 * Who leads is decided by a lock, which the browser gives to the next tab when the one that has it
 * dies. A leader that lives but does not answer (frozen, stopped) has it taken away.
 */
export class TabElection {
  role: Role = 'candidate';
  /** What the leader shows, while one is followed. */
  leading: SharedStatus | undefined;
  readonly #me: string;
  readonly #env: TabEnvironment;
  readonly #session: TabClient;
  readonly #delivery = delivery();
  readonly #monitor: LeaderMonitor;
  #leader = '';
  #ticket = -1;
  /** The stream of this ticket has had its hello. */
  #joined = false;
  /** A session waits for this tab's stream to be open. */
  #awaited = false;
  #greeted = false;
  #timer: unknown;

  constructor(me: string, session: TabClient, env: TabEnvironment) {
    this.#me = me;
    this.#session = session;
    this.#env = env;
    const ping = () => env.post({ kind: 'ping', from: me });
    this.#monitor = monitorLeader(env, this.#alarm, ping, () => env.lock(true));
    env.lock(false);
  }

  /** The session wants a stream, and is to follow: ask the leader. */
  follow(ticket: number, cursor: string): void {
    this.role = 'candidate';
    this.#leader = '';
    this.#ticket = ticket;
    this.#joined = false;
    this.leading = undefined;
    this.#monitor.alive();
    this.#env.post({ kind: 'join', from: this.#address(), cursor });
  }

  /** This tab's own stream sent something. */
  passed(frame: Frame): void {
    if (this.role !== 'leader') return;
    const [event] = frame;
    if (!this.#greeted && event !== 'tinysse.hello' && event !== 'tinysse.bye') {
      this.#unshare();
      return;
    }
    const known = this.#delivery.record(frame);
    if (known) this.#send('', known);
    if (event === 'tinysse.hello') {
      this.#greeted = true;
      if (this.#awaited) this.#announce();
      this.#awaited = false;
    }
  }

  /** What our own connection shows is another thing now. */
  shows(): void {
    if (this.role !== 'leader') return;
    const shown = this.#session.shown();
    this.#status(shown);
    if (shown.status !== 'open') this.#greeted = false;
    else if (!this.#greeted) this.#alarm(HELLO_TIMEOUT_MS, () => this.#greeted || this.#unshare());
  }

  /** The lock is ours. */
  granted(): void {
    this.role = 'leader';
    this.#monitor.replaced(this.#leader);
    this.leading = undefined;
    this.#greeted = false;
    this.#awaited = true;
    this.#env.clearTimeout(this.#timer);
    // At once, lest others take our silence for that of the tab before us.
    this.#announce();
    this.#session.lead(true);
    this.#env.changed();
  }

  /** The lock was taken from this tab: another one takes it for dead. */
  stolen(): void {
    if (this.role !== 'leader') return;
    this.role = 'candidate';
    this.#env.lock(false);
    this.#session.lead(false);
  }

  /** This browser gives no locks after all. */
  unable(): void {
    this.close();
    this.#session.lead(true);
  }

  /** The user wants a new connection. */
  reconnect(): void {
    if (this.role === 'follower') this.#env.post({ kind: 'reconnect', from: this.#me });
  }

  /** Makes the other tabs forget this user. */
  forget(): void {
    if (this.role !== 'alone') this.#env.post({ kind: 'forget', from: this.#me });
  }

  /** Lets another tab lead. */
  close(): void {
    if (this.role === 'alone') return;
    this.role = 'alone';
    this.leading = undefined;
    this.#env.clearTimeout(this.#timer);
    this.#env.leave();
  }

  /** Another tab sent something. */
  receive(message: Message): void {
    if (this.role === 'alone') return;
    if (message.kind === 'forget') this.#session.forget();
    else if (this.role === 'leader') this.#serve(message);
    else this.#listen(message);
  }

  #serve(message: Message): void {
    if (message.kind === 'join') {
      this.#monitor.follows(message.from);
      if (this.#greeted)
        this.#send(message.from, ...this.#delivery.welcome(message.cursor, this.#session.shown().clientId ?? ''));
      else this.#awaited = true;
      this.#status(this.#session.shown());
    } else if (message.kind === 'ping') {
      this.#status(this.#session.shown());
    } else if (message.kind === 'reconnect') {
      this.#session.reconnect();
    }
  }

  #listen(message: Message): void {
    const { kind, from } = message;
    const ours = from === this.#leader;
    if (kind === 'join') this.#monitor.follows(from);
    if (ours || (this.role === 'candidate' && (kind === 'status' || kind === 'here'))) this.#monitor.alive();
    if (kind === 'frames') {
      for (const frame of message.frames) this.#deliver(from, message.to, frame);
    } else if (kind === 'ping') {
      this.#monitor.pinged();
    } else if (kind === 'here') {
      if (ours) return;
      this.#monitor.replaced(this.#leader);
      this.#session.lead(false);
    } else if (kind === 'status') {
      if (!ours) return;
      this.leading = message.shown;
      this.#monitor.answerMs = message.answer;
      this.#env.changed();
    } else if (kind === 'unshared') {
      this.close();
      this.#session.lead(true);
    }
  }

  /**
   * A frame of a leader; whether it is for us is asked anew for each, as the session may go on with
   * another stream.
   */
  #deliver(from: string, to: string, frame: Frame): void {
    const mine = to === this.#address();
    if (mine && !this.#joined && frame[0] === 'tinysse.hello') {
      this.#joined = true;
      this.#leader = from;
      this.role = 'follower';
      this.#monitor.alive();
      this.#take(frame);
      this.#env.changed();
    } else if (from === this.#leader && this.#joined && (mine || to === '')) {
      this.#take(frame);
    }
  }

  #take(frame: Frame): void {
    this.#delivery.record(frame);
    this.#session.relay(this.#ticket, frame);
  }

  #send(to: string, ...frames: Frame[]): void {
    this.#env.post({ kind: 'frames', from: this.#me, to, frames });
  }

  #announce(): void {
    this.#env.post({ kind: 'here', from: this.#me });
  }

  #status({ status, error, attempt, retryAt }: SharedStatus): void {
    const shown = { status, error, attempt, retryAt };
    this.#env.post({ kind: 'status', from: this.#me, answer: this.#monitor.answerMs, shown });
  }

  #unshare(): void {
    this.#env.post({ kind: 'unshared', from: this.#me });
    this.close();
  }

  #address(): string {
    return `${this.#me}.${this.#ticket}`;
  }

  /** Calls `fn` after `ms` milliseconds, in place of what was set before. */
  #alarm = (ms: number, fn: () => void): void => {
    this.#env.clearTimeout(this.#timer);
    this.#timer = this.#env.setTimeout(fn, ms);
  };
}
