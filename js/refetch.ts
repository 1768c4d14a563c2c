import { report } from './errors.js';
import { Heard, type Stamp } from './heard.js';
import type { Handle, Job, View, World } from './job.js';
import { matches, overlap } from './match.js';
import type { Tally } from './tally.js';
import { lastTick, tick } from './tick.js';
import type { Gap } from './types.js';

interface Entry {
  readonly job: Job;
  /** The last notification, on the logical clock. */
  notified: number;
  /** Every notification up to here is answered: a fetch is known to have started after it. */
  started: number;
  /** When the last fetch is known to have started, in milliseconds. */
  startedAt: number;
  /** When to fetch; undefined if fresh. */
  due: number | undefined;
  /** The round of `#cover` after which it waits for the view no longer. */
  patience: number;
  /** The fetch that we asked for and that has not settled. */
  flight: object | undefined;
  /** The last view said that a fetch is under way. */
  fetching: boolean;
  /** Since when there is a fetch under way. */
  busySince: number;
  updatedAt: number | undefined;
  /** When it was last heard of in milliseconds, for comparison with `updatedAt`. */
  heardAt: number;
}

/** A rendered view is at most this far behind: TanStack Query notifies by `setTimeout(0)`, which browsers stretch to 4 ms. */
export const viewLagMs = 5;
/** Updates that come together (a replay, one change under two names) get one request between them. */
const gatherMs = 5;
/** A call waits no more than this many times for the view to catch up with ever newer notifications. */
const patienceRounds = 3;
/** A fetch that takes this long may be one that nobody tells us the end of. */
const stuckMs = 30_000;
/** Data this young when its component mounts was fetched for it, perhaps by a suspended render ... */
const justFetchedMs = 1000;
/** ... which started at most this long before. */
const longFetchMs = 10_000;
/** No turn of the event loop is taken to be longer. */
const longTurnMs = 100;
const rememberedTypes = 1000;
/** HTML keeps the time of a timer in 32 bits; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Decides when to refetch, by one rule: **a query is fresh only if its last fetch started after its last notification.**
 *
 * ```ts
 * const coordinator = new Coordinator(world);
 * const handle = coordinator.add({ types: ['projects'], fetch: () => query.refetch({ cancelRefetch: false }), ... });
 * coordinator.update('projects', update, { own: false, spread: 0 }); // fetches
 * ```
 *
 * Per query: idle, fetching, or dirty. Notified while idle, it fetches at once (after 5 ms, for what comes together); while
 * fetching, again when that settles; no fetch is ever cancelled. Two starts are `minIntervalMs` apart, and the last
 * notification of a storm always gets its fetch: this is no debounce, which a steady stream would starve. A failed fetch
 * counts as a fetch: its retries are the query's own policy, and the next notification asks again.
 *
 * **Fetches that others start.** A joined fetch that started before the notification brings old data. So a call is made only
 * when the view is idle *and no older than the notification*: whatever is in flight then started after it, and may be joined.
 * An exact view is never old. A rendered one is up to `viewLagMs` behind, so the call waits that long: `#covered` is the
 * newest notification that every rendered view is known to be later than. What cannot be told is taken for old: the price is
 * a needless fetch, never a lost update.
 *
 * Absent here: React, the DOM, TanStack Query, the clock. Memory: one entry a mounted component, 1000 types remembered.
 */
export class Coordinator {
  readonly #world: World;
  readonly #tally: Pick<Tally, 'refetches' | 'saved'>;
  readonly #entries = new Set<Entry>();
  readonly #heard = new Heard(rememberedTypes);
  #covered = 0;
  #covering = false;
  #rounds = 0;
  #pumping: 'no' | 'yes' | 'again' = 'no';
  #timer: unknown;
  /** When the views of this turn are seen. */
  #seen: number | undefined;

  /** Counts in the tally. */
  constructor(world: World, tally: Pick<Tally, 'refetches' | 'saved'> = { refetches: 0, saved: 0 }) {
    this.#world = world;
    this.#tally = tally;
  }

