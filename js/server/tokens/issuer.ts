// Issues stream tokens, verifies them, and ends them.
import { badOption, HubError } from '../errors.js';
import { AUDIENCE, type Claims, forged, readClaims, refusal, writeClaims } from './claims.js';
import type { JwkSet } from './jwk-set.js';
import { MAX_TOKEN, Signer } from './jwt.js';
import { checkKeys, type KeyOptions } from './key-options.js';
import { loadKeys } from './keys.js';
import { nameFault, subjectFault, type TokenSubject } from './names.js';
import { Revocations, type Revoke } from './revocations.js';
import { SingleUse } from './single-use.js';

const ISSUER = 'tinysse';
const TTL = 60_000;
/** How long an application may name a login that it revoked, and still be refused. */
const LOGIN = 12 * 3_600_000;
/** How far ahead the `before` of a revocation may be, in seconds. */
const AHEAD = 86_400;
/** Bytes of the random name of a token. */
const JTI = 12;

/** The options of {@link TokenIssuer}. */
export interface TokenIssuerOptions extends KeyOptions {
  /** `iss` of tokens. `tinysse` by default. */
  readonly issuer?: string | undefined;
  /** How long a token is valid, in milliseconds: 1,000 to 86,400,000. 60,000 by default. */
  readonly ttl?: number | undefined;
  /** A token opens one stream only. */
  readonly singleUse?: boolean | undefined;
  /** Returns the time of day in milliseconds since 1970. `Date.now` by default. */
  readonly now?: (() => number) | undefined;
}

/** Whom {@link TokenIssuer.revoke} concerns. */
export type TokenRevocation =
  /** All that was issued to this user so far. */
  | { readonly user: string }
  /** The token of this `jti`, or all tokens of the login of this name (`session`). */
  | { readonly jti: string }
  /** All that was issued before this time, in seconds since 1970; at most a day ahead. */
  | { readonly before: number };

/**
 * Issues stream tokens, verifies them, and ends them. Tokens are JSON Web Tokens with the claims of
 * the Rust server, so that, with the same keys and the same `issuer`, tokens of one are good at the
 * other.
 *
 * ```ts
 * const issuer = new TokenIssuer({ secret: process.env.TINYSSE_SECRET });
 * const token = await issuer.issue({ user: 'ada', role: 'admin' });
 * const { sub } = await issuer.verify(token);
 * issuer.revoke({ user: 'ada' });
 * ```
 *
 * What is revoked or used is known to this process alone, and until its end.
 */
export class TokenIssuer {
  /** How long a token is valid, in milliseconds. */
  readonly ttl: number;
  readonly #issuer: string;
  readonly #now: () => number;
  readonly #revocations: Revocations;
  readonly #used: SingleUse | undefined;
  readonly #loading: Promise<Signer>;
  #signer: Signer | undefined;

