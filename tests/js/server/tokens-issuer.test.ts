// The issuer as a whole: what it issues, ends, and how much work that is.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { checkSubject, TokenIssuer } from '../../../js/server/tokens/index.js';
import { codeOf, optionOf, RFC_8037, SECRET } from './tokens-support.js';

const START = 1_800_000_000_000;

/** An issuer at a time that tests move. */
function issuerAt(ms = START, more: object = {}) {
  const clock = { ms };
  return { clock, issuer: new TokenIssuer({ secret: SECRET, now: () => clock.ms, ...more }) };
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString());

afterEach(() => vi.restoreAllMocks());

describe('issue', () => {
  test('writes the claims of the Rust server, in its order', async () => {
    const { issuer } = issuerAt(START + 1);
    const token = await issuer.issue({ user: 'ada', role: 'admin', channels: ['ops.>'], session: 's-1' });
    const text = Buffer.from(token.split('.')[1] as string, 'base64url').toString();
    const { jti } = claimsOf(token);
    expect(jti).toMatch(/^[0-9a-f]{24}$/);
    // The end is rounded up: the client is promised the whole time.
    expect(text).toBe(
      '{"iss":"tinysse","aud":"tinysse","sub":"ada","role":"admin","channels":["ops.>"],"gen":1800000000001,' +
        `"iat":1800000000,"exp":1800000061,"jti":"${jti}","sid":"s-1"}`,
    );
  });

  test('leaves out what is not given, and counts logins of one millisecond', async () => {
    const { issuer } = issuerAt(START, { issuer: 'app', ttl: 5_000 });
    expect(issuer.ttl).toBe(5_000);
    const [first, second] = [await issuer.issue({ user: 'ada' }), await issuer.issue({ user: 'ada', role: null })];
    const { jti, ...claims } = claimsOf(first);
    expect(claims).toEqual({
      ...{ iss: 'app', aud: 'tinysse', sub: 'ada', role: '', channels: [] },
      ...{ gen: START, iat: START / 1_000, exp: START / 1_000 + 5 },
    });
    const next = claimsOf(second);
    expect([next.gen, next.auth_ms, next.jti === jti]).toEqual([START + 1, START, false]);
  });

  test('keeps types, which the hub reads', async () => {
    const { issuer } = issuerAt();
    const token = await issuer.issue({ user: 'ada', types: ['projects', 'news.*'] });
    expect((await issuer.verify(token)).types).toEqual(['projects', 'news.*']);
    expect((await issuer.verify(await issuer.issue({ user: 'ada', types: [] }))).types).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['no user', {}],
    ['an empty user', { user: '' }],
    ['a user that is a number', { user: 7 }],
    ['a long user', { user: 'x'.repeat(256) }],
    ['a user of many bytes', { user: 'é'.repeat(128) }],
    ['a line break', { user: 'ada\nid: 1' }],
    ['half a surrogate', { user: '\ud800' }],
    ['a role with NUL', { user: 'ada', role: 'a\0' }],
    ['channels that are a text', { user: 'ada', channels: 'ops' }],
    ['an empty channel', { user: 'ada', channels: ['ops', ''] }],
    ['a channel of 33 segments', { user: 'ada', channels: ['.'.repeat(32)] }],
    ['1,001 channels', { user: 'ada', channels: Array.from({ length: 1_001 }, () => 'a') }],
    ['channels that do not fit', { user: 'ada', channels: Array.from({ length: 900 }, (_, n) => `channel-${n}`) }],
    ['a pattern inside a word', { user: 'ada', types: ['a*'] }],
    ['a session with a control character', { user: 'ada', session: '\x7f' }],
  ])('refuses %s', async (_, subject) => {
    const error = await issuerAt()
      .issuer.issue(subject as never)
      .catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'HubError', code: 'bad_name', status: 422 });
  });

  test('fills a token to its last byte', async () => {
    const { issuer } = issuerAt();
    const wanted = { user: 'ada', role: 'r'.repeat(100), channels: Array.from({ length: 22 }, () => 'x'.repeat(255)) };
    // One character more each time, until it does not fit: what is issued is always good.
    let longest = 0;
    for (let n = 1; n < 256; n++) {
      const token = await issuer.issue({ ...wanted, session: 's'.repeat(n) }).catch(() => undefined);
      if (!token) break;
      longest = token.length;
      expect(await codeOf(issuer.verify(token))).toBe('good');
    }
    expect(longest).toBeGreaterThan(8_188);
    expect(longest).toBeLessThanOrEqual(8_192);
  });

  test('the names can be checked before', () => {
    expect(() => checkSubject({ user: 'ada', channels: ['*', 'a.>'] })).not.toThrow();
    expect(() => checkSubject({ user: 'ada', role: '\n' })).toThrow('role: a name must not contain control characters');
  });
});

