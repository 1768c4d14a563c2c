// Keys from options: their forms, their names, their order, and what is wrong with them.
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { HubError } from '../../../js/server/errors.js';
import { type TokenIssuerOptions, TokenIssuer as Tokens } from '../../../js/server/tokens/index.js';
import {
  codeOf,
  kidOf,
  OTHER_SECRET,
  optionOf,
  privatePem,
  publicPem,
  RFC_8037,
  RFC_8037_KID,
  SECRET,
} from './tokens-support.js';

const pairOf = (extractable: boolean) =>
  crypto.subtle.generateKey('Ed25519', extractable, ['sign', 'verify']) as Promise<CryptoKeyPair>;
const publicJwk = { kty: 'OKP', crv: 'Ed25519', x: RFC_8037.x };
const headerOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString());
const issue = (options: TokenIssuerOptions) => new Tokens(options).issue({ user: 'ada' });

afterEach(() => vi.restoreAllMocks());

describe('secrets', () => {
  test('are texts or bytes, and both name the same key', async () => {
    const token = await issue({ secret: SECRET });
    expect(headerOf(token)).toEqual({ typ: 'JWT', alg: 'HS256', kid: kidOf(SECRET) });
    // As the Rust server names this one.
    const digits = '0123456789abcdef0123456789abcdef';
    expect(headerOf(await issue({ secret: digits })).kid).toBe('XOBEfwKZzZgziWfq');
    expect(await codeOf(new Tokens({ secret: Buffer.from(SECRET) }).verify(token))).toBe('good');
  });

  test('rotate: the first signs, all verify', async () => {
    const old = await issue({ secret: OTHER_SECRET });
    const both = new Tokens({ secret: [SECRET, OTHER_SECRET] });
    const next = await both.issue({ user: 'ada' });
    expect(headerOf(next).kid).toBe(kidOf(SECRET));
    expect([await codeOf(both.verify(old)), await codeOf(both.verify(next))]).toEqual(['good', 'good']);
    const only = new Tokens({ secret: SECRET });
    expect([await codeOf(only.verify(old)), await codeOf(only.verify(next))]).toEqual(['token_invalid', 'good']);
  });

  test('are copied when they are given', async () => {
    const bytes = new TextEncoder().encode(SECRET);
    const tokens = new Tokens({ secret: bytes });
    bytes.fill(0);
    expect(await codeOf(tokens.verify(await issue({ secret: SECRET })))).toBe('good');
  });

  test('are counted in bytes', () => {
    expect(optionOf(() => new Tokens({ secret: 'é'.repeat(16) }))).toBeUndefined();
    expect(optionOf(() => new Tokens({ secret: 'x'.repeat(31) }))).toBe('secret');
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty text', ''],
    ['no list', []],
    ['a short one behind a good one', [SECRET, 'short']],
    ['a number', 7],
    ['null', null],
    ['31 bytes', new Uint8Array(31)],
  ])('refused at once: %s', (_, secret) => {
    expect(optionOf(() => new Tokens({ secret: secret as string }))).toBe('secret');
  });

  test('are shown in no error', () => {
    const secret = 'hush-hush-hush';
    expect(() => new Tokens({ secret })).toThrow(HubError);
    try {
      new Tokens({ secret });
    } catch (error) {
      expect(`${error}${JSON.stringify(error)}`).not.toContain('hush');
    }
  });
});