  /** An update came: `own` if this tab caused it, `spread` in milliseconds. */
  update(type: string, update: unknown, { own, spread }: { own: boolean; spread: number }): void {
    const stamp = this.#stamp();
    this.#heard.note(type, stamp, own);
    // One draw a tab, not a query: components on one query must stay together to share a request.
    const delay = spread > 0 ? this.#world.random() * spread : 0;
    for (const entry of this.#entries) {
      const { job } = entry;
      if (!matches(job.types, type) || (own && !job.own) || !accepts(job, update)) continue;
      entry.heardAt = stamp.at;
      this.#notify(entry, stamp, delay);
    }
    this.#pump();
  }

  /** Updates of these types (null: of all) may have been missed. */
  resync(types: readonly string[] | null, gap: Gap): void {
    const stamp = this.#stamp();
    if (types === null) this.#heard.noteAll(stamp);
    else for (const type of types) this.#heard.note(type, stamp, false);
    const draw = gap === 'first' ? 0 : this.#world.random();
    for (const entry of this.#entries) {
      const { job } = entry;
      if (!job.resync || (types !== null && !overlap(job.types, types))) continue;
      entry.heardAt = stamp.at;
      this.#notify(entry, stamp, draw * job.resyncJitterMs);
    }
    this.#pump();
  }

  /** The page is looked at again. */
  shown(): void {
    const now = this.#world.now();
    // Others refetch on focus too. Let them, and let it show, or there would be two requests.
    for (const entry of this.#entries) {
      if (entry.due !== undefined) entry.due = Math.max(entry.due, now + viewLagMs);
    }
    this.#pump();
  }

  /** Begins to keep a query fresh. What was heard of before, and its data does not have, is fetched now. */
  add(job: Job): Handle {
    const now = this.#seenAt();
    const heard = this.#heard.last(job.types, job.own);
    const entry: Entry = {
      job,
      notified: 0,
      started: 0,
      startedAt: Number.NEGATIVE_INFINITY,
      due: undefined,
      patience: 0,
      flight: undefined,
      fetching: false,
      busySince: now,
      updatedAt: undefined,
      heardAt: heard.at,
    };
    this.#entries.add(entry);
    const view = job.view();
    if (job.exact) {
      entry.notified = heard.tick;
    } else if (!view.fetching && view.updatedAt && now - view.updatedAt < justFetchedMs) {
      // Fetched just before the mount, by a render that was suspended: it may have started before what we heard.
      entry.updatedAt = view.updatedAt;
      if (heard.tick > 0 && heard.at > view.updatedAt - longFetchMs) this.#notify(entry, this.#stamp(now), 0);
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

  #stamp(at = this.#world.now()): Stamp {
    return { tick: tick(), at };
  }

  #notify(entry: Entry, stamp: Stamp, delay: number): void {
    const due = stamp.at + Math.max(delay, gatherMs);
    entry.notified = stamp.tick;
    if (entry.due === undefined) {
      entry.due = due;
      entry.patience = this.#rounds + patienceRounds;
    } else {
      this.#tally.saved += 1;
      if (delay === 0) entry.due = Math.min(entry.due, due);
    }
    // With a spread the first draw stands: the earliest of many draws would be no spread at all.
    if (!entry.job.exact) this.#cover();
  }

