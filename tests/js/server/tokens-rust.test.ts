// Tokens of the real Rust server and of `tinysse/server`, each examined by the other. The program
// is built by `cargo`, which runs before these tests; without it they are skipped, and fail in CI.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { TokenIssuer } from '../../../js/server/tokens/index.js';
import { cases, codeOf, OTHER_SECRET, privatePem, publicPem, RFC_8037_KID, SECRET } from './tokens-support.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
const built = ['debug', 'release', 'dist']
  .map((profile) => join(target, profile, process.platform === 'win32' ? 'tinysse-server.exe' : 'tinysse-server'))
  .filter((path) => existsSync(path))
  .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
const [program] = built;
const missing = `no tinysse-server in ${target}: build it by \`cargo build -p tinysse-server\``;

if (!program) {
  test('the Rust server is there', ({ skip }) => {
    if (process.env.CI) throw new Error(missing);
    console.warn(`tokens-rust.test.ts is skipped: ${missing}`);
    skip(missing);
  });
}

const directory = mkdtempSync(join(tmpdir(), 'tinysse-tokens-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** The environment without settings of a server. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TINYSSE_')));

/** Runs `tinysse-server token`. Returns what it printed, also if the token is worth nothing. */
function run(args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(program as string, ['token', ...args], {
    input,
    env,
    cwd: directory,
    encoding: 'utf8',
  });
  if (error || (status !== 0 && stdout === '')) throw new Error(`token ${args[0]}: ${error ?? stderr}`);
  return stdout.trim();
}

interface Examined {
  readonly worth: string;
  readonly claims: Record<string, unknown> | undefined;
}

/** What a token is worth to the Rust server, in the codes of its routes. */
function examine(token: string, args: readonly string[]): Examined {
  const [first = '', ...rest] = run(['check', ...args], token).split('\n');
  if (first === 'good (tinysse)') return { worth: 'good', claims: JSON.parse(rest.join('\n')) };
  const reason = /^worth nothing: (\w+)$/.exec(first)?.[1];
  if (!reason) throw new Error(`unexpected answer: ${first}`);
  return { worth: reason === 'Expired' ? 'token_expired' : 'token_invalid', claims: undefined };
}

const shared = [`--secret=${SECRET}`];
const pair = () => [`--token-key=${file('private.pem', privatePem())}`];
const seconds = () => Math.floor(Date.now() / 1_000);

describe.skipIf(!program)('tokens of the Rust server', () => {
  const wish = ['--sub=ada', '--role=admin', '--channel=ops.>', '--channel=日本.*'];

  test('signed by a secret are good here, with the same claims', async () => {
    const token = run(['mint', ...wish, ...shared]);
    const { jti, gen, iat, exp, ...rest } = await new TokenIssuer({ secret: SECRET }).verify(token);
    expect(rest).toEqual({
      iss: 'tinysse',
      aud: 'tinysse',
      sub: 'ada',
      role: 'admin',
      channels: ['ops.>', '日本.*'],
      types: undefined,
      auth_ms: undefined,
      nbf: 0,
      sid: '',
    });
    expect(jti).toMatch(/^[0-9a-f]{24}$/);
    expect(Math.abs(iat - seconds())).toBeLessThan(60);
    expect([Math.floor((gen as number) / 1_000), exp - iat]).toEqual([iat, expect.closeTo(60, -1)]);
    expect(examine(token, shared).claims).toMatchObject({ jti, gen, iat, exp });
  });

  test('signed by a key pair are good here, by private or public key', async () => {
    const pem = run(['key']);
    const token = run(['mint', ...wish, `--token-key=${file('generated.pem', pem)}`]);
    const issuer = new TokenIssuer({ keys: { privateKey: pem } });
    expect(await issuer.verify(token)).toMatchObject({ sub: 'ada', role: 'admin' });
    // The name of the key is the same, so that a JWK set of one is good for the other.
    const { keys } = await issuer.jwks();
    expect(JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString())).toEqual({
      typ: 'JWT',
      alg: 'EdDSA',
      kid: keys[0]?.kid,
    });
    const checker = new TokenIssuer({ secret: SECRET, keys: { publicKey: { ...keys[0] } } });
    expect(await codeOf(checker.verify(token))).toBe('good');
    expect(await codeOf(new TokenIssuer({ secret: SECRET }).verify(token))).toBe('token_invalid');
  });

  test('signed by a former secret are good as long as it is given', async () => {
    const token = run(['mint', ...wish, `--secret=${OTHER_SECRET}`]);
    expect(await codeOf(new TokenIssuer({ secret: [SECRET, OTHER_SECRET] }).verify(token))).toBe('good');
    expect(await codeOf(new TokenIssuer({ secret: SECRET }).verify(token))).toBe('token_invalid');
  });

  test('end by a revocation here, and a token of this hub behind it is good', async () => {
    const issuer = new TokenIssuer({ secret: SECRET });
    const token = run(['mint', ...wish, ...shared]);
    expect(await codeOf(issuer.verify(token))).toBe('good');
    issuer.revoke({ user: 'ada' });
    expect(await codeOf(issuer.verify(token))).toBe('token_revoked');
    expect(await codeOf(issuer.verify(await issuer.issue({ user: 'ada' })))).toBe('good');
  });

  test('of sessions open no stream', async () => {
    const session = run(['mint', '--session', ...wish, ...shared]);
    expect(await codeOf(new TokenIssuer({ secret: SECRET }).verify(session))).toBe('token_invalid');
  });
});

