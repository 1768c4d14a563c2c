// How the keys of tokens are given as options, and what of them can be checked without waiting.
import { badOption } from '../errors.js';

/** Bytes of a secret, at least: as many as HS256 makes of it (RFC 7518, 3.2). */
const LEAST = 32;

/** A key of WebCrypto (`CryptoKey`), as far as it is looked at here. */
export interface WebCryptoKey {
  /** `private` or `public`. */
  readonly type: string;
  /** Whether its public half can be read from it. */
  readonly extractable: boolean;
  /** Must name `Ed25519`. */
  readonly algorithm: { readonly name: string };
  /** Must permit `sign` or `verify`. */
  readonly usages: readonly string[];
}

/** An Ed25519 key as a JWK (RFC 8037). Other members are not looked at. */
export interface Ed25519Jwk {
  /** Must be `OKP`. */
  readonly kty?: string | undefined;
  /** Must be `Ed25519`. */
  readonly crv?: string | undefined;
  /** The public key. */
  readonly x?: string | undefined;
  /** The private key. */
  readonly d?: string | undefined;
  /** `sig`, if it is given. */
  readonly use?: string | undefined;
  /** `EdDSA` or `Ed25519`, if it is given. */
  readonly alg?: string | undefined;
}

/**
 * An Ed25519 key in one of its forms. A text is PEM: PKCS #8 of a private key, SPKI of a public
 * one.
 */
export type Ed25519Key = string | Ed25519Jwk | WebCryptoKey;

/**
 * A key pair that signs tokens with Ed25519, or a public key alone, which only verifies them. A
 * `CryptoKeyPair` is one.
 */
export interface TokenKey {
  /** The private key. */
  readonly privateKey?: Ed25519Key | undefined;
  /**
   * The public key. Needed beside a private `CryptoKey` that is not extractable; otherwise it follows
   * from the private key.
   */
  readonly publicKey?: Ed25519Key | undefined;
}

/** A secret, or several: the first signs, and all verify. */
export type TokenSecret = string | Uint8Array | readonly (string | Uint8Array)[];

/** The keys of tokens. At least one of them signs: the first private key, else the first secret. */
export interface KeyOptions {
  /** Secrets for HS256, with 32 bytes or more each. */
  readonly secret?: TokenSecret | undefined;
  /** Keys for Ed25519. */
  readonly keys?: TokenKey | readonly TokenKey[] | undefined;
}

/** Options whose shape is right. */
export interface CheckedKeys {
  /** Copies of the secrets. */
  readonly secrets: readonly Uint8Array<ArrayBuffer>[];
  /** The keys for Ed25519, unread. */
  readonly keys: readonly TokenKey[];
}

/**
 * Checks keys as far as that is possible without waiting. Throws a {@link HubError} that names the
 * option, without a word of what it holds.
 *
 * ```ts
 * checkKeys({ secret: [current, previous] });
 * checkKeys({ keys: { privateKey: readFileSync('key.pem', 'utf8') } });
 * ```
 */
export function checkKeys({ secret, keys }: KeyOptions): CheckedKeys {
  const checked = {
    secrets: secret === undefined ? [] : listOf<string | Uint8Array>(secret).map(bytesOf),
    keys: keys === undefined ? [] : listOf<TokenKey>(keys).map(keyOf),
  };
  if (secret !== undefined && checked.secrets.length === 0) throw badOption('secret', 'an empty list signs nothing');
  if (checked.secrets.length > 0 || checked.keys.some(({ privateKey }) => privateKey !== undefined)) return checked;
  if (keys === undefined) throw badOption('secret', `missing; ${LEAST} random bytes or more, or else give \`keys\``);
  throw badOption('keys', 'no `privateKey` among them, so nothing can be signed; give one, or a `secret`');
}

function listOf<T>(given: T | readonly T[]): readonly T[] {
  return Array.isArray(given) ? given : [given as T];
}

function bytesOf(secret: unknown): Uint8Array<ArrayBuffer> {
  const isText = typeof secret === 'string';
  if (!isText && !(secret instanceof Uint8Array)) throw badOption('secret', 'a text, a Uint8Array, or a list of them');
  const bytes = isText ? new TextEncoder().encode(secret) : Uint8Array.from(secret);
  if (bytes.length >= LEAST) return bytes;
  const wanted = `at least ${LEAST} bytes each, such as \`openssl rand -base64 32\` prints`;
  throw badOption('secret', `${wanted}; one of them has ${bytes.length}`);
}

function keyOf(key: unknown): TokenKey {
  const wanted = 'an object with `privateKey` or `publicKey`, or a list of them';
  if (typeof key !== 'object' || key === null) throw badOption('keys', wanted);
  const { privateKey, publicKey } = key as TokenKey;
  if (privateKey === undefined && publicKey === undefined) throw badOption('keys', wanted);
  for (const half of [privateKey, publicKey]) {
    if (half !== undefined && typeof half !== 'string' && (typeof half !== 'object' || half === null)) {
      throw badOption('keys', 'a key is PEM, a JWK or a CryptoKey');
    }
  }
  return { privateKey, publicKey };
}
