import type { Role } from '../model/snapshot.js';
import type { Message, SharedStatus, TabClient, TabEnvironment } from './messages.js';
import { type Frame, Relay } from './replay-buffer.js';

/** A leader that sent nothing for this long (milliseconds) is asked whether it lives; a tab draws its own pace, so that one asks for all. */
const pace = { least: 500, more: 500 };
/**
 * How long it may take to answer. Where a leader turns out to be alive soon after it was replaced (a busy machine), twice as
 * long, and again; until one is replaced that was away for longer. All have the leader's measure.
 */
const answer = { least: 500, most: 8000, soon: 2000 };
/**
 * An alarm that rings this late means that this tab was busy: messages that arrived meanwhile are read first. In hidden tabs, browsers
 * let alarms ring at full seconds only.
 */
const late = 300;
/**
 * And so late, that the machine slept: nobody could answer, so the leader is asked once more. No more often than that, since a tab that was hidden
 * for minutes has every alarm ring so late (Chromium: once a minute); it learns at the third that a leader is silent.
 */
const slept = 2000;
/** A stream that is open for this long and sent no hello is not of a tinysse hub. */
const greeting = 3000;

/**
 * One connection for all tabs of a user: which tab holds it, and how the others receive its events. Pure: lock, channel and time
 * are injected.
 *
 * A follower is a session like any other; its stream is what the leader passes on, and the leader answers it as a hub does: a
 * hello, what was missed, then what comes. So the guarantees of a stream (order, duplicates, gaps) are those of the session, and
 * a handover is nothing but the next stream, from the cursor.
 *
 * Who leads is decided by a lock, which the browser gives to the next tab when the one that has it dies. A leader that lives
 * but does not answer (frozen, stopped) has it taken away.
 */
export class TabElection {
  role: Role = 'candidate';
  /** What the leader shows, while one is followed. */
  leading: SharedStatus | undefined;
  readonly #me: string;
  readonly #world: TabEnvironment;
  readonly #session: TabClient;
  readonly #relay = new Relay();
  readonly #pace: number;
  #leader = '';
  #ticket = -1;
  /** The stream of this ticket has had its hello. */
  #joined = false;
  /** A session waits for this tab's stream to be open. */
  #awaited = false;
  #greeted = false;
  #heard: number;
  /** When the leader was asked for a sign of life that has not come. */
  #asked: number | undefined;
  #answer = answer.least;
  /** The leader before this one, and when it ceased to be. */
  #before = { name: '', at: 0 };
  #timer: unknown;
  /** When it is to ring. */
  #rings = 0;
  /** It rang late, and messages that arrived meanwhile have been read. */
  #read = false;
  /** It rang so late that the leader was asked again. */
  #again = false;

  constructor(me: string, session: TabClient, world: TabEnvironment) {
    this.#me = me;
    this.#session = session;
    this.#world = world;
    this.#heard = world.now();
    this.#pace = pace.least + world.random() * pace.more;
    world.lock(false);
  }

  /** The session wants a stream, and is to follow: ask the leader. */
  follow(ticket: number, cursor: string): void {
    this.role = 'candidate';
    this.#leader = '';
    this.#ticket = ticket;
    this.#joined = false;
    this.leading = undefined;
    this.#alive();
    this.#world.post({ kind: 'join', from: this.#address(), cursor });
  }

  /** This tab's own stream sent something. */
  passed(frame: Frame): void {
    if (this.role !== 'leader') return;
    const [event] = frame;
    if (!this.#greeted && event !== 'tinysse.hello' && event !== 'tinysse.bye') {
      this.#apart();
      return;
    }
    const told = this.#learn(frame);
    if (told) this.#tell('', told);
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
    else if (!this.#greeted) this.#alarm(greeting, () => this.#greeted || this.#apart());
  }

  /** The lock is ours. */
  granted(): void {
    this.role = 'leader';
    this.#replaced();
    this.leading = undefined;
    this.#greeted = false;
    this.#awaited = true;
    this.#quiet();
    // At once, lest others take our silence for that of the tab before us.
    this.#announce();
    this.#session.lead(true);
    this.#world.changed();
  }

  /** The lock was taken from this tab: another one takes it for dead. */
  stolen(): void {
    if (this.role !== 'leader') return;
    this.role = 'candidate';
    this.#world.lock(false);
    this.#session.lead(false);
  }

  /** This browser gives no locks after all. */
  unable(): void {
    this.close();
    this.#session.lead(true);
  }

  /** The user wants a new connection. */
  reconnect(): void {
    if (this.role === 'follower') this.#world.post({ kind: 'reconnect', from: this.#me });
  }

  /** Makes the other tabs forget this user. */
  forget(): void {
    if (this.role !== 'alone') this.#world.post({ kind: 'forget', from: this.#me });
  }

  /** Lets another tab lead. */
  close(): void {
    if (this.role === 'alone') return;
    this.role = 'alone';
    this.leading = undefined;
    this.#quiet();
    this.#world.leave();
  }

  /** Another tab sent something. */
  hear(message: Message): void {
    if (this.role === 'alone') return;
    if (message.kind === 'forget') this.#session.forget();
    else if (this.role === 'leader') this.#serve(message);
    else this.#listen(message);
  }

  #serve(message: Message): void {
    if (message.kind === 'join') {
      this.#revived(message.from);
      if (this.#greeted) this.#welcome(message.from, message.cursor);
      else this.#awaited = true;
      this.#status(this.#session.shown());
    } else if (message.kind === 'ping') {
      this.#status(this.#session.shown());
    } else if (message.kind === 'reconnect') {
      this.#session.reconnect();
    }
  }

  /** Answers a follower as a hub answers a client. */
  #welcome(to: string, cursor: string): void {
    const { after, gap, frames } = this.#relay.resume(cursor);
    const client = this.#session.shown().clientId ?? '';
    const head = this.#relay.head;
    // The beats are those of the hub, passed on; whether we live is asked for by pings. So the promise is a loose one.
    const hello = new URLSearchParams({ client, after, head, beat: '300000', gap });
    this.#tell(to, ['tinysse.hello', after, hello.toString()], ...frames);
  }

