// The claims of a stream token, and what must hold of them. Pure: the time comes in. The rules and
// the codes are those of the Rust server, so that tokens of one are good at the other.
import { HubError } from '../errors.js';
import { isPortable, readObject } from './json.js';
import { subjectFault } from './names.js';

/** `aud` of stream tokens. */
export const AUDIENCE = 'tinysse';
/** How far clocks may differ, in milliseconds. */
export const SKEW = 5_000;

/**
 * The claims of a token, as they are in its JSON. A role, `jti` or `sid` that is absent is an empty
 * text, and a time that is absent is 0.
 */
export interface Claims {
  /** Who issued the token. */
  readonly iss: string;
  /** What it is for. Of several audiences this is the first; all of them count. */
  readonly aud: string;
  /** The user. */
  readonly sub: string;
  /** The user's role; empty for none. */
  readonly role: string;
  /** The user's channels, by name or pattern. */
  readonly channels: readonly string[];
  /** The types that the user may see; `undefined` for all. The Rust server does not read this claim. */
  readonly types: readonly string[] | undefined;
  /**
   * The position of the login in the issuer's count of logins and revocations. It is compared with
   * positions only, since it may be ahead of every clock. `undefined` if a program without that
   * count signed the token.
   */
  readonly gen: number | undefined;
  /** When the rights were established, in milliseconds since 1970, if `gen` and `iat` do not show it. */
  readonly auth_ms: number | undefined;
  /** When the token was issued, in seconds since 1970. */
  readonly iat: number;
  /** From when on it is valid, in seconds since 1970. */
  readonly nbf: number;
  /** From this second on it is invalid, in seconds since 1970. */
  readonly exp: number;
  /** The name of the token. */
  readonly jti: string;
  /** The name of the login that asked for it. */
  readonly sid: string;
}

const NAMES: ReadonlySet<string> = new Set<keyof Claims>([
  ...(['iss', 'aud', 'sub', 'role', 'channels', 'types', 'gen'] as const),
  ...(['auth_ms', 'iat', 'nbf', 'exp', 'jti', 'sid'] as const),
]);

const FORGED = 'this is no token for this stream';
const BAD_NAME =
  'user, role and channels have 1 to 255 bytes each and no control characters; 1,000 channels of 32 segments at most';

/** What a claim is that has another type than it must have. */
const BAD = Symbol('bad');
type Read<T> = T | typeof BAD;

/**
 * Makes the refusal of a token: status 401 with one of the codes `token_*`.
 *
 * ```ts
 * throw refusal('token_used', 'this token was used; ask for a new one');
 * ```
 */
export function refusal(code: string, detail: string): HubError {
  return new HubError(code, detail, { status: 401 });
}

/** Makes the refusal of a text that is no token for this hub. */
export function forged(): HubError {
  return refusal('token_invalid', FORGED);
}

/**
 * Writes claims as JSON, in the order of the Rust server and without what is absent.
 *
 * ```ts
 * writeClaims({ ...claims, sid: '' }); // has no `sid`
 * ```
 */
export function writeClaims(claims: Claims): string {
  const { iss, aud, sub, role, channels, types, gen, auth_ms, iat, nbf, exp, jti, sid } = claims;
  // `undefined` is left out by `JSON.stringify`.
  const shown = { nbf: nbf || undefined, sid: sid || undefined };
  return JSON.stringify({
    iss,
    aud,
    sub,
    role,
    channels,
    types,
    gen,
    auth_ms,
    iat,
    nbf: shown.nbf,
    exp,
    jti,
    sid: shown.sid,
  });
}

/**
 * Reads the claims of a token whose signature is good, and checks them at `now`, in milliseconds
 * since 1970.
 *
 * Throws a {@link HubError} with status 401: `token_expired` from the second `exp` on, and
 * `token_invalid` for a claim of another type, another issuer or audience, a name that is not
 * permitted, and a time more than 5 s in the future.
 *
 * ```ts
 * const claims = readClaims(payload, 'tinysse', Date.now());
 * ```
 */