  /** Learns when all rendered views are later than the notifications so far; a timer set later fires later. */
  #cover(): void {
    if (this.#covering) return;
    this.#covering = true;
    const target = lastTick();
    this.#world.setTimeout(() => {
      this.#covering = false;
      this.#covered = target;
      this.#rounds += 1;
      for (const entry of this.#entries) {
        if (!entry.job.exact && entry.notified > target) this.#cover();
      }
      this.#pump();
    }, viewLagMs);
  }

  #coveredBy(entry: Entry): number {
    return entry.job.exact ? lastTick() : this.#covered;
  }

  #observe(entry: Entry, view: View): void {
    if (!this.#entries.has(entry)) return;
    const now = this.#seenAt();
    if (view.fetching && !entry.fetching) {
      // Not ours, first seen now, and not under way when the view was last known to be idle.
      if (!entry.flight) {
        entry.busySince = now;
        if (!entry.job.exact) {
          this.#began(entry, this.#covered, now);
          if (entry.notified <= entry.started) this.#answered(entry);
        }
      }
    }
    if (entry.fetching && !view.fetching && entry.due !== undefined && !entry.job.exact) {
      // The other components of the query hear of it in this moment too; one that called first would look busy to them.
      entry.due = Math.max(entry.due, now + gatherMs);
    }
    entry.fetching = view.fetching;
    if (view.started) this.#compare(entry, view.started);
    else if (!entry.job.exact && !view.fetching) this.#age(entry, view.updatedAt);
    this.#pump();
  }

  /** Now; the same for all views that one turn shows. Else components on one query would be due one after the other, and ask so. */
  #seenAt(): number {
    const now = this.#world.now();
    // The timer of a hidden tab may be a minute late.
    if (this.#seen === undefined || now - this.#seen > longTurnMs) {
      this.#seen = now;
      this.#world.setTimeout(() => {
        this.#seen = undefined;
      }, 0);
    }
    return this.#seen;
  }

  /** An exact view: the query may be another one now, so its last start is taken as it is, even if it is earlier. */
  #compare(entry: Entry, started: Stamp): void {
    entry.started = started.tick;
    entry.startedAt = started.at;
    if (entry.notified <= entry.started) this.#answered(entry);
    else entry.due ??= this.#seenAt();
  }

  /** A rendered view shows other data (another key, a cache): is it older than what we heard? */
  #age(entry: Entry, updatedAt: number | undefined): void {
    if (updatedAt === entry.updatedAt) return;
    entry.updatedAt = updatedAt;
    if (!updatedAt || updatedAt >= entry.heardAt || entry.flight || entry.due !== undefined) return;
    this.#notify(entry, this.#stamp(this.#seenAt()), 0);
  }

  /** A fetch is known to have started after the notification `after`. */
  #began(entry: Entry, after: number, now: number): void {
    entry.started = Math.max(entry.started, after);
    entry.startedAt = now;
  }

  /** A fetch that we did not ask for started after the notification. */
  #answered(entry: Entry): void {
    if (entry.due !== undefined) this.#tally.saved += 1;
    entry.due = undefined;
  }

  /** Fetches what is due, and sleeps until the next is. */
  #pump(): void {
    if (this.#pumping !== 'no') {
      this.#pumping = 'again';
      return;
    }
    const now = this.#world.now();
    do {
      this.#pumping = 'yes';
      // All in one go: components on one query join the request of the first, or see it and need none.
      for (const entry of [...this.#entries]) {
        if (this.#entries.has(entry) && this.#when(entry) <= now) this.#fetch(entry, now);
      }
    } while ((this.#pumping as string) === 'again');
    this.#pumping = 'no';
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries) next = Math.min(next, this.#when(entry));
    this.#sleep(next - now);
  }

  #when(entry: Entry): number {
    if (entry.due === undefined || (entry.job.onlyVisible && this.#world.hidden())) return Number.POSITIVE_INFINITY;
    // Counted in turns of the event loop, not in time: a page that is busy renders late, and its timers are as late.
    if (this.#coveredBy(entry) < entry.notified && this.#rounds < entry.patience) return Number.POSITIVE_INFINITY;
    let when = Math.max(entry.due, entry.startedAt + entry.job.minIntervalMs);
    if (entry.flight || entry.fetching) when = Math.max(when, entry.busySince + stuckMs);
    return when;
  }

  #fetch(entry: Entry, now: number): void {
    const busy = entry.flight !== undefined || entry.fetching;
    const flight = {};
    this.#tally.refetches += 1;
    entry.flight = flight;
    entry.busySince = now;
    if (busy) {
      // Stuck. This may join what is stuck and proves nothing, but its end will be told.
      entry.fetching = false;
      entry.startedAt = now;
    } else {
      this.#began(entry, this.#coveredBy(entry), now);
      if (entry.notified <= entry.started) entry.due = undefined;
      entry.patience = this.#rounds + patienceRounds;
    }
    const settled = () => {
      if (entry.flight !== flight) return;
      entry.flight = undefined;
      if (this.#entries.has(entry)) this.#pump();
    };
    let fetching: unknown;
    try {
      fetching = entry.job.fetch();
    } catch (thrown) {
      report(thrown);
    }
    Promise.resolve(fetching).then(settled, settled);
  }

  #sleep(ms = Number.POSITIVE_INFINITY): void {
    this.#world.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#world.setTimeout(() => this.#pump(), Math.min(Math.max(1, Math.ceil(ms)), longestTimerMs));
  }
}

function accepts(job: Job, update: unknown): boolean {
  try {
    return job.accepts(update);
  } catch (thrown) {
    report(thrown);
    return true;
  }
}