  #listen(message: Message): void {
    const { kind, from } = message;
    const ours = from === this.#leader;
    if (kind === 'join') this.#revived(from);
    if (ours || (this.role === 'candidate' && (kind === 'status' || kind === 'here'))) this.#alive();
    if (kind === 'frames') {
      for (const frame of message.frames) this.#told(from, message.to, frame);
    } else if (kind === 'ping') {
      // One tab asks for all, and acts on the answer; otherwise all would take over from each other.
      if (this.#asked === undefined) this.#alive();
    } else if (kind === 'here') {
      if (ours) return;
      this.#replaced();
      this.#session.lead(false);
    } else if (kind === 'status') {
      if (!ours) return;
      this.leading = message.shown;
      this.#answer = message.answer;
      this.#world.changed();
    } else if (kind === 'unshared') {
      this.close();
      this.#session.lead(true);
    }
  }

  /** A frame of a leader; whether it is for us is asked anew for each, as the session may go on with another stream. */
  #told(from: string, to: string, frame: Frame): void {
    const mine = to === this.#address();
    if (mine && !this.#joined && frame[0] === 'tinysse.hello') {
      this.#joined = true;
      this.#leader = from;
      this.role = 'follower';
      this.#alive();
      this.#take(frame);
      this.#world.changed();
    } else if (from === this.#leader && this.#joined && (mine || to === '')) {
      this.#take(frame);
    }
  }

  #take(frame: Frame): void {
    this.#learn(frame);
    this.#session.hear(this.#ticket, frame);
  }

  /** Remembers a frame; returns what followers are to be sent of it. */
  #learn(frame: Frame): Frame | undefined {
    const [event, id, data] = frame;
    if (event === 'tinysse.hello') {
      const gap = new URLSearchParams(data).get('gap') ?? 'unknown';
      if (gap === 'none') {
        this.#relay.advance(id);
        return undefined;
      }
      this.#relay.reset(id);
      return ['tinysse.resync', id, `gap=${gap}`];
    }
    if (event === 'tinysse.bye') return undefined;
    if (event === 'tinysse.resync') this.#relay.reset(id);
    else if (event === 'tinysse.beat') this.#relay.advance(id);
    // Reserved for a later version of the wire: ignored, as the core does.
    else if (event.startsWith('tinysse.')) return undefined;
    else this.#relay.push(frame);
    return frame;
  }

  #tell(to: string, ...frames: Frame[]): void {
    this.#world.post({ kind: 'frames', from: this.#me, to, frames });
  }

  #announce(): void {
    this.#world.post({ kind: 'here', from: this.#me });
  }

  #status({ status, error, attempt, retryAt }: SharedStatus): void {
    const shown = { status, error, attempt, retryAt };
    this.#world.post({ kind: 'status', from: this.#me, answer: this.#answer, shown });
  }

  #apart(): void {
    this.#world.post({ kind: 'unshared', from: this.#me });
    this.close();
  }

  #address(): string {
    return `${this.#me}.${this.#ticket}`;
  }

  /** The leader gave a sign of life. */
  #alive(): void {
    this.#heard = this.#world.now();
    this.#asked = undefined;
    this.#again = false;
    this.#alarm(this.#pace, this.#look);
  }

  /** Nothing was received for a while: ask; and if no tab answers, take over. */
  #look = (): void => {
    const now = this.#world.now();
    const due = this.#asked === undefined ? this.#heard + this.#pace : this.#asked + this.#answer;
    const lateness = now - this.#rings;
    if (now < due) {
      this.#alarm(due - now, this.#look);
    } else if (this.#asked === undefined || (lateness > slept && !this.#again)) {
      this.#again = this.#asked !== undefined;
      this.#asked = now;
      this.#read = false;
      this.#alarm(this.#answer, this.#look);
      this.#world.post({ kind: 'ping', from: this.#me });
    } else if (lateness > late && !this.#read && !this.#again) {
      this.#read = true;
      this.#alarm(0, this.#look);
    } else {
      this.#alive();
      this.#world.lock(true);
    }
  };

  /** Another tab leads now. If the one that was replaced before never came back, it was dead. */
  #replaced(): void {
    if (!this.#leader) return;
    const now = this.#world.now();
    if (this.#before.name && now - this.#before.at >= answer.soon) this.#answer = answer.least;
    this.#before = { name: this.#leader, at: now };
  }

  /** A leader that follows so soon after its end was not dead: be more patient with the next one. */
  #revived(stream: string): void {
    const { name, at } = this.#before;
    if (!name || !stream.startsWith(`${name}.`)) return;
    this.#before = { name: '', at: 0 };
    const soon = this.#world.now() - at < answer.soon;
    this.#answer = soon ? Math.min(this.#answer * 2, answer.most) : answer.least;
  }

  #alarm(ms: number, fn: () => void): void {
    this.#quiet();
    this.#rings = this.#world.now() + ms;
    this.#timer = this.#world.setTimeout(fn, ms);
  }

  #quiet(): void {
    this.#world.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
