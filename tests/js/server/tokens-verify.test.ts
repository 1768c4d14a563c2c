// What a token is worth: signatures, headers, forms, claims and times.
import { describe, expect, test } from 'vitest';
import { TokenIssuer } from '../../../js/server/tokens/index.js';
import { cases, claims, codeOf, hs256, OTHER_SECRET, plain, privatePem, RFC_8037, SECRET } from './tokens-support.js';

const NOW = 1_800_000_000;
const at = (ms: number, more: object = {}) => new TokenIssuer({ secret: SECRET, now: () => ms, ...more });
const ours = at(NOW * 1_000, { keys: { privateKey: privatePem() } });

test.each(cases(NOW).map((one) => [one.worth, one.why, one.token] as const))('%s: %s', async (worth, _, token) => {
  expect(await codeOf(ours.verify(token))).toBe(worth);
});

test('every refusal is a 401 that shows nothing of the token', async () => {
  for (const { worth, token } of cases(NOW)) {
    if (worth === 'good') continue;
    const error = await ours.verify(token).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'HubError', status: 401, code: worth });
    const shown = `${error}${JSON.stringify(error)}`;
    for (const part of token.split('.')) if (part.length > 8) expect(shown).not.toContain(part);
  }
});

test('no token is another refusal than a bad one', async () => {
  expect(await codeOf(ours.verify(undefined))).toBe('token_missing');
  expect(await codeOf(ours.verify(''))).toBe('token_missing');
  expect(await codeOf(ours.verify(' '))).toBe('token_invalid');
});

describe('claims', () => {
  test('are what was signed; what is absent has one form', async () => {
    const token = hs256({ alg: 'HS256' }, { ...plain(NOW), gen: 7, auth_ms: 8, nbf: 9, sid: 's', types: ['a.*'] });
    const { iat, exp, jti, role, channels } = plain(NOW);
    expect(await ours.verify(token)).toEqual(
      claims({ iat, exp, jti, role, channels, gen: 7, auth_ms: 8, nbf: 9, sid: 's', types: ['a.*'] }),
    );
    const bare = hs256({ alg: 'HS256' }, { iss: 'tinysse', aud: ['other', 'tinysse'], sub: 'ada', exp: 1e300 });
    expect(await ours.verify(bare)).toEqual(claims({ aud: 'other', exp: Number.MAX_SAFE_INTEGER }));
  });

  test('of types are names, patterns or absent', async () => {
    const worth = (types: unknown) => codeOf(ours.verify(hs256({ alg: 'HS256' }, { ...plain(NOW), types })));
    for (const types of [null, [], ['a', 'a.b', 'news.*', '*']]) expect(await worth(types)).toBe('good');
    for (const types of ['a', ['a*'], [''], ['a b'], [7], ['*.a']]) expect(await worth(types)).toBe('token_invalid');
  });

  test('are for one issuer', async () => {
    const token = hs256({ alg: 'HS256' }, { ...plain(NOW), iss: 'app' });
    expect(await codeOf(at(NOW * 1_000, { issuer: 'app' }).verify(token))).toBe('good');
    expect(await codeOf(at(NOW * 1_000, { issuer: 'app' }).verify(hs256({ alg: 'HS256' }, plain(NOW))))).toBe(
      'token_invalid',
    );
  });
});

describe('time', () => {
  test('ends a token at its very second', async () => {
    const token = hs256({ alg: 'HS256' }, { ...plain(100), gen: 100_000 });
    expect(await codeOf(at(159_999).verify(token))).toBe('good');
    expect(await codeOf(at(160_000).verify(token))).toBe('token_expired');
  });

  test('may differ by 5 s, and no more', async () => {
    for (const [name, value] of [
      ['iat', 120],
      ['auth_ms', 120_000],
      ['nbf', 120],
    ] as const) {
      const token = hs256({ alg: 'HS256' }, { ...plain(100), [name]: value });
      expect(await codeOf(at(114_999).verify(token)), name).toBe('token_invalid');
      expect(await codeOf(at(115_000).verify(token)), name).toBe('good');
    }
  });

  test('is not compared with a position in the count of logins', async () => {
    for (const more of [{ gen: 3_600_000 }, { gen: 7, iat: 130 }]) {
      expect(await codeOf(at(100_000).verify(hs256({ alg: 'HS256' }, { ...plain(100), ...more })))).toBe('good');
    }
  });

  test('does not hide a forgery', async () => {
    const token = hs256({ alg: 'HS256' }, plain(100), OTHER_SECRET);
    expect(await codeOf(at(999_000).verify(token))).toBe('token_invalid');
  });
});

test('the key pair of another server is no key of this one', async () => {
  const theirs = new TokenIssuer({ keys: { privateKey: RFC_8037 } });
  const token = await theirs.issue({ user: 'ada' });
  expect(await codeOf(theirs.verify(token))).toBe('good');
  expect(await codeOf(new TokenIssuer({ secret: SECRET }).verify(token))).toBe('token_invalid');
});