export function readClaims(payload: Uint8Array, issuer: string, now: number): Claims {
  const members = readObject(payload, NAMES);
  const audiences = members && textsOf(typeof members.aud === 'string' ? [members.aud] : members.aud);
  if (!members || audiences === BAD || !audiences?.includes(AUDIENCE)) throw forged();
  const claims = claimsOf(members, audiences[0] as string);
  if (claims?.iss !== issuer) throw forged();
  const { sub: user, role, channels, types } = claims;
  if (subjectFault({ user, role, channels, types })) throw refusal('token_invalid', BAD_NAME);
  // RFC 7519, 4.1.4: "on or after which the JWT MUST NOT be accepted". Exact, since being early
  // costs one question for a new token.
  if (now >= claims.exp * 1_000) throw refusal('token_expired', 'ask for a new token');
  if (validFrom(claims) > now + SKEW) {
    throw refusal('token_invalid', 'this token is not valid yet; do the clocks agree?');
  }
  return claims;
}

/**
 * Returns when the user's rights were established, in milliseconds since 1970. If only the second
 * of issue is known, it is the beginning of that second, so that a revocation within the second
 * ends the token.
 *
 * ```ts
 * established({ ...claims, gen: undefined, auth_ms: undefined, iat: 7 }); // 7_000
 * ```
 */
export function established({ auth_ms, gen, iat }: Claims): number {
  if (auth_ms !== undefined) return auth_ms;
  // A position in the count may be ahead of the clock; the second of issue is not.
  const isAhead = gen !== undefined && iat > 0 && Math.floor(gen / 1_000) > iat;
  return gen === undefined || isAhead ? iat * 1_000 : gen;
}

/**
 * Returns from when on a token is valid. Without a position in the count, the time of issue is
 * compared with the times of revocations: one in the future would survive them. With a position it
 * is compared with nothing, and a clock that was set back must not end what it issued before.
 */
function validFrom(claims: Claims): number {
  const issued = claims.gen === undefined ? Math.max(established(claims), claims.iat * 1_000) : 0;
  return Math.max(issued, claims.nbf * 1_000);
}

function claimsOf(members: Record<string, unknown>, aud: string): Claims | undefined {
  const claims: { [Name in keyof Claims]: Read<Claims[Name]> } = {
    iss: textOf(members.iss),
    aud,
    sub: textOf(members.sub),
    role: optional(members.role, textOf, ''),
    channels: optional(members.channels, textsOf, []),
    types: optional(members.types, textsOf, undefined),
    gen: optional(members.gen, exactOf, undefined),
    auth_ms: optional(members.auth_ms, exactOf, undefined),
    iat: optional(members.iat, secondsOf, 0),
    nbf: optional(members.nbf, secondsOf, 0),
    exp: secondsOf(members.exp),
    jti: optional(members.jti, textOf, ''),
    sid: optional(members.sid, textOf, ''),
  };
  return Object.values<unknown>(claims).includes(BAD) ? undefined : (claims as Claims);
}

/** A claim that is `null` is absent: some issuers write all claims that they know. */
function optional<T, D>(value: unknown, read: (value: unknown) => Read<T>, otherwise: D): Read<T | D> {
  return value === undefined || value === null ? otherwise : read(value);
}

function textOf(value: unknown): Read<string> {
  return typeof value === 'string' && isPortable(value) ? value : BAD;
}

function textsOf(value: unknown): Read<string[]> {
  return Array.isArray(value) && value.every((text) => textOf(text) !== BAD) ? (value as string[]) : BAD;
}

/**
 * A `NumericDate` (RFC 7519, 2): seconds since 1970, perhaps with a fraction, which is cut off.
 * What was before 1970 is 1970, and what a number does not hold exactly is the end of time.
 */
function secondsOf(value: unknown): Read<number> {
  // `1e400` becomes `Infinity`.
  if (typeof value !== 'number' || !isPortable(value)) return BAD;
  return Math.min(Math.max(Math.trunc(value), 0), Number.MAX_SAFE_INTEGER);
}

/** Milliseconds, or a position. What is not exact is neither: the count would go on from there. */
function exactOf(value: unknown): Read<number> {
  const isExact = typeof value === 'number' && Math.trunc(value) <= Number.MAX_SAFE_INTEGER;
  return isExact ? secondsOf(value) : BAD;
}
