// Detects that the leader of a group of tabs no longer answers.
import type { Alarm } from './alarm.js';
import type { TabEnvironment } from './messages.js';

/** The silence, in milliseconds, after which a leader is pinged. Each tab draws its own, so that one tab pings for all. */
const PING_AFTER_MS = { least: 500, range: 500 };
/**
 * The time to answer a ping, in milliseconds. It doubles where a leader turns out to be alive within `soon` after it was replaced (a busy
 * machine), up to `most`, and returns to `least` once a leader is replaced that was away for longer.
 */
const ANSWER_MS = { least: 500, most: 8000, soon: 2000 };
/**
 * An alarm that fires this many milliseconds late means that this tab was busy: messages that arrived meanwhile are read first. In
 * hidden tabs, browsers fire timers at full seconds only.
 */
const BUSY_MS = 300;
/**
 * An alarm this many milliseconds late means that the machine slept: no tab could answer, so the leader is pinged once more. Only once,
 * since in a tab that was hidden for minutes every alarm is this late (Chromium: once a minute); it detects a silent leader at the third.
 */
const SLEPT_MS = 2000;

/** Watches the leader of this tab's group: pings it when it is silent, and calls `lost` when it does not answer. */
export class LeaderMonitor {
  /** The time that a leader has to answer a ping, in milliseconds. The followers use that of their leader. */
  answerMs = ANSWER_MS.least;
  readonly #env: TabEnvironment;
  readonly #alarm: Alarm;
  readonly #ping: () => void;
  readonly #lost: () => void;
  readonly #pingAfterMs: number;
  #lastActivity: number;
  /** When the ping was sent that is not answered yet. */
  #pinged: number | undefined;
  /** The leader before this one, and when it was replaced. */
  #before = { name: '', at: 0 };
  /** The alarm was late, and messages that arrived meanwhile have been read. */
  #read = false;
  /** The alarm was so late that the leader was pinged again. */
  #again = false;

  constructor(env: TabEnvironment, alarm: Alarm, ping: () => void, lost: () => void) {
    this.#env = env;
    this.#alarm = alarm;
    this.#ping = ping;
    this.#lost = lost;
    this.#lastActivity = env.now();
    this.#pingAfterMs = PING_AFTER_MS.least + env.random() * PING_AFTER_MS.range;
  }

  /** Notes that the leader is alive, and starts watching it. */
  alive(): void {
    this.#lastActivity = this.#env.now();
    this.#pinged = undefined;
    this.#again = false;
    this.#alarm.set(this.#pingAfterMs, this.#check);
  }

  /** Notes that another tab pinged. One tab asks for all, and acts on the answer; otherwise all would take over from each other. */
  othersPing(): void {
    if (this.#pinged === undefined) this.alive();
  }

  /** Notes that `leader` was replaced. If the one that was replaced before never returned, it was dead. */
  replaced(leader: string): void {
    if (!leader) return;
    const now = this.#env.now();
    if (this.#before.name && now - this.#before.at >= ANSWER_MS.soon) this.answerMs = ANSWER_MS.least;
    this.#before = { name: leader, at: now };
  }

  /** Notes that the tab of this stream follows. If it led until just now it was not dead, so the next leader gets more time to answer. */
  follows(stream: string): void {
    const { name, at } = this.#before;
    if (!name || !stream.startsWith(`${name}.`)) return;
    this.#before = { name: '', at: 0 };
    const soon = this.#env.now() - at < ANSWER_MS.soon;
    this.answerMs = soon ? Math.min(this.answerMs * 2, ANSWER_MS.most) : ANSWER_MS.least;
  }

  #check = (): void => {
    const now = this.#env.now();
    const due = this.#pinged === undefined ? this.#lastActivity + this.#pingAfterMs : this.#pinged + this.answerMs;
    const late = this.#alarm.late();
    if (now < due) {
      this.#alarm.set(due - now, this.#check);
    } else if (this.#pinged === undefined || (late > SLEPT_MS && !this.#again)) {
      this.#again = this.#pinged !== undefined;
      this.#pinged = now;
      this.#read = false;
      this.#alarm.set(this.answerMs, this.#check);
      this.#ping();
    } else if (late > BUSY_MS && !this.#read && !this.#again) {
      this.#read = true;
      this.#alarm.set(0, this.#check);
    } else {
      this.alive();
      this.#lost();
    }
  };
}
