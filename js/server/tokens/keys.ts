// The keys of tokens. The algorithm is a property of the key and never taken from a token: so a
// public key can't be used as a shared secret, and `none` is no algorithm (RFC 8725, 3.1).
import { HubError } from '../errors.js';
import { syncHmac } from '../runtime.js';
import { toBase64url } from './base64url.js';
import { readEd25519 } from './ed25519.js';
import type { PublicJwk } from './jwk-set.js';
import type { CheckedKeys, TokenKey } from './key-options.js';

/** Characters of the name of a key: 96 bits name it well, and every token carries them. */
const KID = 16;

/** The algorithms of RFC 7518 and RFC 8037 that tokens are signed with. */
export type Algorithm = 'HS256' | 'EdDSA';

/** A key that verifies tokens and, unless it is a public key alone, signs them. */
export interface Key {
  /** The name of the key: the beginning of its thumbprint (RFC 7638), as the Rust server has it. */
  readonly kid: string;
  readonly alg: Algorithm;
  /** The name that WebCrypto has for the algorithm. */
  readonly name: 'HMAC' | 'Ed25519';
  readonly check: CryptoKey;
  readonly sign: CryptoKey | undefined;
  /** Signs at once, if the algorithm and the runtime can. */
  readonly now: ((message: Uint8Array) => Uint8Array) | undefined;
  /** What others may know of it; `undefined` for a secret. */
  readonly jwk: PublicJwk | undefined;
  /** The header of the tokens that it signs. Theirs has nothing else, so it need not be read. */
  readonly header: string;
}

/**
 * Reads keys, in the order of preference: Ed25519 before secrets. A key that is given twice counts
 * once. Rejects with a {@link HubError} with the code `options`.
 *
 * ```ts
 * const keys = await loadKeys(checkKeys({ secret }));
 * ```
 */
export async function loadKeys({ secrets, keys }: CheckedKeys): Promise<readonly Key[]> {
  if (!globalThis.crypto?.subtle) {
    throw new HubError('options', 'tinysse/server: this runtime has no WebCrypto; use Node 20 or newer, Bun or Deno');
  }
  const all = await Promise.all([...keys.map(ofPair), ...secrets.map(ofSecret)]);
  // The one that signs first: a public key may be given beside its pair.
  const ordered = [...all.filter((key) => key.sign), ...all.filter((key) => !key.sign)];
  return ordered.filter(({ kid }, at) => ordered.findIndex((other) => other.kid === kid) === at);
}

async function ofSecret(secret: Uint8Array<ArrayBuffer>): Promise<Key> {
  const hash = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', secret, hash, false, ['sign', 'verify']);
  const kid = await kidOf(`{"k":"${toBase64url(secret)}","kty":"oct"}`);
  const header = headerOf(kid, 'HS256');
  return { kid, alg: 'HS256', name: 'HMAC', check: key, sign: key, now: syncHmac(secret), jwk: undefined, header };
}

async function ofPair(pair: TokenKey): Promise<Key> {
  const { x, check, sign } = await readEd25519(pair);
  const kid = await kidOf(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`);
  const jwk: PublicJwk = { use: 'sig', alg: 'EdDSA', kid, kty: 'OKP', crv: 'Ed25519', x };
  return { kid, alg: 'EdDSA', name: 'Ed25519', check, sign, now: undefined, jwk, header: headerOf(kid, 'EdDSA') };
}

/** The name of a key, from its members that RFC 7638 hashes. */
async function kidOf(members: string): Promise<string> {
  const print = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(members));
  return toBase64url(new Uint8Array(print)).slice(0, KID);
}

/** As the Rust server writes it: so each recognises a header of the other without reading it. */
function headerOf(kid: string, alg: Algorithm): string {
  return toBase64url(new TextEncoder().encode(JSON.stringify({ typ: 'JWT', alg, kid })));
}
