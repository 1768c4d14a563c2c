// The scheduler of refetches: which query runs when, and which components share a request.
import type { Counters } from '../model/counters.js';
import { report } from '../model/errors.js';
import { matches, overlap } from '../model/patterns.js';
import type { Gap } from '../model/snapshot.js';
import { accepts, changed, type Entry, entryOf } from './entry.js';
import { LastNotified, type Stamp } from './last-notified.js';
import { lastTick, tick } from './logical-clock.js';
import type { Handle, Outcome, Query, SchedulerEnv, View } from './query.js';
import { Lag, viewLagMs } from './view-lag.js';

/** Updates that come together (a replay, one change under two names) share one request. */
const gatherMs = 5;
/** A call waits at most this many rounds for the view to catch up with ever newer notifications. */
const patienceRounds = 3;
/** A fetch that takes this long may be one whose end is never observed. */
const stuckMs = 30_000;
/**
 * A library fetches by itself within this time after a mount, another key, or being enabled, if it
 * does at all.
 */
const ownFetchMs = 50;
/**
 * Data this young when its component mounts was fetched for it, perhaps by a suspended render ...
 */
const justFetchedMs = 1000;
/** ... which started at most this long before. */
const longFetchMs = 10_000;
/** No turn of the event loop is taken to be longer. */
const longTurnMs = 100;
const rememberedTypes = 1000;
/** HTML keeps the time of a timer in 32 bits; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Decides when to refetch, by one rule: **a query is fresh only if its last fetch started after its
 * last notification.**
 *
 * ```ts
 * const coordinator = new Coordinator(env);
 * const handle = coordinator.add({ ...staleQuery, types: ['projects'] });
 * coordinator.update('projects', update, { own: false, spread: 0 }); // fetches
 * ```
 *
 * One entry per mounted component: idle, fetching, or dirty. Notified while idle, it fetches at
 * once (after 5 ms, for what comes together); while fetching, again when that settles; while
 * disabled, when it is enabled, unless the library does; no fetch is ever cancelled. Two starts are
 * `minIntervalMs` apart, and the last notification of a storm always gets its fetch: this is no
 * debounce, which a steady stream would starve. A failed fetch counts as a fetch: its retries are
 * the query's own policy, and the next notification asks again.
 *
 * **Fetches that others start.** A joined fetch that started before the notification brings old
 * data. So a call is made only when the view is idle *and no older than the notification*: whatever
 * is in flight then started after it, and may be joined. An exact view is never old. A rendered one
 * is up to `viewLagMs` behind, so the call waits that long (see {@link Lag}). What cannot be known
 * is taken for old: the price is a needless fetch, never a lost update.
 *
 * Absent here: React, the DOM, query libraries, the clock. Memory: one entry a mounted component,
 * 1000 types remembered.
 */
export class Coordinator {
  readonly #env: SchedulerEnv;
  readonly #counters: Pick<Counters, 'refetches' | 'saved'>;
  readonly #entries = new Set<Entry>();
  readonly #lastNotified = new LastNotified(rememberedTypes);
  readonly #lag: Lag;
  /** Data without a time, and the tick after which its fetch is known to have started. */
  #fresh = new WeakMap<object, number>();
  #pumping: 'no' | 'yes' | 'again' = 'no';
  #timer: unknown;
  /** When the views of this turn are observed. */
  #seen: number | undefined;

  /** Counts in the counters. */
  constructor(env: SchedulerEnv, counters: Pick<Counters, 'refetches' | 'saved'> = { refetches: 0, saved: 0 }) {
    this.#env = env;
    this.#counters = counters;
    this.#lag = new Lag(env, () => this.#pump());
  }

  /** Handles an update: `own` if this tab caused it, `spread` in milliseconds. */
  update(type: string, update: unknown, { own, spread }: { own: boolean; spread: number }): void {
    const stamp = this.#stamp();
    this.#lastNotified.note(type, stamp, own);
    // One draw a tab, not a query: components on one query must stay together to share a request.
    const delay = spread > 0 ? this.#env.random() * spread : 0;
    for (const entry of this.#entries) {
      const { query } = entry;
      if (!matches(query.types, type) || (own && !query.own) || !accepts(query, update)) continue;
      this.#notify(entry, stamp, delay);
    }
    this.#pump();
  }

  /** Handles a gap: updates of these types (null: of all) may have been missed. */
  resync(types: readonly string[] | null, gap: Gap): void {
    const stamp = this.#stamp();
    if (types === null) this.#lastNotified.noteAll(stamp);
    else for (const type of types) this.#lastNotified.note(type, stamp, false);
    const draw = gap === 'first' ? 0 : this.#env.random();
    for (const entry of this.#entries) {
      const { query } = entry;
      if (!query.resync || (types !== null && !overlap(query.types, types))) continue;
      this.#notify(entry, stamp, draw * query.resyncJitterMs);
    }
    this.#pump();
  }