describe.skipIf(!program)('tokens of this hub', () => {
  const subject = { user: 'ada', role: 'admin', channels: ['ops.>', '日本.*'], session: 's-1' };

  test('signed by a secret are good there, with the same claims', async () => {
    const issuer = new TokenIssuer({ secret: [SECRET, OTHER_SECRET] });
    const token = await issuer.issue(subject);
    const { worth, claims } = examine(token, shared);
    expect(worth).toBe('good');
    const { nbf, types, auth_ms, ...own } = await issuer.verify(token);
    expect({ nbf, types, auth_ms }).toEqual({ nbf: 0, types: undefined, auth_ms: undefined });
    expect(claims).toEqual(own);
    expect(examine(token, [`--secret=${OTHER_SECRET}`]).worth).toBe('token_invalid');
  });

  test('signed by a key pair are good there, by private or public key', async () => {
    const issuer = new TokenIssuer({ secret: SECRET, keys: { privateKey: privatePem() } });
    const token = await issuer.issue(subject);
    expect(examine(token, pair()).worth).toBe('good');
    expect(examine(token, [...shared, `--token-key=${file('public.pem', publicPem())}`]).worth).toBe('good');
    expect(examine(token, shared).worth).toBe('token_invalid');
  });

  test('signed by the current secret are good where it is the former one', async () => {
    const token = await new TokenIssuer({ secret: OTHER_SECRET }).issue(subject);
    expect(examine(token, [...shared, `--previous-secret=${OTHER_SECRET}`]).worth).toBe('good');
    expect(examine(token, shared).worth).toBe('token_invalid');
  });

  test('without anything optional, and with the types that only this hub reads, are good there', async () => {
    const issuer = new TokenIssuer({ secret: SECRET });
    expect(examine(await issuer.issue({ user: 'é'.repeat(127) }), shared).worth).toBe('good');
    expect(examine(await issuer.issue({ ...subject, types: ['news.*'] }), shared).worth).toBe('good');
    // Many in one millisecond: the position is ahead of the clock.
    const now = Date.now();
    const fixed = new TokenIssuer({ secret: SECRET, now: () => now });
    await fixed.issue(subject);
    const { worth, claims } = examine(await fixed.issue(subject), shared);
    expect([worth, claims?.gen, claims?.auth_ms]).toEqual(['good', now + 1, now]);
  });

  test('of another issuer are not', async () => {
    const token = await new TokenIssuer({ secret: SECRET, issuer: 'app' }).issue(subject);
    expect(examine(token, [...shared, '--issuer=app']).worth).toBe('good');
    expect(examine(token, shared).worth).toBe('token_invalid');
  });
});

test.skipIf(!program)(
  'both find the same of good tokens in unusual forms, and of attacks',
  async () => {
    const issuer = new TokenIssuer({ secret: SECRET, keys: { privateKey: privatePem() } });
    expect((await issuer.jwks()).keys[0]?.kid).toBe(RFC_8037_KID);
    const args = [...shared, ...pair()];
    for (const { why, token, worth } of cases(seconds())) {
      const theirs = examine(token, args);
      expect({ why, rust: theirs.worth, here: await codeOf(issuer.verify(token)) }).toEqual({
        why,
        rust: worth,
        here: worth,
      });
      if (worth !== 'good') continue;
      const { nbf, sid, types: _, ...claims } = await issuer.verify(token);
      const exact = (value: unknown) => (typeof value === 'number' ? Math.min(value, Number.MAX_SAFE_INTEGER) : value);
      const shown = Object.fromEntries(
        Object.entries(theirs.claims ?? {}).map(([name, value]) => [name, exact(value)]),
      );
      // The Rust server leaves out these two where they are empty.
      expect({ nbf: 0, sid: '', ...shown }, why).toEqual({ nbf, sid, ...JSON.parse(JSON.stringify(claims)) });
    }
  },
  60_000,
);
