/** No delay is shorter, whatever a server's `retry:` asks for. */
export const floor = 250;
/** No range of delays ends later, unless the server asks for more. */
const cap = 30_000;
/** At most this many connects in this many milliseconds, whatever happens. */
const most = 20;
const span = 15_000;
/** Longer than this no timer waits. */
const longest = 2 ** 31 - 1;

/**
 * When the next connection may be made. The standard: wait the reconnection time, then "optionally, wait some more".
 *
 * Delays are uniform between the reconnection time and an end that doubles with each connection in a row that did not prove good,
 * up to 30 seconds. The first of a time that the server chose itself is kept to within 5 %.
 */
export class Pace {
  #failures = 0;
  readonly #starts: number[] = [];

  /** The delay before the next connection, in milliseconds; `told` if the server chose the reconnection time. */
  delay(reconnectionTime: number, told: boolean, random: number = Math.random()): number {
    const least = Math.max(reconnectionTime, floor);
    const kept = least * 1.05;
    const first = told && this.#failures === 0;
    const end = first ? kept : Math.max(kept, Math.min(cap, least * 1.5 * 2 ** this.#failures));
    this.#failures += 1;
    return Math.min(least + random * (end - least), longest);
  }

  /** A connection proved good: failures are forgotten. */
  proved(): void {
    this.#failures = 0;
  }

  /** A connection is made. */
  started(now: number): void {
    this.#starts.push(now);
    if (this.#starts.length > most) this.#starts.shift();
  }

  /** How long it takes until another one may be made, in milliseconds. */
  hold(now: number): number {
    const [first] = this.#starts;
    return first === undefined || this.#starts.length < most ? 0 : Math.max(0, first + span - now);
  }
}