  /**
   * Throws a {@link HubError} with the code `options` for what is wrong with the options and can be
   * seen at once: a short secret, or nothing that signs. What turns out when keys are read is what
   * the first call of another method rejects with.
   */
  constructor(options: TokenIssuerOptions) {
    const { issuer = ISSUER, ttl = TTL, singleUse = false, now = Date.now } = options;
    if (typeof issuer !== 'string' || issuer === '') throw badOption('issuer', 'a text');
    if (!Number.isInteger(ttl) || ttl < 1_000 || ttl > AHEAD * 1_000) {
      throw badOption('tokenTtl', 'whole milliseconds from 1,000 to 86,400,000');
    }
    this.ttl = ttl;
    this.#issuer = issuer;
    this.#now = now;
    this.#revocations = new Revocations(LOGIN + ttl, now());
    this.#used = singleUse ? new SingleUse() : undefined;
    this.#loading = loadKeys(checkKeys(options)).then((keys) => {
      this.#signer = new Signer(keys);
      return this.#signer;
    });
    // It is reported by the methods that need the keys.
    this.#loading.catch(() => {});
  }

  /**
   * Returns a token for a user whom the application vouches for, now. A user who was revoked before
   * has their rights back by that, but not in a login (`session`) that was revoked.
   *
   * Rejects with a {@link HubError}: 422 `bad_name` for names that are not permitted or do not fit
   * into a token, 403 `forbidden` if the login was revoked.
   */
  async issue(subject: TokenSubject): Promise<string> {
    checkSubject(subject);
    const { session } = subject;
    if (session && this.#revocations.isEnded(session)) {
      throw new HubError('forbidden', 'this login was revoked', { status: 403 });
    }
    // Before any waiting: a revocation that comes meanwhile is later.
    const claims = writeClaims(this.#claims(subject));
    const signer = this.#signer ?? (await this.#loading);
    if (signer.length(claims) > MAX_TOKEN) {
      const detail = `role, channels and types do not fit into a token of ${MAX_TOKEN} bytes`;
      throw new HubError('bad_name', detail, { status: 422 });
    }
    return signer.sign(claims);
  }

  /**
   * Returns the claims of a good token. What its user may see now is another question.
   *
   * Rejects with a {@link HubError} with status 401: `token_missing`, `token_expired`,
   * `token_invalid` or `token_revoked`.
   */
  async verify(token: string | undefined): Promise<Claims> {
    return this.check(token);
  }

  /**
   * The same, at once where that is possible: with secrets, on a runtime that has node:crypto. Throws
   * what `verify` rejects with.
   */
  check(token: string | undefined): Claims | Promise<Claims> {
    if (!token) throw refusal('token_missing', 'ask POST /auth/sse-token for a token');
    if (!this.#signer) return this.#loading.then(() => this.check(token));
    const payload = this.#signer.verify(token);
    return payload instanceof Promise ? payload.then((read) => this.#judge(read)) : this.#judge(payload);
  }

  #judge(payload: Uint8Array | undefined): Claims {
    if (!payload) throw forged();
    const claims = readClaims(payload, this.#issuer, this.#now());
    // At the end: nothing that was known of the token before counts.
    if (this.#revocations.isRevoked(claims)) throw refusal('token_revoked', 'the rights behind this token are gone');
    this.#revocations.seen(claims);
    return claims;
  }

  /**
   * Uses a token up, where it opens one stream only. Returns false if it can't be used now, and
   * stays as it is: too many used tokens are remembered already, of all users or of this one.
   *
   * Throws a {@link HubError} with status 401 and the code `token_used` if it was used before.
   */
  consume(claims: Claims): boolean {
    const use = this.#used?.take(claims, this.#now()) ?? 'first';
    if (use === 'again') throw refusal('token_used', 'this token was used; ask for a new one');
    return use === 'first';
  }

  /** Makes a consumed token unused: nothing was opened with it after all. */
  giveBack(claims: Claims): void {
    this.#used?.giveBack(claims);
  }

  /**
   * Takes rights away: from a user, a token or a login, or from all who have them since before a
   * time. What is issued to the user from then on counts.
   *
   * Throws a {@link HubError}: 400 `bad_request` for what names nothing; 503 `revocations_full` if
   * more than 64 MiB of revocations would have to be remembered (each for 12 hours and the lifetime
   * of a token). Then nothing is revoked.
   */
  revoke(whom: TokenRevocation): void {
    const now = this.#now();
    this.#revocations.revoke(checkRevocation(whom, now), now);
  }

  /** Returns true if the rights of a token that was once good are gone. */
  isRevoked(claims: Claims): boolean {
    return this.#revocations.isRevoked(claims);
  }

  /** Returns what others need to check the tokens: a JWK set (RFC 7517) without any secret. */
  async jwks(): Promise<JwkSet> {
    return (this.#signer ?? (await this.#loading)).jwks();
  }

  #claims({ user, role, channels, types, session }: TokenSubject): Claims {
    const now = this.#now();
    const gen = this.#revocations.generation(now);
    return {
      iss: this.#issuer,
      aud: AUDIENCE,
      sub: user,
      role: role ?? '',
      channels: channels ?? [],
      types: types ?? undefined,
      gen,
      // Where the count is ahead of the clock, the position does not show when that was.
      auth_ms: gen > now ? now : undefined,
      iat: Math.floor(now / 1_000),
      nbf: 0,
      // Rounded up: the client is promised the whole time.
      exp: Math.ceil((now + this.ttl) / 1_000),
      jti: randomName(),
      sid: session ?? '',
    };
  }
}

/**
 * Checks the names of a user. Throws a {@link HubError} with the code `bad_name` and status 422.
 *
 * ```ts
 * checkSubject({ user: 'ada', channels: ['ops.>'] });
 * ```
 */
export function checkSubject(subject: TokenSubject): void {
  const fault = subjectFault(subject);
  if (fault) throw new HubError('bad_name', fault, { status: 422 });
}

/** Checks whom a revocation names, and turns seconds into milliseconds. */
function checkRevocation(whom: TokenRevocation, now: number): Revoke {
  const { user, jti, before } = whom as Partial<Record<'user' | 'jti' | 'before', unknown>>;
  if ([user, jti, before].filter((given) => given !== undefined).length !== 1) {
    throw badRequest('give one of user, jti and before');
  }
  if (before !== undefined) {
    const isTime = typeof before === 'number' && Number.isSafeInteger(before) && before >= 0;
    if (isTime && before <= now / 1_000 + AHEAD) return { beforeMs: before * 1_000 };
    // It would end every login up to then; most likely these are milliseconds.
    throw badRequest('before is in whole seconds since 1970, and at most a day ahead');
  }
  const fault = user === undefined ? nameFault('token', jti) : nameFault('user', user);
  if (fault) throw badRequest(fault);
  return user === undefined ? { jti: jti as string } : { user: user as string };
}

function badRequest(detail: string): HubError {
  return new HubError('bad_request', detail, { status: 400 });
}

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(JTI));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
