// Tokens as text: JSON Web Tokens in the compact form (RFC 7515, 7.1), signed and verified by
// WebCrypto. What is in them is read by `claims.ts`.
import { fromBase64url, toBase64url } from './base64url.js';
import { isPortable, readObject } from './json.js';
import type { JwkSet } from './jwk-set.js';
import type { Algorithm, Key } from './keys.js';

/** Characters of a token, at most. A longer text is not even looked at. */
export const MAX_TOKEN = 8 * 1_024;

/** Bytes of a signature. */
const SIGNATURE: Record<Algorithm, number> = { HS256: 32, EdDSA: 64 };

/** Members of a header that have a meaning and are texts (RFC 7515, 4.1; RFC 7516; RFC 8555). */
const TEXTS = ['typ', 'cty', 'jku', 'kid', 'x5u', 'x5t', 'x5t#S256', 'enc', 'zip', 'url', 'nonce'];
const MEMBERS: ReadonlySet<string> = new Set([...TEXTS, 'alg', 'jwk', 'x5c', 'crit']);

const utf8 = new TextEncoder();

/**
 * Signs and verifies tokens with keys in the order of preference.
 *
 * ```ts
 * const signer = new Signer(await loadKeys(checkKeys({ secret })));
 * const payload = await signer.verify(await signer.sign('{"sub":"ada"}'));
 * ```
 */
export class Signer {
  readonly #keys: readonly Key[];
  readonly #byHeader: ReadonlyMap<string, Key>;

  constructor(keys: readonly Key[]) {
    this.#keys = keys;
    this.#byHeader = new Map(keys.map((key) => [key.header, key]));
  }

  /** Returns the public keys. */
  jwks(): JwkSet {
    return { keys: this.#keys.flatMap(({ jwk }) => jwk ?? []) };
  }

  /** Returns how long a token with these claims would be, in characters. */
  length(claims: string): number {
    const { header, alg } = this.#first();
    const characters = (bytes: number) => Math.ceil((bytes * 4) / 3);
    return header.length + characters(utf8.encode(claims).length) + characters(SIGNATURE[alg]) + 2;
  }

  /** Signs claims in JSON with the first key that can. */
  async sign(claims: string): Promise<string> {
    const { header, name, sign } = this.#first();
    const message = `${header}.${toBase64url(utf8.encode(claims))}`;
    const signature = await crypto.subtle.sign(name, sign, utf8.encode(message));
    return `${message}.${toBase64url(new Uint8Array(signature))}`;
  }

  /**
   * Returns the claims of a token as JSON, in bytes. `undefined` for what is no token, is longer
   * than 8 KiB, is not in the one form that an encoder writes, must be understood in a way that is
   * not (`crit`), or is signed by none of the keys. A promise where only WebCrypto can verify it.
   */
  verify(token: string): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (token.length > MAX_TOKEN) return undefined;
    const [header = '', claims = '', signature = '', more] = token.split('.', 4);
    const payload = fromBase64url(claims);
    const signed = fromBase64url(signature);
    if (more !== undefined || !payload || !signed) return undefined;
    const keys = this.#candidates(header).filter(({ alg }) => signed.length === SIGNATURE[alg]);
    if (keys.length === 0) return undefined;
    const message = utf8.encode(token.slice(0, header.length + 1 + claims.length));
    if (keys.every(({ now }) => now)) {
      const isSigned = keys.some(({ now }) => now && isSame(now(message), signed));
      return isSigned ? payload : undefined;
    }
    return isSignedByOne(keys, signed, message).then((isSigned) => (isSigned ? payload : undefined));
  }

  #first(): Key & { sign: CryptoKey } {
    // The options were refused if none could sign.
    return this.#keys.find(({ sign }) => sign) as Key & { sign: CryptoKey };
  }

  /** The keys that may have signed a token with this header. */
  #candidates(text: string): readonly Key[] {
    const own = this.#byHeader.get(text);
    if (own) return [own];
    const bytes = fromBase64url(text);
    const header = bytes && readObject(bytes, MEMBERS);
    if (!header || !isPortable(header) || !isHeader(header)) return [];
    const { alg, kid } = header;
    return this.#keys.filter((key) => key.alg === alg && (kid === undefined || kid === null || key.kid === kid));
  }
}

/** Checks members that have a meaning. A key in a token, or the address of one, is never used. */
function isHeader(header: Record<string, unknown>): boolean {
  const isGiven = (name: string) => header[name] !== undefined && header[name] !== null;
  // RFC 7515, 4.1.11: what must be understood and is not makes the whole invalid. Nothing is
  // understood here.
  if (isGiven('crit') || typeof header.alg !== 'string') return false;
  if (TEXTS.some((name) => isGiven(name) && typeof header[name] !== 'string')) return false;
  const { x5c, jwk } = header;
  const isChain = Array.isArray(x5c) && x5c.every((text) => typeof text === 'string');
  const isKey = typeof jwk === 'object' && !Array.isArray(jwk);
  return (!isGiven('x5c') || isChain) && (!isGiven('jwk') || isKey);
}

async function isSignedByOne(
  keys: readonly Key[],
  signature: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  for (const { name, check } of keys) {
    if (await crypto.subtle.verify(name, check, signature, message)) return true;
  }
  return false;
}

/** Compares in a time that does not depend on where they differ. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let different = 0;
  for (let at = 0; at < a.length; at++) different |= (a[at] as number) ^ (b[at] as number);
  return different === 0;
}
