// Which tokens no longer count because rights were taken away. Pure: the time comes in. The rule is
// that of the Rust server.
//
// A token has its position in one count of logins and revocations (`gen`). A revocation has a
// position in the same count, and ends what has that position or an earlier one. So a new login
// counts at once, and nothing about it needs to be stored.
//
// The count is a hybrid logical clock (Kulkarni et al., 2014): a new position is the time of day in
// milliseconds, or one more than the last known position if that is later. Many logins in one
// millisecond, a clock that was set back and another server whose clock is ahead all lead to
// positions ahead of the clock. So a position is compared with positions only.
//
// Tokens of other programs have no position. The time at which they were established is compared
// with the time of the revocation.
//
// Invariant: no revocation is forgotten while a token that it concerns could be valid, and none
// revokes more than it names. What is remembered has a bound in bytes; at the bound, new
// revocations are refused. Absent here: a store. A restart forgets all revocations, so tokens are
// to be valid for a short time only.
import { HubError } from '../errors.js';
import { type Claims, established } from './claims.js';
import { ExpiringMap } from './expiring-map.js';

/** What the revocations may take in memory, in bytes: about 230,000 users and tokens. */
export const BYTES = 64 << 20;
/** What an entry takes besides its name, in bytes; measured in Node with short names. */
const OVERHEAD = 220;

/** Whom a revocation concerns. */
export type Revoke =
  /** All that was issued to this user. */
  | { readonly user: string }
  /** The token of this `jti`, or the tokens of the login of this name (`sid`). */
  | { readonly jti: string }
  /** All that was established before this time, in milliseconds since 1970. */
  | { readonly beforeMs: number };

/** Up to where a user's tokens are revoked: a position, and a time for those that have none. */
interface UpTo {
  readonly place: number;
  readonly ms: number;
}

/**
 * The revocations that count.
 *
 * ```ts
 * const revocations = new Revocations(12 * 3_600_000, Date.now());
 * revocations.revoke({ user: 'ada' }, Date.now());
 * revocations.isRevoked(claims);
 * ```
 */
export class Revocations {
  readonly #life: number;
  readonly #begun: number;
  readonly #users = new ExpiringMap<UpTo>();
  readonly #jtis = new ExpiringMap<true>();
  #before = 0;
  #last = 0;
  #bytes = 0;

  /**
   * Nothing is revoked at `now`. `life` is for how long a revocation is remembered, in milliseconds:
   * no token and no login may be valid for longer.
   */
  constructor(life: number, now: number) {
    this.#life = life;
    this.#begun = now;
  }

  /** Bytes that the revocations take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns the position of a login that happens now. */
  generation(now: number): number {
    this.#last = Math.max(now, this.#last + 1);
    return this.#last;
  }

  /**
   * Takes note of the position of a token that counts. What is revoked from now on has a later one,
   * also if another server, whose clock is ahead, issued the token.
   */
  seen({ gen = 0 }: Claims): void {
    if (gen > this.#last) this.#last = gen;
  }

  /**
   * Takes rights away. Throws a {@link HubError} with the code `revocations_full` and status 503 if
   * as much is remembered as there is memory for; then nothing is revoked.
   */
  revoke(whom: Revoke, now: number): void {
    this.#forget(now);
    if ('beforeMs' in whom) {
      this.#before = Math.max(this.#before, whom.beforeMs);
      return;
    }
    const [map, name] = 'user' in whom ? [this.#users, whom.user] : [this.#jtis, whom.jti];
    const cost = map.has(name) ? 0 : costOf(name);
    if (this.#bytes + cost > BYTES) {
      const detail = 'as many revocations are remembered as there is memory for; nothing was revoked; repeat it later';
      throw new HubError('revocations_full', detail, { status: 503, retryAfter: 60 });
    }
    this.#bytes += cost;
    const place = this.generation(now);
    if ('jti' in whom) this.#jtis.set(name, now + this.#life, true);
    else this.#users.set(name, now + this.#life, { place, ms: Math.max(now, this.#users.get(name)?.ms ?? 0) });
  }

  /** Returns true if the rights behind a token are gone. */
  isRevoked(claims: Claims): boolean {
    if (established(claims) < this.#before) return true;
    const upTo = this.#users.get(claims.sub);
    if (upTo && this.#isUpTo(claims, upTo)) return true;
    return this.#jtis.size > 0 && (this.#jtis.has(claims.jti) || this.#jtis.has(claims.sid));
  }

  /** Returns true if the login of this name was ended. */
  isEnded(session: string): boolean {
    return this.#jtis.has(session);
  }

  #isUpTo(claims: Claims, { place, ms }: UpTo): boolean {
    if (claims.gen === undefined) return established(claims) <= ms;
    // Before a restart the count may have been ahead of where it began then.
    return claims.gen <= place || established(claims) < Math.min(this.#begun, ms);
  }

  #forget(now: number): void {
    const gone = (name: string) => {
      this.#bytes -= costOf(name);
    };
    this.#users.forget(now, gone);
    this.#jtis.forget(now, gone);
  }
}

function costOf(name: string): number {
  return 2 * name.length + OVERHEAD;
}