describe('key pairs', () => {
  test.each<[string, TokenIssuerOptions['keys']]>([
    ['PEM', { privateKey: privatePem() }],
    ['PEM with its public key', { privateKey: privatePem(), publicKey: publicPem() }],
    ['JWK', { privateKey: RFC_8037 }],
    ['JWK with what other programs add', { privateKey: { ...RFC_8037, use: 'sig', alg: 'EdDSA', kid: 'k' } as never }],
    ['a list', [{ privateKey: RFC_8037 }]],
  ])('are read from %s, and named by their thumbprint', async (_, keys) => {
    const tokens = new Tokens({ keys });
    expect(headerOf(await tokens.issue({ user: 'ada' }))).toEqual({ typ: 'JWT', alg: 'EdDSA', kid: RFC_8037_KID });
    expect(await tokens.jwks()).toEqual({
      keys: [{ use: 'sig', alg: 'EdDSA', kid: RFC_8037_KID, kty: 'OKP', crv: 'Ed25519', x: RFC_8037.x }],
    });
  });

  test('are read from WebCrypto, extractable or not', async () => {
    for (const extractable of [true, false]) {
      const pair = await pairOf(extractable);
      const tokens = new Tokens({ keys: pair });
      const token = await tokens.issue({ user: 'ada' });
      expect(await codeOf(tokens.verify(token))).toBe('good');
      const { x } = await crypto.subtle.exportKey('jwk', pair.publicKey);
      expect((await tokens.jwks()).keys).toMatchObject([{ x }]);
      const alone = new Tokens({ keys: { privateKey: pair.privateKey } });
      expect(await codeOf(alone.verify(token))).toBe(extractable ? 'good' : 'options');
    }
  });

  test('rotate: the first private key signs, and public ones verify', async () => {
    const old = { privateKey: RFC_8037 };
    const next = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const token = await issue({ keys: old });
    for (const former of [old, { publicKey: publicPem() }, { publicKey: publicJwk }]) {
      const tokens = new Tokens({ keys: [{ privateKey: next }, former] });
      expect(await codeOf(tokens.verify(token))).toBe('good');
      const kids = (await tokens.jwks()).keys.map(({ kid }) => kid);
      expect(kids).toEqual([headerOf(await tokens.issue({ user: 'ada' })).kid, RFC_8037_KID]);
      expect(kids[0]).not.toBe(RFC_8037_KID);
    }
  });

  test('go before secrets, whose tokens stay good', async () => {
    const both = new Tokens({ secret: SECRET, keys: { privateKey: privatePem() } });
    expect(headerOf(await both.issue({ user: 'ada' })).alg).toBe('EdDSA');
    expect(await codeOf(both.verify(await issue({ secret: SECRET })))).toBe('good');
    // A public key alone signs nothing.
    const checks = new Tokens({ secret: SECRET, keys: { publicKey: publicPem() } });
    expect(headerOf(await checks.issue({ user: 'ada' })).alg).toBe('HS256');
  });

  test('count once, however often they are given', async () => {
    const keys = [{ publicKey: publicPem() }, { privateKey: privatePem() }, { privateKey: RFC_8037 }];
    const tokens = new Tokens({ keys, secret: [SECRET, SECRET] });
    expect((await tokens.jwks()).keys).toHaveLength(1);
    expect(headerOf(await tokens.issue({ user: 'ada' })).alg).toBe('EdDSA');
  });

  test('publish nothing of a secret', async () => {
    const tokens = new Tokens({ secret: SECRET, keys: { privateKey: privatePem() } });
    const text = JSON.stringify(await tokens.jwks());
    expect(text).not.toContain('"d"');
    expect(text).not.toContain(RFC_8037.d);
    expect(text).not.toContain(kidOf(SECRET));
    expect(await new Tokens({ secret: SECRET }).jwks()).toEqual({ keys: [] });
  });

  test.each<[string, unknown]>([
    ['an empty list', []],
    ['a text', privatePem()],
    ['null', null],
    ['no key', {}],
    ['a number', { privateKey: 7 }],
    ['a public key alone', { publicKey: publicPem() }],
  ])('refused at once: %s', (_, keys) => {
    expect(optionOf(() => new Tokens({ keys: keys as never }))).toBe('keys');
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as typeof publicJwk;
  test.each<[string, unknown]>([
    ['no PEM', { privateKey: 'secret' }],
    ['half of a PEM', { privateKey: '-----BEGIN PRIVATE KEY-----' }],
    ['a PEM that is no base64', { privateKey: '-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----' }],
    ['a PEM that is no key', { privateKey: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----' }],
    ['a PEM of RSA', { privateKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) }],
    ['a public PEM as private key', { privateKey: publicPem() }],
    ['a private PEM as public key', { publicKey: privatePem() }],
    ['a JWK without its private half', { privateKey: publicJwk }],
    ['a JWK of RSA', { privateKey: rsa.privateKey.export({ format: 'jwk' }) }],
    ['a JWK of X25519', { privateKey: { ...RFC_8037, crv: 'X25519' } }],
    ['a JWK for encryption', { privateKey: { ...RFC_8037, use: 'enc' } }],
    ['a JWK of another algorithm', { privateKey: { ...RFC_8037, alg: 'HS256' } }],
    ['a JWK without x', { privateKey: { ...RFC_8037, x: undefined } }],
    ['a JWK with a short x', { publicKey: { ...publicJwk, x: 'AAAA' } }],
    ['a JWK with the x of another key', { privateKey: { ...RFC_8037, x: other.x } }],
    ['the halves of two keys', { privateKey: RFC_8037, publicKey: other }],
  ])('refused when they are read: %s', async (_, key) => {
    const tokens = new Tokens({ secret: SECRET, keys: key as never });
    for (const answer of [tokens.issue({ user: 'ada' }), tokens.verify('x.y.z'), tokens.jwks()]) {
      const error = await answer.catch((error: unknown) => error);
      expect(error).toMatchObject({ name: 'HubError', code: 'options', option: 'keys' });
      expect(`${error}`).not.toContain(RFC_8037.d);
    }
  });

  test('of WebCrypto that are for something else are refused', async () => {
    const ecdsa = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const { privateKey, publicKey } = await pairOf(true);
    for (const keys of [ecdsa, { privateKey: publicKey }, { privateKey, publicKey: privateKey }]) {
      expect(await codeOf(new Tokens({ secret: SECRET, keys }).jwks())).toBe('options');
    }
  });
});

test('a runtime without Ed25519 is named, and secrets work there', async () => {
  const { importKey } = crypto.subtle;
  vi.spyOn(crypto.subtle, 'importKey').mockImplementation((...args: unknown[]) => {
    if (args[2] === 'Ed25519') return Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'));
    return Reflect.apply(importKey, crypto.subtle, args) as never;
  });
  for (const privateKey of [privatePem(), RFC_8037]) {
    const error = await issue({ keys: { privateKey } }).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'options', option: 'keys' });
    expect(`${error}`).toMatch(/Ed25519.*runtime.*secret/);
  }
  expect(await codeOf(issue({ secret: SECRET }))).toBe('good');
});

test('a runtime without WebCrypto is named', async () => {
  vi.stubGlobal('crypto', undefined);
  const error = await new Tokens({ secret: SECRET }).jwks().catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'options' });
  expect(`${error}`).toContain('WebCrypto');
});

test('what is wrong with a key is no unhandled rejection', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  new Tokens({ keys: { privateKey: 'secret' } });
  await new Promise((done) => setImmediate(() => setImmediate(done)));
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});
