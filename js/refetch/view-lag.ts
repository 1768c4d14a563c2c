// The delay between a query's state and its rendered view.
import { lastTick } from './logical-clock.js';
import type { SchedulerEnv } from './query.js';

/**
 * A rendered view is at most this far behind: TanStack Query notifies by `setTimeout(0)`, which
 * browsers stretch to 4 ms.
 */
export const viewLagMs = 5;

/**
 * Knows up to which tick every rendered view is current. A timer that is set later fires later,
 * however busy the page is.
 */
export class Lag {
  /** Rendered views show every fetch that started up to this tick. */
  covered = 0;
  /** Rounds so far. */
  rounds = 0;
  readonly #env: SchedulerEnv;
  readonly #passed: () => void;
  #running = false;
  #wanted = 0;

  /** Calls `passed` after each round. */
  constructor(env: SchedulerEnv, passed: () => void) {
    this.#env = env;
    this.#passed = passed;
  }

  /** Moves `covered` to the present tick, {@link viewLagMs} from now. */
  start(): void {
    this.#wanted = lastTick();
    if (this.#running) return;
    this.#running = true;
    const target = this.#wanted;
    this.#env.setTimeout(() => {
      this.#running = false;
      this.covered = target;
      this.rounds += 1;
      if (this.#wanted > target) this.start();
      this.#passed();
    }, viewLagMs);
  }
}