describe('options', () => {
  test.each<[string, object]>([
    ['issuer', { issuer: '' }],
    ['issuer', { issuer: 7 }],
    ['tokenTtl', { ttl: 999 }],
    ['tokenTtl', { ttl: 86_400_001 }],
    ['tokenTtl', { ttl: 1_000.5 }],
    ['tokenTtl', { ttl: Number.NaN }],
  ])('%s: %j is refused', (option, more) => {
    expect(optionOf(() => new TokenIssuer({ secret: SECRET, ...more }))).toBe(option);
  });
});

describe('revoke', () => {
  test('of a user ends what was issued, and what is issued from then on counts', async () => {
    const { issuer, clock } = issuerAt(START - 100_000);
    clock.ms = START;
    const [ada, bob] = [await issuer.issue({ user: 'ada' }), await issuer.issue({ user: 'bob' })];
    const claims = await issuer.verify(ada);
    issuer.revoke({ user: 'ada' });
    expect(await codeOf(issuer.verify(ada))).toBe('token_revoked');
    expect([issuer.isRevoked(claims), await codeOf(issuer.verify(bob))]).toEqual([true, 'good']);
    // Within the same millisecond, and with a clock that was set back.
    for (const ms of [START, START - 60_000]) {
      clock.ms = ms;
      expect(await codeOf(issuer.verify(await issuer.issue({ user: 'ada' })))).toBe('good');
    }
    expect(issuer.isRevoked(claims)).toBe(true);
  });

  test('counts for what is issued or verified at that moment', async () => {
    // A key that WebCrypto alone can verify with, in another thread.
    const { issuer } = issuerAt(START, { secret: undefined, keys: { privateKey: RFC_8037 } });
    const token = await issuer.issue({ user: 'ada' });
    // Both began before, and end behind it.
    const [verifying, issuing] = [issuer.verify(token), issuer.issue({ user: 'ada' })];
    issuer.revoke({ user: 'ada' });
    expect(await codeOf(verifying)).toBe('token_revoked');
    expect(await codeOf(issuer.verify(await issuing))).toBe('token_revoked');
  });

  test('of a login ends its tokens, and issues no more', async () => {
    const { issuer, clock } = issuerAt();
    const [one, two] = [
      { user: 'ada', session: 's-1' },
      { user: 'ada', session: 's-2' },
    ] as const;
    const tokens = [await issuer.issue(one), await issuer.issue(two)] as const;
    issuer.revoke({ jti: 's-1' });
    expect(await codeOf(issuer.verify(tokens[0]))).toBe('token_revoked');
    expect(await codeOf(issuer.verify(tokens[1]))).toBe('good');
    // A revocation looks what is over: none is before 12 hours and the life of a token.
    clock.ms += 12 * 3_600_000 + 60_000;
    issuer.revoke({ jti: 'another' });
    expect(await codeOf(issuer.issue(one))).toBe('forbidden');
    expect(await codeOf(issuer.issue(two))).toBe('good');
    clock.ms += 1;
    issuer.revoke({ jti: 'another' });
    expect(await codeOf(issuer.issue(one))).toBe('good');
  });

  test('of a token ends that one', async () => {
    const { issuer } = issuerAt();
    const tokens = [await issuer.issue({ user: 'ada' }), await issuer.issue({ user: 'ada' })] as const;
    issuer.revoke({ jti: claimsOf(tokens[0]).jti });
    expect([await codeOf(issuer.verify(tokens[0])), await codeOf(issuer.verify(tokens[1]))]).toEqual([
      'token_revoked',
      'good',
    ]);
  });

  test('before a time ends what is older, in seconds', async () => {
    const { issuer, clock } = issuerAt();
    const old = await issuer.issue({ user: 'ada' });
    clock.ms += 10_000;
    const young = await issuer.issue({ user: 'bob' });
    issuer.revoke({ before: START / 1_000 + 10 });
    expect([await codeOf(issuer.verify(old)), await codeOf(issuer.verify(young))]).toEqual(['token_revoked', 'good']);
  });

  test.each<[string, unknown]>([
    ['nobody', {}],
    ['two', { user: 'ada', jti: 'x' }],
    ['an empty user', { user: '' }],
    ['an empty token', { jti: '' }],
    ['a user that is a number', { user: 7 }],
    ['a line break', { user: 'a\nb' }],
    ['a time in milliseconds', { before: START }],
    ['a time with a fraction', { before: 1.5 }],
    ['a time before all', { before: -1 }],
    ['a text as time', { before: '1' }],
  ])('refuses %s, and revokes nothing', async (_, whom) => {
    const { issuer } = issuerAt();
    const token = await issuer.issue({ user: 'ada' });
    expect(() => issuer.revoke(whom as never)).toThrow(expect.objectContaining({ code: 'bad_request', status: 400 }));
    expect(await codeOf(issuer.verify(token))).toBe('good');
  });

  test('ends a token of another server whose clock is ahead', async () => {
    const [ahead, here] = [issuerAt(START + 4_000).issuer, issuerAt().issuer];
    const token = await ahead.issue({ user: 'ada' });
    expect(await codeOf(here.verify(token))).toBe('good');
    here.revoke({ user: 'ada' });
    expect(await codeOf(here.verify(token))).toBe('token_revoked');
    expect(await codeOf(here.verify(await here.issue({ user: 'ada' })))).toBe('good');
  });
});

