// Seeded changes of good tokens: none is good but the original, and nothing but a `HubError` is
// thrown. `FUZZ_SEED` and `FUZZ_RUNS` look for more.
import { expect, test } from 'vitest';
import { isHubError } from '../../../js/server/errors.js';
import { fromBase64url, toBase64url } from '../../../js/server/tokens/base64url.js';
import { type Claims, TokenIssuer } from '../../../js/server/tokens/index.js';
import { hs256, OTHER_SECRET, plain, privatePem, SECRET } from './tokens-support.js';

const SEED = Number(process.env.FUZZ_SEED ?? 1);
const RUNS = Number(process.env.FUZZ_RUNS ?? 4_000);
const NOW = 1_800_000_000;

/** mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const ODD = [...ALPHABET, '.', '=', '+', '/', ' ', '\n', '\0', 'é', '\ud800', 'A\u0301', '🙂', ''];
const HEADERS = ['{"alg":"none"}', '{"alg":"HS256"}', '{"alg":"EdDSA"}', '{}', '[]', 'null', '{"alg":"HS512"}', ''];

const issuer = new TokenIssuer({
  secret: [SECRET, OTHER_SECRET],
  keys: { privateKey: privatePem() },
  now: () => NOW * 1_000,
});
const bySecret = new TokenIssuer({ secret: SECRET, now: () => NOW * 1_000 });

/** The claims, or the error of one that is refused. Anything else that is thrown is passed on. */
async function examine(token: string): Promise<Claims | string> {
  try {
    return await issuer.verify(token);
  } catch (error) {
    if (isHubError(error) && error.status === 401) return error.code;
    throw error;
  }
}

function change(token: string, others: readonly string[], next: () => number): string {
  const below = (limit: number) => Math.floor(next() * limit);
  const one = <T>(of: readonly T[]): T => of[below(of.length)] as T;
  const at = below(token.length);
  const parts = token.split('.');
  const part = below(parts.length);
  const bytes = fromBase64url(parts[part] ?? '') ?? new Uint8Array(1);
  const withPart = (text: string) => parts.map((old, n) => (n === part ? text : old)).join('.');
  const other = one(others);
  switch (below(10)) {
    case 0: // Another character.
      return token.slice(0, at) + one(ODD) + token.slice(at + 1);
    case 1: // One more.
      return token.slice(0, at) + one(ODD) + token.slice(at);
    case 2: // Cut off, at either end.
      return next() < 0.5 ? token.slice(0, at) : token.slice(at);
    case 3: // A bit of the bytes.
      return withPart(toBase64url(bytes.map((byte, n) => (n === at % bytes.length ? byte ^ (1 << below(8)) : byte))));
    case 4: // A byte less or more.
      return withPart(toBase64url(next() < 0.5 ? bytes.slice(0, -1) : Uint8Array.from([...bytes, below(256)])));
    case 5: // A part of another token.
      return withPart(other.split('.')[part] ?? '');
    case 6: // Parts in another order.
      return [...parts].sort(() => next() - 0.5).join('.');
    case 7: // Another header.
      return [toBase64url(new TextEncoder().encode(one(HEADERS))), ...parts.slice(1)].join('.');
    case 8: // A part twice, or nowhere.
      return next() < 0.5 ? `${token}.${parts[part]}` : parts.filter((_, n) => n !== part).join('.');
    default: // The case of the letters.
      return token.slice(0, at) + token.slice(at).toUpperCase();
  }
}

