// Tokens that were used, where a token opens one stream only (the option `singleUse`). Pure: the
// time comes in.
//
// The price: a native `EventSource` that is cut retries with the address it has, so with a used
// token. That is refused, the browser gives up, and the client asks for a token and opens the next
// stream: each glitch costs a request for a token, and pages that do not run this project's client
// stay disconnected.
import type { Claims } from './claims.js';
import { ExpiringMap } from './expiring-map.js';

/** What used tokens may take in memory, in bytes: about 200,000 tokens. */
export const BYTES = 64 << 20;
/**
 * What those of one user may take: about 3,000 tokens at a time. So no user takes the memory that
 * others need.
 */
const BYTES_USER = BYTES / 64;
/** What an entry takes besides its names, in bytes; measured in Node with short names. */
const OVERHEAD = 260;

/**
 * What a token is that is shown: used for the first time, used again, or impossible to remember, so
 * that it must not be used now.
 */
export type Use = 'first' | 'again' | 'full';

/**
 * The tokens that were used and would otherwise be valid. None is forgotten while it is valid.
 *
 * ```ts
 * const used = new SingleUse();
 * used.take(claims, Date.now()); // 'first'
 * used.take(claims, Date.now()); // 'again'
 * ```
 */
export class SingleUse {
  /** Until when each would be valid, and whose it is. */
  readonly #used = new ExpiringMap<string>();
  /** What the tokens of each user take. */
  readonly #users = new Map<string, number>();
  #bytes = 0;

  /** Bytes that the used tokens take. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Uses a token, unless it was used. Without a `jti` it can't be distinguished from others, so it
   * is as good as used.
   */
  take({ jti, sub, exp }: Claims, now: number): Use {
    if (jti === '' || this.#used.has(jti)) return 'again';
    this.#used.forget(now, (name, user) => this.#count(user, -costOf(name, user)));
    const cost = costOf(jti, sub);
    if (this.#bytes + cost > BYTES || (this.#users.get(sub) ?? 0) + cost > BYTES_USER) return 'full';
    this.#used.set(jti, exp * 1_000, sub);
    this.#count(sub, cost);
    return 'first';
  }

  /** Makes a token unused: nothing was opened with it after all. */
  giveBack({ jti }: Claims): void {
    const user = this.#used.delete(jti);
    if (user !== undefined) this.#count(user, -costOf(jti, user));
  }

  #count(user: string, cost: number): void {
    this.#bytes += cost;
    const bytes = (this.#users.get(user) ?? 0) + cost;
    if (bytes > 0) this.#users.set(user, bytes);
    else this.#users.delete(user);
  }
}

function costOf(jti: string, user: string): number {
  return 2 * jti.length + user.length + OVERHEAD;
}
