// Names of users, roles, channels and logins, by the rules of the Rust core (`proto::audience`).

/** Bytes of a name, at most. */
const MAX_NAME = 255;
/** Segments of a channel, at most. */
const MAX_SEGMENTS = 32;
/** Channels of one user, at most. */
const MAX_CHANNELS = 1_000;

/** A control character, or half of a pair of surrogates, for which UTF-8 has no bytes. */
const REFUSED = /[\p{Cc}\p{Cs}]/u;
/** A type, `prefix.*` or `*`. */
const TYPES = /^(?:\*|[A-Za-z0-9._:-]{1,126}\.\*|[A-Za-z0-9._:-]{1,128})$/;

const utf8 = new TextEncoder();

/** Who a token is for, and what they may see. */
export interface TokenSubject {
  /** The name of the user: 1 to 255 bytes without control characters. */
  readonly user: string;
  /** One role. None by default. */
  readonly role?: string | null | undefined;
  /** Channels by name or pattern, 1,000 at most. None by default. */
  readonly channels?: readonly string[] | null | undefined;
  /** The types that the user may see: names, `prefix.*` or `*`. All by default. */
  readonly types?: readonly string[] | null | undefined;
  /** The application's own name of the login, which revocations can name. None by default. */
  readonly session?: string | null | undefined;
}

/**
 * Returns what is wrong with a name; `undefined` for a good one. `what` it names is part of the
 * answer.
 *
 * ```ts
 * nameFault('user', 'ada'); // undefined
 * nameFault('user', ''); // 'user: a name must not be empty'
 * ```
 */
export function nameFault(what: string, name: unknown): string | undefined {
  if (typeof name !== 'string') return `${what}: a name must be a text`;
  if (name === '') return `${what}: a name must not be empty`;
  // Of the characters of a string none has more than 3 bytes.
  const isLong = name.length > MAX_NAME || (name.length * 3 > MAX_NAME && utf8.encode(name).length > MAX_NAME);
  if (isLong) return `${what}: a name may have ${MAX_NAME} bytes`;
  if (REFUSED.test(name)) return `${what}: a name must not contain control characters, such as line breaks`;
  return undefined;
}

/**
 * Returns what is wrong with the names of a user; `undefined` if all are good.
 *
 * ```ts
 * subjectFault({ user: 'ada', channels: ['ops.>'] }); // undefined
 * subjectFault({ user: 'ada', role: 'admin\n' }); // 'role: a name must not contain control characters, ...'
 * ```
 */
export function subjectFault({ user, role, channels, types, session }: TokenSubject): string | undefined {
  return (
    nameFault('user', user) ??
    (role ? nameFault('role', role) : undefined) ??
    listFault('channel', channels, channelFault) ??
    listFault('type', types, typeFault) ??
    (session ? nameFault('session', session) : undefined)
  );
}

function listFault(
  what: string,
  names: readonly string[] | null | undefined,
  fault: (name: string) => string | undefined,
): string | undefined {
  if (names === undefined || names === null) return undefined;
  if (!Array.isArray(names)) return `${what}: a list of texts is wanted`;
  if (names.length > MAX_CHANNELS) return `${what}: ${MAX_CHANNELS} at most; a pattern covers many`;
  for (const name of names) {
    const found = fault(name);
    if (found) return found;
  }
  return undefined;
}

function channelFault(name: string): string | undefined {
  const fault = nameFault('channel', name);
  if (fault || name.split('.').length <= MAX_SEGMENTS) return fault;
  return `channel: a channel may have ${MAX_SEGMENTS} segments`;
}

function typeFault(name: string): string | undefined {
  return typeof name === 'string' && TYPES.test(name) ? undefined : 'type: a type, `prefix.*` or `*` is wanted';
}