test(`a changed token is never good (seed ${SEED})`, async () => {
  const next = random(SEED);
  const users = ['ada', 'eve', 'é', 'x'.repeat(255)];
  const tokens = await Promise.all(
    users.flatMap((user) => [issuer.issue({ user, channels: ['ops.>'] }), bySecret.issue({ user, role: 'admin' })]),
  );
  const good = new Set(tokens);
  for (const token of tokens) expect(await examine(token)).toMatchObject({ iss: 'tinysse' });
  const codes = new Map<string, number>();
  let changes = 0;
  for (let run = 0; run < RUNS; run++) {
    let token = tokens[run % tokens.length] as string;
    for (let times = 1 + Math.floor(next() * 3); times > 0; times--) token = change(token, tokens, next);
    if (good.has(token)) continue;
    changes += 1;
    const found = await examine(token);
    expect(found, JSON.stringify(token)).toBe(token === '' ? 'token_missing' : 'token_invalid');
    codes.set(found as string, (codes.get(found as string) ?? 0) + 1);
  }
  expect(changes).toBeGreaterThan(RUNS * 0.8);
  expect(codes.get('token_invalid')).toBeGreaterThan(RUNS * 0.7);
}, 60_000);

/** Values that claims must not have, or seldom have. */
const VALUES = [
  ...['null', 'true', '""', '"a"', '7', '-0', '-0.5', '1e3', '1e-400', '9007199254740991.5', '9007199254740992'],
  ...['18446744073709551615', '1e308', '1e309', '[]', '{}', '["a"]', '["tinysse"]', '["a",null]', '"\\u0000"'],
  ...['"\\ud83d"', '"tinysse"', '[[]]', '{"a":{"sub":1}}', '"\\n"', '"\x7f"', '01', '.5', 'nul', '"\\x"', '"\ufeff"'],
];
const NAMES = ['iss', 'aud', 'sub', 'role', 'channels', 'types', 'gen', 'auth_ms', 'iat', 'nbf', 'exp', 'jti', 'sid'];

test(`whatever is signed is refused, or has claims of the right types (seed ${SEED})`, async () => {
  const next = random(SEED + 1);
  const one = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
  let good = 0;
  for (let run = 0; run < RUNS; run++) {
    let text = JSON.stringify(plain(NOW));
    for (let times = Math.floor(next() * 3); times > 0; times--) {
      const member = `"${one([...NAMES, '__proto__', 'constructor', 'x'])}":${one(VALUES)}`;
      if (next() < 0.7) text = `{${member},${text.slice(1)}`;
      else if (next() < 0.5)
        text = text.replace(new RegExp(`"${one(NAMES)}":(?:"[^"]*"|\\[[^\\]]*\\]|\\d+)`), () => member);
      else text = text.slice(0, Math.floor(next() * text.length)) + text.slice(Math.floor(next() * text.length));
    }
    const found = await examine(hs256('{"alg":"HS256"}', text));
    if (typeof found === 'string') {
      expect(['token_invalid', 'token_expired']).toContain(found);
      continue;
    }
    good += 1;
    const { iss, sub, role, channels, types, gen, auth_ms, iat, nbf, exp, jti, sid } = found;
    expect(iss).toBe('tinysse');
    expect(sub).toMatch(/^[^\p{Cc}]{1,255}$/u);
    for (const value of [role, jti, sid]) expect(value).toBeTypeOf('string');
    for (const value of [...channels, ...(types ?? [])]) expect(value).toBeTypeOf('string');
    for (const time of [iat, nbf, exp]) expect(Number.isSafeInteger(time) && time >= 0).toBe(true);
    for (const place of [gen, auth_ms]) expect(place === undefined || Number.isSafeInteger(place)).toBe(true);
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
  }
  expect(good).toBeGreaterThan(RUNS * 0.1);
}, 60_000);

test('base64url is read back, and no two texts are the same bytes', () => {
  const next = random(SEED + 2);
  for (let run = 0; run < 1_000; run++) {
    const bytes = Uint8Array.from({ length: Math.floor(next() * 40) }, () => Math.floor(next() * 256));
    const text = toBase64url(bytes);
    expect(text).toBe(Buffer.from(bytes).toString('base64url'));
    expect(fromBase64url(text)).toEqual(bytes);
    for (const last of ALPHABET) {
      const read = fromBase64url(text.slice(0, -1) + last);
      if (read) expect(toBase64url(read)).toBe(text.slice(0, -1) + last);
    }
    for (const bad of [`${text}=`, `${text} `, `${text}+`, `${text}é`, `\n${text}`]) {
      expect(fromBase64url(bad)).toBeUndefined();
    }
  }
});
