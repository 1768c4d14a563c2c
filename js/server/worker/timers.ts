// The clock, timers and chance of a worker, so that tests can take their place.

/** What a worker needs of its runtime. */
export interface WorkerTimers {
  /** Whole milliseconds on a clock that never goes back. */
  now(): number;
  /** Calls back after `ms` milliseconds. Returns what {@link clearTimeout} takes. */
  setTimeout(work: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** A number in [0, 1). */
  random(): number;
}

/**
 * The timers of the runtime. They keep no process alive: what an application serves does that, and
 * a request under way until it ends.
 */
export const runtimeTimers: WorkerTimers = {
  now: () => Math.floor(performance.now()),
  setTimeout(work, ms) {
    const timer: unknown = setTimeout(work, ms);
    // Deno and browsers have numbers.
    (timer as { unref?: () => void }).unref?.();
    return timer;
  },
  clearTimeout: (timer) => clearTimeout(timer as number),
  random: () => Math.random(),
};
