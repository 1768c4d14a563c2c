// Detects that the leader of a group of tabs no longer answers.
import type { TabEnvironment } from './messages.js';

/**
 * The silence, in milliseconds, after which a leader is pinged. Each tab draws its own, so that one
 * tab pings for all.
 */
const MIN_SILENCE_MS = 500;
const SILENCE_RANGE_MS = 500;
/**
 * The time to answer a ping, in milliseconds. It doubles where a leader turns out to be alive
 * within `soon` after it was replaced (a busy machine), up to MAX_ANSWER_MS, and returns to
 * MIN_ANSWER_MS once a leader is replaced that was away for longer.
 */
const MIN_ANSWER_MS = 500;
const MAX_ANSWER_MS = 8000;
const SOON_MS = 2000;
/**
 * An alarm that fires this many milliseconds late means that this tab was busy: messages that
 * arrived meanwhile are read first. In hidden tabs, browsers fire timers at full seconds only.
 */
const BUSY_MS = 300;
/**
 * An alarm this many milliseconds late means that the machine slept: no tab could answer, so the
 * leader is pinged once more. Only once, since in a tab that was hidden for minutes every alarm is
 * this late (Chromium: once a minute); it detects a silent leader at the third.
 */
const SLEPT_MS = 2000;

/** Watches the leader of this tab's group. */
export interface LeaderMonitor {
  /**
   * The time that a leader has to answer a ping, in milliseconds. Followers use that of their
   * leader.
   */
  answerMs: number;
  /** Notes that the leader is alive, and starts watching it. */
  alive(): void;
  /**
   * Notes that another tab pinged. One tab asks for all, and acts on the answer; otherwise all
   * would take over from each other.
   */
  pinged(): void;
  /**
   * Notes that `leader` was replaced. If the one that was replaced before never returned, it was
   * dead.
   */
  replaced(leader: string): void;
  /**
   * Notes that the tab of this stream follows. If it led until just now it was not dead, so the
   * next leader gets more time to answer.
   */
  follows(stream: string): void;
}

/**
 * Returns a monitor that calls `ping` when the leader is silent, and `lost` when it does not
 * answer. `alarm` sets the one timer of the tab, in place of what was set before.
 */
export function monitorLeader(
  { now, random }: Pick<TabEnvironment, 'now' | 'random'>,
  alarm: (ms: number, fn: () => void) => void,
  ping: () => void,
  lost: () => void,
): LeaderMonitor {
  const pingAfterMs = MIN_SILENCE_MS + random() * SILENCE_RANGE_MS;
  let lastActivity = now();
  /** When the ping was sent that is not answered yet. */
  let pingedAt: number | undefined;
  /** The leader before this one, and when it was replaced. */
  let before = '';
  let replacedAt = 0;
  /** The alarm was late, and messages that arrived meanwhile have been read. */
  let read = false;
  /** The alarm was so late that the leader was pinged again. */
  let again = false;
  /** When the alarm is to fire. */
  let due = 0;

  const wait = (ms: number) => {
    due = now() + ms;
    alarm(ms, check);
  };

  const check = () => {
    const time = now();
    const end = pingedAt === undefined ? lastActivity + pingAfterMs : pingedAt + monitor.answerMs;
    const late = time - due;
    if (time < end) {
      wait(end - time);
    } else if (pingedAt === undefined || (late > SLEPT_MS && !again)) {
      again = pingedAt !== undefined;
      pingedAt = time;
      read = false;
      wait(monitor.answerMs);
      ping();
    } else if (late > BUSY_MS && !read && !again) {
      read = true;
      wait(0);
    } else {
      monitor.alive();
      lost();
    }
  };

  const monitor: LeaderMonitor = {
    answerMs: MIN_ANSWER_MS,
    alive() {
      lastActivity = now();
      pingedAt = undefined;
      again = false;
      wait(pingAfterMs);
    },
    pinged() {
      if (pingedAt === undefined) monitor.alive();
    },
    replaced(leader) {
      if (!leader) return;
      if (before && now() - replacedAt >= SOON_MS) monitor.answerMs = MIN_ANSWER_MS;
      before = leader;
      replacedAt = now();
    },
    follows(stream) {
      if (!before || !stream.startsWith(`${before}.`)) return;
      before = '';
      const soon = now() - replacedAt < SOON_MS;
      monitor.answerMs = soon ? Math.min(monitor.answerMs * 2, MAX_ANSWER_MS) : MIN_ANSWER_MS;
    },
  };
  return monitor;
}
