// The timers and chance of a publisher, so that tests can take their place.

/** What a publisher needs of its runtime. */
export interface RemoteClock {
  /**
   * Calls back after `ms` milliseconds. Returns a function that prevents that. The process waits
   * for a timer that keeps it alive.
   */
  setTimer(ms: number, work: () => void, keepsAlive: boolean): () => void;
  /** Returns the time in milliseconds since 1970. */
  now(): number;
  /** Returns a number in [0, 1). */
  random(): number;
}

/** The clock of the runtime. */
export const runtimeClock: RemoteClock = {
  setTimer(ms, work, keepsAlive) {
    const timer: unknown = setTimeout(work, ms);
    if (!keepsAlive) unref(timer);
    return () => clearTimeout(timer as number);
  },
  now: () => Date.now(),
  random: () => Math.random(),
};

function unref(timer: unknown): void {
  const { unref } = timer as { unref?: () => void };
  if (unref) unref.call(timer);
  // The timers of Deno are numbers.
  else (globalThis as { Deno?: { unrefTimer?(id: unknown): void } }).Deno?.unrefTimer?.(timer);
}
