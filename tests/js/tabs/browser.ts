// A browser of tabs in virtual time: locks, channels, timers.
import { TabElection } from '../../../js/tabs/election.js';
import type { Message, SharedStatus, TabClient, TabEnvironment } from '../../../js/tabs/messages.js';
import type { Frame } from '../../../js/tabs/replay-buffer.js';

interface Alarm {
  readonly at: number;
  readonly fn: () => void;
  readonly desk: Desk;
}

/** A browser in virtual time: one lock, one channel, and tabs that can stop. */
export class Browser {
  now = 0;
  tabs: Desk[] = [];
  holder: Desk | undefined;
  queue: Desk[] = [];
  #due: Alarm[] = [];

  after(desk: Desk, ms: number, fn: () => void): object {
    const timer = { at: this.now + ms, fn, desk };
    this.#due.push(timer);
    return timer;
  }

  cancel(timer: object | undefined): void {
    this.#due = this.#due.filter((other) => other !== timer);
  }

  /**
   * Everything that is due until then, in its order; a tab that is stopped does it when it goes on.
   */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      // The earliest, and of two the one that was asked for first.
      let next: Alarm | undefined;
      for (const alarm of this.#due) if (!alarm.desk.stopped && (!next || alarm.at < next.at)) next = alarm;
      if (!next || next.at > end) break;
      this.now = Math.max(this.now, next.at);
      this.cancel(next);
      if (!next.desk.dead) next.fn();
    }
    this.now = end;
  }

  grant(): void {
    if (this.holder) return;
    const next = this.queue.shift();
    if (!next) return;
    this.holder = next;
    this.#gives(next);
  }

  /** A tab that gave up meanwhile gets no lock. */
  #gives(desk: Desk): void {
    this.after(desk, 1, () => this.holder === desk && desk.tab.granted());
  }

  steal(desk: Desk): void {
    const before = this.holder;
    this.queue = this.queue.filter((other) => other !== desk);
    this.holder = desk;
    if (before && before !== desk) this.after(before, 1, () => before.tab.stolen());
    this.#gives(desk);
  }
}

/** A tab, with the session of its client: what it received is written down. */
export class Desk implements TabClient, TabEnvironment {
  readonly browser: Browser;
  readonly tab: TabElection;
  readonly heard: string[] = [];
  readonly said: Message[] = [];
  stopped = false;
  dead = false;
  /** Its alarms ring at multiples of this only, in milliseconds, as those of a hidden tab do. */
  grid = 1;
  leads: boolean | undefined;
  /** Its own stream is open. */
  opened = false;
  #opening: object | undefined;
  reconnects = 0;
  forgets = 0;
  ticket = 0;
  cursor = '';
  clientId: string | null = null;
  status = 'connecting';

  constructor(browser: Browser, name: string) {
    this.browser = browser;
    browser.tabs.push(this);
    this.tab = new TabElection(name, this, this);
    this.#follow();
  }

  #follow(): void {
    this.ticket += 1;
    this.tab.follow(this.ticket, this.cursor);
  }

  now = () => this.browser.now;
  setTimeout = (fn: () => void, ms: number) => {
    const at = this.browser.now + ms;
    return this.browser.after(this, Math.ceil(at / this.grid) * this.grid - this.browser.now, fn);
  };
  clearTimeout = (timer: unknown) => this.browser.cancel(timer as object);
  random = () => (this.browser.tabs.indexOf(this) % 10) / 10;
  changed = () => {};
  lock = (steal: boolean) => {
    if (steal) return this.browser.steal(this);
    this.browser.queue.push(this);
    this.browser.grant();
  };
  leave = () => {
    this.browser.queue = this.browser.queue.filter((other) => other !== this);
    if (this.browser.holder !== this) return;
    this.browser.holder = undefined;
    this.browser.grant();
  };
  post = (message: Message) => {
    this.said.push(message);
    for (const other of this.browser.tabs) {
      if (other !== this) this.browser.after(other, 2, () => other.tab.receive(structuredClone(message)));
    }
  };

  /** As the wasm does: leads by a stream of its own, follows by asking. */
  lead = (lead: boolean) => {
    this.leads = lead;
    this.opened = false;
    this.browser.cancel(this.#opening);
    if (lead) this.#opening = this.browser.after(this, 20, () => this.opens());
    else this.#follow();
  };
  relay = (_ticket: number, [event, id, data]: Frame) => {
    this.status = 'open';
    if (event === 'tinysse.hello') {
      const gap = new URLSearchParams(data).get('gap');
      if (gap !== 'none') this.heard.push(`resync ${gap}`);
      if (gap !== 'none' || !this.cursor) this.cursor = id;
      return;
    }
    if (event === 'tinysse.resync') this.heard.push(`resync ${new URLSearchParams(data).get('gap')}`);
    else if (!event.startsWith('tinysse.') && Number(id.slice(2)) > Number(this.cursor.slice(2))) this.heard.push(id);
    else if (event !== 'tinysse.beat') return;
    this.cursor = id;
  };
  /** As the client does: leaves the group, and ends what it has of the user. */
  forget = () => {
    this.forgets += 1;
    this.tab.close();
    this.cursor = '';
  };

  reconnect = () => {
    this.reconnects += 1;
  };
  shown = (): SharedStatus & { clientId: string | null } => ({
    status: this.status,
    error: null,
    attempt: 0,
    retryAt: null,
    clientId: this.clientId,
  });

  /** Its own stream opens, at the head of the log. */
  opens(): void {
    this.opened = true;
    this.status = 'open';
    this.clientId = 'hub';
    this.tab.shows();
    const [after, gap] = this.cursor ? [this.cursor, 'none'] : [log.head, 'first'];
    this.stream(['tinysse.hello', after, `client=c&after=${after}&head=${log.head}&beat=15000&gap=${gap}`]);
    for (const id of log.since(this.cursor)) this.stream(['x', id, '{}']);
  }

  /** Its own stream sends something. */
  stream(frame: Frame): void {
    this.relay(0, frame);
    this.tab.passed(frame);
  }

  die(): void {
    this.dead = true;
    this.browser.tabs = this.browser.tabs.filter((other) => other !== this);
    this.leave();
  }
}

/** What the hub published. */
export const log = {
  ids: ['e.0'],
  get head() {
    return this.ids.at(-1) as string;
  },
  since(cursor: string) {
    return cursor ? this.ids.slice(this.ids.indexOf(cursor) + 1) : [];
  },
};