describe('single use', () => {
  test('opens one stream, unless it is given back', async () => {
    const { issuer } = issuerAt(START, { singleUse: true });
    const claims = await issuer.verify(await issuer.issue({ user: 'ada' }));
    expect(issuer.consume(claims)).toBe(true);
    issuer.giveBack(claims);
    expect(issuer.consume(claims)).toBe(true);
    expect(() => issuer.consume(claims)).toThrow(expect.objectContaining({ code: 'token_used', status: 401 }));
  });

  test('is a wish: without it a token opens any number', async () => {
    const { issuer } = issuerAt();
    const claims = await issuer.verify(await issuer.issue({ user: 'ada' }));
    expect([issuer.consume(claims), issuer.consume(claims)]).toEqual([true, true]);
    issuer.giveBack(claims);
  });
});

test.each([
  ['secrets, which are verified at once', { secret: [SECRET, `${SECRET}-before`] }, 0],
  ['a key pair', { secret: undefined, keys: { privateKey: RFC_8037 } }, 500],
])('a storm of tokens imports no key, and verifies each once: %s', async (_, options, expected) => {
  const { issuer } = issuerAt(START, options);
  const tokens = await Promise.all(Array.from({ length: 500 }, (_, n) => issuer.issue({ user: `user${n}` })));
  const imports = vi.spyOn(crypto.subtle, 'importKey');
  const verifies = vi.spyOn(crypto.subtle, 'verify');
  const users = await Promise.all(tokens.map(async (token) => (await issuer.verify(token)).sub));
  expect(users).toEqual(tokens.map((_, n) => `user${n}`));
  expect([imports.mock.calls.length, verifies.mock.calls.length]).toEqual([0, expected]);
});
