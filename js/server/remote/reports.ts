// The errors of a publisher that no caller receives: what lasts is reported when it begins.
import { HubError } from '../errors.js';

/** What may last: the server, the space of the queue, and whether losses can be announced. */
export type Matter = 'server' | 'queue' | 'announcement';

/** Reports errors to the application. */
export class Reports {
  readonly #onError: (error: HubError) => void;
  readonly #states = new Map<Matter, string>();

  constructor(onError: (error: HubError) => void) {
    this.#onError = onError;
  }

  /** Reports an error. Never throws. */
  report(error: unknown): void {
    const known = error instanceof HubError ? error : new HubError('unexpected', String(error), { cause: error });
    try {
      this.#onError(known);
    } catch (thrown) {
      console.error(thrown);
    }
  }

  /** Reports an error, unless the last one of this matter had the same code. */
  enter(matter: Matter, error: HubError): void {
    if (this.#states.get(matter) === error.code) return;
    this.#states.set(matter, error.code);
    this.report(error);
  }

  /** This matter is in order: the next error of it is reported. */
  leave(matter: Matter): void {
    this.#states.delete(matter);
  }
}