  /** Forgets every notification, answered or not: they were those of another user. */
  clear(): void {
    this.#lastNotified.clear();
    this.#fresh = new WeakMap();
    for (const entry of this.#entries) Object.assign(entry, { due: undefined, notified: 0, notifiedAt: 0 });
    this.#pump();
  }

  /** The page is visible again. */
  shown(): void {
    const now = this.#env.now();
    // Libraries refetch on focus too. Let them, and let it show, or there would be two requests.
    for (const entry of this.#entries) {
      if (entry.due !== undefined) entry.due = Math.max(entry.due, now + viewLagMs);
    }
    this.#pump();
  }

  /**
   * Begins to keep a query fresh. Data that is older than a notification from before is fetched
   * now.
   */
  add(query: Query): Handle {
    const now = this.#seenAt();
    const entry = entryOf(query, this.#lastNotified.last(query.types, query.own), now);
    this.#entries.add(entry);
    const view = query.view();
    const { started, startedAt, updatedAt } = view;
    if (!started && !startedAt && !view.fetching && updatedAt && now - updatedAt < justFetchedMs) {
      // Fetched just before the mount, by a render that was suspended: it may have started before
      // the notification.
      entry.shown = updatedAt;
      if (entry.notified > 0 && entry.notifiedAt > updatedAt - longFetchMs) this.#overdue(entry, gatherMs);
    }
    this.#observe(entry, view);
    return {
      observe: (next) => this.#observe(entry, next),
      remove: () => {
        this.#entries.delete(entry);
        if (this.#entries.size === 0) this.#sleep();
      },
    };
  }

  #stamp(): Stamp {
    const stamp = { tick: tick(), at: this.#env.now() };
    this.#lag.start();
    return stamp;
  }

  #notify(entry: Entry, stamp: Stamp, delay: number): void {
    const due = stamp.at + Math.max(delay, gatherMs);
    entry.notified = stamp.tick;
    entry.notifiedAt = stamp.at;
    entry.blocked = false;
    if (entry.due === undefined) {
      entry.due = due;
      entry.patience = this.#lag.rounds + patienceRounds;
    } else {
      this.#counters.saved += 1;
      // With a spread the first draw counts: the earliest of many draws would be no spread at all.
      if (delay === 0) entry.due = Math.min(entry.due, due);
    }
  }

  /** The data shown is older than the last notification, or may be. */
  #overdue(entry: Entry, delay: number): void {
    entry.due = this.#seenAt() + delay;
    entry.patience = this.#lag.rounds + patienceRounds;
  }

  #observe(entry: Entry, view: View): void {
    if (!this.#entries.has(entry)) return;
    const before = entry.view;
    const now = this.#seenAt();
    const rendered = !view.started;
    entry.view = view;
    if (changed(before, view)) entry.blocked = false;
    if (view.fetching && !before.fetching) {
      entry.rose = true;
      // Not ours, first seen now, and not in flight when the view was last known to be idle.
      if (!entry.flight) {
        entry.busySince = now;
        if (rendered) {
          this.#began(entry, this.#lag.covered, now);
          if (entry.notified <= entry.started) this.#answered(entry);
        }
      }
    }
    if (entry.due !== undefined) {
      // The other components of the query see its end in this moment too; one that called first
      // would look busy to them.
      if (rendered && before.fetching && !view.fetching) entry.due = Math.max(entry.due, now + gatherMs);
      if (before.enabled === false && view.enabled !== false) entry.due = Math.max(entry.due, now + ownFetchMs);
    }
    if (view.started) this.#compare(entry, view.started);
    else if (!view.fetching) this.#age(entry, before);
    this.#pump();
  }

  /**
   * Now; the same for all views of one turn. Else components on one query would be due, and call,
   * one after the other.
   */
  #seenAt(): number {
    const now = this.#env.now();
    // The timer of a hidden tab may be a minute late.
    if (this.#seen === undefined || now - this.#seen > longTurnMs) {
      this.#seen = now;
      this.#env.setTimeout(() => {
        this.#seen = undefined;
      }, 0);
    }
    return this.#seen;
  }

  /**
   * An exact view: the query may be another one now, so its last start is taken as it is, even if
   * it is earlier.
   */
  #compare(entry: Entry, started: Stamp): void {
    entry.started = started.tick;
    entry.startedAt = started.at;
    if (entry.notified <= entry.started) this.#answered(entry);
    else entry.due ??= this.#seenAt();
  }

  /**
   * A rendered view is idle: is its data (of another key, from a cache, of another fetch) older
   * than the notification?
   */
  #age(entry: Entry, before: View): void {
    const { startedAt, updatedAt, data } = entry.view;
    const shown = startedAt ?? updatedAt ?? data;
    const same = shown === entry.shown;
    entry.shown = shown;
    let fresh = same;
    if (startedAt) {
      if (startedAt > entry.notifiedAt) this.#answered(entry);
      fresh ||= startedAt > entry.notifiedAt;
    } else if (updatedAt !== undefined) {
      fresh ||= !updatedAt || updatedAt >= entry.notifiedAt;
    } else if (typeof data === 'object' && data) {
      // The result of a fetch that was seen, or that of our own, which settles before it is
      // rendered.
      if (before.fetching || entry.flight || entry.landed > this.#lag.covered) this.#fresh.set(data, entry.started);
      fresh ||= (this.#fresh.get(data) ?? 0) >= entry.notified;
    } else fresh ||= data === undefined || entry.notified === 0;
    if (!fresh && !entry.flight && entry.due === undefined) this.#overdue(entry, ownFetchMs);
  }

  /** A fetch is known to have started after the notification `after`. */
  #began(entry: Entry, after: number, now: number): void {
    entry.started = Math.max(entry.started, after);
    entry.startedAt = now;
  }

  /** A fetch that is not ours started after the notification. */
  #answered(entry: Entry): void {
    if (entry.due !== undefined) this.#counters.saved += 1;
    entry.due = undefined;
  }

  /** Fetches what is due, and sleeps until the next is. */
  #pump(): void {
    if (this.#pumping !== 'no') {
      this.#pumping = 'again';
      return;
    }
    const now = this.#env.now();
    do {
      this.#pumping = 'yes';
      // All in one go: components on one query join the request of the first, or see it and need
      // none.
      for (const entry of [...this.#entries]) {
        if (this.#entries.has(entry) && this.#when(entry) <= now) this.#fetch(entry, now);
      }
    } while ((this.#pumping as string) === 'again');
    this.#pumping = 'no';
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries) next = Math.min(next, this.#when(entry));
    this.#sleep(next - now);
  }

  #when({ query, view, due, blocked, notified, after, patience, flight, ...entry }: Entry): number {
    const { covered, rounds } = this.#lag;
    if (due === undefined || blocked || view.enabled === false || (query.onlyVisible && this.#env.hidden()))
      return Number.POSITIVE_INFINITY;
    // Counted in turns of the event loop, not in time: a page that is busy renders late, and its
    // timers are as late.
    if (!view.started && covered < Math.max(notified, after) && rounds < patience) return Number.POSITIVE_INFINITY;
    const when = Math.max(due, entry.startedAt + query.minIntervalMs);
    return flight || (view.fetching && !view.silent) ? Math.max(when, entry.busySince + stuckMs) : when;
  }

  #fetch(entry: Entry, now: number): void {
    const { query, view } = entry;
    const busy = entry.flight !== undefined || (view.silent ? query.view() : view).fetching;
    const flight = {};
    this.#counters.refetches += 1;
    entry.flight = flight;
    entry.busySince = now;
    entry.rose = false;
    if (busy) {
      // This may join what is stuck, or what is silent, and proves nothing; but its end is
      // observed.
      entry.view = { ...view, fetching: false };
      entry.startedAt = now;
    } else {
      this.#began(entry, view.started ? lastTick() : this.#lag.covered, now);
      if (entry.notified <= entry.started) entry.due = undefined;
      entry.patience = this.#lag.rounds + patienceRounds;
      if (view.group !== undefined) this.#holdBack(entry);
    }
    const settled = (outcome: Outcome) => {
      if (entry.flight !== flight) return;
      entry.flight = undefined;
      entry.landed = tick();
      if (!this.#entries.has(entry)) return;
      if (view.data !== undefined) this.#lag.start();
      if (outcome === null && !entry.rose) {
        entry.blocked = true;
        entry.due ??= now;
      } else if (outcome && outcome <= entry.notifiedAt) entry.due ??= now;
      this.#pump();
    };
    let fetching: ReturnType<Query['fetch']>;
    try {
      fetching = query.fetch();
    } catch (thrown) {
      report(thrown);
    }
    Promise.resolve(fetching).then(settled, () => settled(undefined));
  }

  /** The others that may show the same query look first whether the fetch of this one is theirs. */
  #holdBack(entry: Entry): void {
    const after = tick();
    for (const mate of this.#entries) {
      if (mate === entry || mate.due === undefined || mate.view.group !== entry.view.group) continue;
      mate.after = after;
      mate.patience = this.#lag.rounds + patienceRounds;
    }
    this.#lag.start();
  }

  #sleep(ms = Number.POSITIVE_INFINITY): void {
    this.#env.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#env.setTimeout(() => this.#pump(), Math.min(Math.max(1, Math.ceil(ms)), longestTimerMs));
  }
}
