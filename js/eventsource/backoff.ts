// When the next connection of an EventSource may be made.

/**
 * The least delay between two connections, in milliseconds, whatever a server's `retry:` asks for.
 */
export const MIN_DELAY_MS = 250;
/**
 * The upper end of the range of delays, in milliseconds, unless the server asks for a longer one.
 */
const MAX_RANGE_MS = 30_000;
/** The most connections within {@link CONNECT_WINDOW_MS}, whatever happens. */
const MAX_CONNECTS = 20;
/** The window in which connections are counted, in milliseconds. */
const CONNECT_WINDOW_MS = 15_000;
/** The longest timer, in milliseconds: HTML keeps its time in 32 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Returns the delay before each connection, as the standard has it: wait the reconnection time,
 * then "optionally, wait some more".
 *
 * Delays are uniform between the reconnection time and an end that doubles with each connection in
 * a row that was not stable, up to 30 seconds. The first delay after the server chose a time
 * exceeds that time by at most 5 %.
 */
export class Backoff {
  #failures = 0;
  readonly #starts: number[] = [];

  /**
   * Returns the delay before the next connection, in milliseconds; `chosen` is true if the server
   * chose the reconnection time.
   */
  delay(reconnectionTime: number, chosen: boolean, random: number = Math.random()): number {
    const least = Math.max(reconnectionTime, MIN_DELAY_MS);
    const kept = least * 1.05;
    const first = chosen && this.#failures === 0;
    const end = first ? kept : Math.max(kept, Math.min(MAX_RANGE_MS, least * 1.5 * 2 ** this.#failures));
    this.#failures += 1;
    return Math.min(least + random * (end - least), MAX_TIMER_MS);
  }

  /** Forgets the failures, because a connection was stable. */
  stable(): void {
    this.#failures = 0;
  }

  /** Counts a connection that starts. */
  started(now: number): void {
    this.#starts.push(now);
    if (this.#starts.length > MAX_CONNECTS) this.#starts.shift();
  }

  /** Returns the time until another connection may start, in milliseconds; 0 for now. */
  hold(now: number): number {
    const [first = 0] = this.#starts;
    return this.#starts.length < MAX_CONNECTS ? 0 : Math.max(0, first + CONNECT_WINDOW_MS - now);
  }
}
