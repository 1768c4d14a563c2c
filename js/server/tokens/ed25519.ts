// Ed25519 keys in the forms that applications have them in, read with WebCrypto.
import { badOption, HubError } from '../errors.js';
import { fromBase64url } from './base64url.js';
import type { Ed25519Jwk, Ed25519Key, TokenKey, WebCryptoKey } from './key-options.js';

const NAME = 'Ed25519';
/** Bytes of a public key. */
const PUBLIC = 32;

/** A key that was read. */
export interface ReadKey {
  /** The public key, as in a JWK. */
  readonly x: string;
  /** Verifies. */
  readonly check: CryptoKey;
  /** Signs; `undefined` for a public key alone. */
  readonly sign: CryptoKey | undefined;
}

/**
 * Reads a key. Rejects with a {@link HubError} with the code `options` for another kind of key, for
 * halves of different keys, and in a runtime without Ed25519. The error shows nothing of the key.
 *
 * ```ts
 * const { x, check, sign } = await readEd25519({ privateKey: pem });
 * ```
 */
export async function readEd25519({ privateKey, publicKey }: TokenKey): Promise<ReadKey> {
  const { subtle } = crypto;
  const secret = privateKey === undefined ? undefined : await halfOf(privateKey, 'private');
  const shown = publicKey === undefined ? undefined : await halfOf(publicKey, 'public');
  const x = shown?.x ?? secret?.x;
  if (x === undefined) {
    throw badOption('keys', 'a private CryptoKey that is not extractable needs its `publicKey` beside it');
  }
  if (fromBase64url(x)?.length !== PUBLIC) throw badOption('keys', `\`x\` of a JWK is ${PUBLIC} bytes in base64url`);
  const check = await wrapped(subtle.importKey('jwk', { kty: 'OKP', crv: NAME, x }, NAME, true, ['verify']));
  if (secret) await agree(secret.key, check);
  return { x, check, sign: secret?.key };
}

/** Checks that what one key signs the other verifies. */
async function agree(sign: CryptoKey, check: CryptoKey): Promise<void> {
  const { subtle } = crypto;
  const probe = crypto.getRandomValues(new Uint8Array(16));
  const signature = await wrapped(subtle.sign(NAME, sign, probe));
  if (await wrapped(subtle.verify(NAME, check, signature, probe))) return;
  throw badOption('keys', 'the private key and the public key belong to different keys');
}

interface Half {
  readonly key: CryptoKey;
  /** The public key, where it can be read from this half. */
  readonly x: string | undefined;
}

async function halfOf(given: Ed25519Key, type: 'private' | 'public'): Promise<Half> {
  if (typeof given === 'string') return halfOf((await imported(given, type)) as WebCryptoKey, type);
  if (isWebCryptoKey(given)) return ofWebCrypto(given as unknown as CryptoKey, type);
  return ofJwk(given, type);
}

function isWebCryptoKey(key: Ed25519Jwk | WebCryptoKey): key is WebCryptoKey {
  return 'algorithm' in key && 'usages' in key;
}

async function ofWebCrypto(key: CryptoKey, type: 'private' | 'public'): Promise<Half> {
  const usage = type === 'private' ? 'sign' : 'verify';
  if (key.algorithm.name !== NAME || key.type !== type || !key.usages.includes(usage)) {
    throw badOption('keys', `a CryptoKey of another kind; a ${type} ${NAME} key that may ${usage} is wanted`);
  }
  if (!key.extractable) return { key, x: undefined };
  const { x } = await wrapped(crypto.subtle.exportKey('jwk', key));
  return { key, x };
}

async function ofJwk(jwk: Ed25519Jwk, type: 'private' | 'public'): Promise<Half> {
  const { kty, crv, x, d, use = 'sig', alg = 'EdDSA' } = jwk;
  const isKind = kty === 'OKP' && crv === NAME && use === 'sig' && (alg === 'EdDSA' || alg === NAME);
  if (!isKind || typeof x !== 'string') throw badOption('keys', `no JWK of a ${type} ${NAME} key that signs`);
  const isPrivate = type === 'private';
  if (isPrivate && typeof d !== 'string') throw badOption('keys', 'the JWK of a private key has the member `d`');
  // Only what defines the key: members such as `key_ops` are for other programs.
  const bare = isPrivate ? { kty, crv, x, d: d as string } : { kty, crv, x };
  const key = await wrapped(crypto.subtle.importKey('jwk', bare, NAME, false, [isPrivate ? 'sign' : 'verify']));
  return { key, x };
}

function imported(pem: string, type: 'private' | 'public'): Promise<CryptoKey> {
  const label = type === 'private' ? 'PRIVATE KEY' : 'PUBLIC KEY';
  const body = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`).exec(pem)?.[1];
  if (body === undefined) throw badOption('keys', `no PEM with BEGIN ${label}; encrypted keys are not read`);
  const { subtle } = crypto;
  // In a promise: what is no base64 throws.
  const bytes = async () => Uint8Array.from(atob(body.replace(/\s+/g, '')), (char) => char.charCodeAt(0));
  return type === 'private'
    ? wrapped(bytes().then((der) => subtle.importKey('pkcs8', der, NAME, true, ['sign'])))
    : wrapped(bytes().then((der) => subtle.importKey('spki', der, NAME, true, ['verify'])));
}

/** Turns what WebCrypto rejects with into the error of an option. */
async function wrapped<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof HubError) throw error;
    if ((error as Error | undefined)?.name === 'NotSupportedError') {
      throw badOption(
        'keys',
        `WebCrypto has no ${NAME} in this runtime; Node 20, Bun and Deno do; or give a \`secret\``,
      );
    }
    throw badOption('keys', `no ${NAME} key that WebCrypto takes`);
  }
}
