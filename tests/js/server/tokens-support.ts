// Tokens for the tests of `tinysse/server`: signed by hand, so that anything can be in them.
import { createHash, createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { isHubError } from '../../../js/server/errors.js';
import type { Claims } from '../../../js/server/tokens/index.js';

export const SECRET = 'the-secret-of-these-tests-is-long-enough';
export const OTHER_SECRET = 'another-secret-that-is-long-enough-too';

/** The Ed25519 key of RFC 8037, appendix A. */
export const RFC_8037 = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
};
/** Its thumbprint begins like this. */
export const RFC_8037_KID = 'kPrK_qmxVWaYVA9w';

export const base64url = (bytes: string | Uint8Array) => Buffer.from(bytes).toString('base64url');

/** The name that the server has for a secret. */
export function kidOf(secret: string): string {
  const members = `{"k":"${base64url(secret)}","kty":"oct"}`;
  return createHash('sha256').update(members).digest('base64url').slice(0, 16);
}

export const privateKey = (jwk = RFC_8037) => createPrivateKey({ key: jwk, format: 'jwk' });
export const privatePem = (jwk = RFC_8037) => privateKey(jwk).export({ type: 'pkcs8', format: 'pem' }) as string;
export const publicPem = (jwk = RFC_8037) => {
  const key = createPublicKey(privateKey(jwk) as never);
  return key.export({ type: 'spki', format: 'pem' }) as string;
};

type Part = string | Uint8Array | object;

const bytesOf = (part: Part) => (typeof part === 'string' || part instanceof Uint8Array ? part : JSON.stringify(part));

/** A token with any header and any claims, signed with HS256. */
export function hs256(header: Part, claims: Part, secret: string | Uint8Array = SECRET): string {
  const message = `${base64url(bytesOf(header))}.${base64url(bytesOf(claims))}`;
  return `${message}.${createHmac('sha256', secret).update(message).digest('base64url')}`;
}

/** The same, signed with Ed25519. */
export function ed25519(header: Part, claims: Part, key: KeyObject = privateKey()): string {
  const message = `${base64url(bytesOf(header))}.${base64url(bytesOf(claims))}`;
  return `${message}.${sign(null, Buffer.from(message), key).toString('base64url')}`;
}

/** Claims of a good token, as a program writes them that has no count of logins. */
export const plain = (now: number, life = 60) => ({
  iss: 'tinysse',
  aud: 'tinysse',
  sub: 'ada',
  role: 'admin',
  channels: ['ops'],
  iat: now,
  exp: now + life,
  jti: 'j',
});

/** All claims, as they are read. */
export const claims = (more: Partial<Claims> = {}): Claims => ({
  iss: 'tinysse',
  aud: 'tinysse',
  sub: 'ada',
  role: '',
  channels: [],
  types: undefined,
  gen: undefined,
  auth_ms: undefined,
  iat: 0,
  nbf: 0,
  exp: 10_000_000,
  jti: '',
  sid: '',
  ...more,
});

/** What a promise ends with: `good`, or the code of its `HubError`. Other errors are thrown. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'good';
  } catch (error) {
    if (isHubError(error)) return error.code;
    throw error;
  }
}

/** The option that a call refuses. */
export function optionOf(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    if (isHubError(error) && error.code === 'options') return error.option;
    throw error;
  }
  return undefined;
}

/** How long the tokens below are valid, and how far ahead are those that are early. */
const LIFE = 600;

/** One token and what it is worth. */
export interface Case {
  readonly why: string;
  readonly token: string;
  readonly worth: 'good' | 'token_invalid' | 'token_expired';
}

/**
 * Good tokens in unusual forms, and attacks, for a server with {@link SECRET} and the key of
 * RFC 8037.
 */
export function cases(now: number): Case[] {
  return [...headers(now), ...signatures(now), ...forms(now), ...claimCases(now)];
}

function headers(now: number): Case[] {
  const good = plain(now, LIFE);
  const kid = kidOf(SECRET);
  const of = (why: string, worth: Case['worth'], header: Part): Case => ({ why, worth, token: hs256(header, good) });
  return [
    of('no name of a key', 'good', { alg: 'HS256' }),
    of('the name of the key', 'good', { alg: 'HS256', kid }),
    of('the name of the key, spaced', 'good', `{ "kid" : ${JSON.stringify(kid)}, "alg" : "HS256" }`),
    of('a name that is null', 'good', { alg: 'HS256', kid: null, crit: null }),
    of('unknown members, and one twice', 'good', '{"alg":"HS256","b64":true,"x":1,"x":[{"alg":"none"}]}'),
    of('an escaped name of a member', 'good', '{"\\u0061lg":"HS256"}'),
    of('a key that comes along', 'good', { alg: 'HS256', jku: 'https://evil.example', jwk: RFC_8037 }),
    of('a name of no key', 'token_invalid', { alg: 'HS256', kid: '../../dev/null' }),
    of('the name of another key', 'token_invalid', { alg: 'HS256', kid: RFC_8037_KID }),
    of('a name that is a number', 'token_invalid', { alg: 'HS256', kid: 7 }),
    of('no algorithm', 'token_invalid', { typ: 'JWT' }),
    of('an algorithm that is null', 'token_invalid', { alg: null }),
    of('an algorithm that is a list', 'token_invalid', { alg: ['HS256'] }),
    of('another strength', 'token_invalid', { alg: 'HS512' }),
    of('the algorithm in small letters', 'token_invalid', { alg: 'hs256' }),
    of('the algorithm of another key', 'token_invalid', { alg: 'EdDSA' }),
    of('the algorithm of another key, and its name', 'token_invalid', { alg: 'EdDSA', kid: RFC_8037_KID }),
    of('something critical', 'token_invalid', { alg: 'HS256', crit: ['exp'], exp: 1 }),
    of('nothing critical, but so declared', 'token_invalid', { alg: 'HS256', crit: [] }),
    of('something critical that is no list', 'token_invalid', { alg: 'HS256', crit: 'exp' }),
    of('the algorithm twice', 'token_invalid', '{"alg":"none","alg":"HS256"}'),
    of('the algorithm twice, once escaped', 'token_invalid', '{"alg":"HS256","\\u0061lg":"HS256"}'),
    of('the name of the key twice', 'token_invalid', `{"alg":"HS256","kid":"${kid}","kid":"${kid}"}`),
    of('a type that is a number', 'token_invalid', { alg: 'HS256', typ: 7 }),
    of('a key that is a text', 'token_invalid', { alg: 'HS256', jwk: 'x' }),
    of('a key that is a list', 'token_invalid', { alg: 'HS256', jwk: [] }),
    of('a chain that is a text', 'token_invalid', { alg: 'HS256', x5c: 'x' }),
    of('half a surrogate', 'token_invalid', '{"alg":"HS256","x":["\\udc00"]}'),
    of('a number past all', 'token_invalid', '{"alg":"HS256","x":1e400}'),
    of('127 levels', 'good', `{"alg":"HS256","x":${'['.repeat(126)}${']'.repeat(126)}}`),
    of('128 levels', 'token_invalid', `{"alg":"HS256","x":${'['.repeat(127)}${']'.repeat(127)}}`),
    of('a header that is a list', 'token_invalid', ['HS256']),
    of('a header that is a text', 'token_invalid', '"HS256"'),
    of('a header that is no JSON', 'token_invalid', '{alg:"HS256"}'),
    of('a header with a byte order mark', 'token_invalid', '\ufeff{"alg":"HS256"}'),
    of('a header with a comma too many', 'token_invalid', '{"alg":"HS256",}'),
    of('a header that is no UTF-8', 'token_invalid', Buffer.from('{"alg":"HS256","x":"\xff"}', 'latin1')),
    of('an empty header', 'token_invalid', ''),
  ];
}

function signatures(now: number): Case[] {
  const good = plain(now, LIFE);
  const payload = base64url(JSON.stringify(good));
  const none = (alg: string) => `${base64url(JSON.stringify({ alg }))}.${payload}.`;
  const eve = createPrivateKey({
    key: { ...RFC_8037, d: base64url(Buffer.alloc(32, 7)), x: '6kqGYwDx9MEknV3fLjAtHAPRlZvFtNLfTFJiudxuqpg' },
    format: 'jwk',
  });
  const token = hs256({ alg: 'HS256' }, good);
  const own = ed25519({ typ: 'JWT', alg: 'EdDSA', kid: RFC_8037_KID }, good);
  const [header, , signature] = token.split('.');
  const bad = (why: string, token: string): Case => ({ why, token, worth: 'token_invalid' });
  const publicKeys: [string, string | Uint8Array][] = [
    ['in base64url', RFC_8037.x],
    ['as bytes', Buffer.from(RFC_8037.x, 'base64url')],
    ['as PEM', publicPem()],
    ['as PEM without the last line break', publicPem().trimEnd()],
    ['as JWK', JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: RFC_8037.x })],
  ];
  return [
    { why: 'signed by the key pair', token: own, worth: 'good' },
    { why: 'signed by the key pair, unnamed', token: ed25519({ alg: 'EdDSA' }, good), worth: 'good' },
    ...publicKeys.flatMap(([form, key]) => [
      bad(`HS256 with the public key ${form}`, hs256({ alg: 'HS256', kid: RFC_8037_KID }, good, key)),
      bad(`HS256 with the public key ${form}, unnamed`, hs256({ alg: 'HS256' }, good, key)),
      bad(`EdDSA as HS256 with the public key ${form}`, hs256({ alg: 'EdDSA' }, good, key)),
    ]),
    ...['none', 'None', 'NONE', ''].map((alg) => bad(`algorithm ${JSON.stringify(alg)}`, none(alg))),
    bad('algorithm none with a signature', hs256({ alg: 'none' }, good)),
    bad('no signature', `${header}.${payload}.`),
    bad('a signature of zeros', `${header}.${payload}.${'A'.repeat(43)}`),
    bad('half a signature', token.slice(0, -21)),
    bad('a character less', token.slice(0, -1)),
    bad('a signature and a zero', `${token}AA`),
    bad('another secret', hs256({ alg: 'HS256' }, good, OTHER_SECRET)),
    bad('another secret by the name of this one', hs256({ alg: 'HS256', kid: kidOf(SECRET) }, good, OTHER_SECRET)),
    bad('an empty secret', hs256({ alg: 'HS256' }, good, '')),
    bad('another key pair', ed25519({ alg: 'EdDSA' }, good, eve)),
    bad('another key pair by the name of this one', ed25519({ alg: 'EdDSA', kid: RFC_8037_KID }, good, eve)),
    bad('another key pair that comes along', ed25519({ alg: 'EdDSA', jwk: eve.export({ format: 'jwk' }) }, good, eve)),
    bad('the claims of another user', `${header}.${base64url(JSON.stringify({ ...good, sub: 'eve' }))}.${signature}`),
    bad('a signature of Ed25519 that is zero', `${own.slice(0, own.lastIndexOf('.'))}.${'A'.repeat(86)}`),
  ];
}

function forms(now: number): Case[] {
  const good = plain(now, LIFE);
  const token = hs256({ alg: 'HS256' }, good);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  // The last character of 32 bytes has two bits that belong to no byte.
  const last = alphabet[alphabet.indexOf(signature.at(-1) as string) ^ 1];
  const signed = (message: string) => `${message}.${createHmac('sha256', SECRET).update(message).digest('base64url')}`;
  const bad = (why: string, token: string): Case => ({ why, token, worth: 'token_invalid' });
  return [
    { why: 'as it should be', token, worth: 'good' },
    bad('a part too many', `${token}.`),
    bad('a part before', `e30.${token}`),
    bad('signed with a part before', signed(`e30.${header}.${payload}`)),
    bad('two parts', `${header}.${payload}`),
    bad('one part', header),
    bad('points alone', '..'),
    bad('bits that belong to no byte', `${header}.${payload}.${signature.slice(0, -1)}${last}`),
    bad('padding', `${token}=`),
    bad('signed claims with padding', signed(`${header}.${base64url('{}')}==`)),
    bad('base64 of the other alphabet', `${header}.${payload}.${'+'.repeat(43)}`),
    bad('a space inside', `${token.slice(0, 40)} ${token.slice(40)}`),
    bad('a line break inside', `${token.slice(0, 40)}\n${token.slice(40)}`),
    bad('a character past ASCII', `${token.slice(0, -1)}ſ`),
    bad('longer than 8 KiB', hs256({ alg: 'HS256' }, { ...good, more: 'x'.repeat(6_200) })),
    {
      why: 'just below 8 KiB',
      token: hs256({ alg: 'HS256' }, { ...good, more: 'x'.repeat(5_900) }),
      worth: 'good',
    },
    bad('something else', 'x.y.z'),
  ];
}

function claimCases(now: number): Case[] {
  const good = plain(now, LIFE);
  const of = (why: string, worth: Case['worth'], payload: Part): Case => ({
    why,
    worth,
    token: hs256({ alg: 'HS256' }, payload),
  });
  const with_ = (name: string, value: unknown, worth: Case['worth']) =>
    of(`${name} ${JSON.stringify(value)?.slice(0, 60)}`, worth, { ...good, [name]: value });
  const text = (name: string, written: string, worth: Case['worth']) => {
    const rest = JSON.stringify({ ...good, [name]: undefined });
    return of(`${name} written as ${written.slice(0, 60)}`, worth, `{"${name}":${written},${rest.slice(1)}`);
  };
  const without = (name: string) => of(`without ${name}`, 'token_invalid', { ...good, [name]: undefined });
  const names: [string, unknown][] = [
    ['sub', ''],
    ['sub', 'x'.repeat(256)],
    ['sub', 'é'.repeat(128)],
    ['sub', 'ada\u0000'],
    ['sub', 'ada\nadmin'],
    ['sub', 'ada\u0085'],
    ['role', 'admin\u0000'],
    ['role', 'x'.repeat(256)],
    ['channels', ['ops\u007f']],
    ['channels', ['']],
    ['channels', ['a.'.repeat(40)]],
    ['channels', Array.from({ length: 1_001 }, () => 'a')],
  ];
  const types: [string, unknown][] = [
    ...['iss', 'sub', 'aud', 'exp'].map((name): [string, unknown] => [name, null]),
    ...['iss', 'sub', 'role', 'jti', 'sid'].map((name): [string, unknown] => [name, 7]),
    ...['exp', 'iat', 'nbf', 'gen', 'auth_ms'].flatMap((name): [string, unknown][] => [
      [name, String(now)],
      [name, true],
      [name, [now]],
      [name, {}],
    ]),
    ...['ops', [null], [7], [['ops']], {}].map((value): [string, unknown] => ['channels', value]),
    ...['gen', 'auth_ms'].map((name): [string, unknown] => [name, 2 ** 53]),
    ...['other', '', 'tinysse-app', 'TINYSSE', ['other'], [], [['tinysse']], ['tinysse', 7], { tinysse: 1 }].map(
      (value): [string, unknown] => ['aud', value],
    ),
    ...['eve', '', ['tinysse'], 'tinysse\u0000'].map((value): [string, unknown] => ['iss', value]),
  ];
  return [
    of('no optional claim', 'good', { iss: 'tinysse', aud: 'tinysse', sub: 'ada', exp: now + LIFE }),
    of('spaces and line breaks', 'good', JSON.stringify(good, null, 2)),
    of('an unknown claim twice', 'good', `{"x":1,"x":{"sub":"eve"},${JSON.stringify(good).slice(1)}`),
    of('claims inside another claim', 'good', { x: { sub: 'eve', exp: 1 }, ...good }),
    of('an escaped name of a claim', 'good', JSON.stringify(good).replace('"sub"', '"\\u0073ub"')),
    ...['role', 'channels', 'gen', 'auth_ms', 'iat', 'nbf', 'jti', 'sid'].map((name) => with_(name, null, 'good')),
    with_('sub', 'x'.repeat(255), 'good'),
    with_('sub', 'é'.repeat(127), 'good'),
    with_('sub', '日本語 🙂', 'good'),
    with_('role', '', 'good'),
    with_('channels', ['ops.>', '*', 'a.*.b'], 'good'),
    with_('aud', ['tinysse', 'other'], 'good'),
    with_('aud', ['other', 'tinysse'], 'good'),
    with_('sid', 's-1', 'good'),
    ...['iss', 'aud', 'sub', 'exp'].map(without),
    ...names.map(([name, value]) => with_(name, value, 'token_invalid')),
    ...types.map(([name, value]) => with_(name, value, 'token_invalid')),
    of('claims that are a text', 'token_invalid', '"ada"'),
    of('claims that are null', 'token_invalid', 'null'),
    of('claims that are no JSON', 'token_invalid', `${JSON.stringify(good)}x`),
    of('claims with a byte order mark', 'token_invalid', `\ufeff${JSON.stringify(good)}`),
    of('no claims', 'token_invalid', ''),
    of('the user twice', 'token_invalid', `{"sub":"eve",${JSON.stringify(good).slice(1)}`),
    of('the user twice, once escaped', 'token_invalid', `{"\\u0073ub":"eve",${JSON.stringify(good).slice(1)}`),
    of('the end twice', 'token_invalid', `${JSON.stringify(good).slice(0, -1)},"exp":9999999999}`),
    of('a user that is no UTF-8', 'token_invalid', Buffer.from(JSON.stringify({ ...good, sub: '\xff' }), 'latin1')),
    text('sub', '"\\ud800"', 'token_invalid'),
    text('role', '"\\udc00x"', 'token_invalid'),
    text('channels', '["\\ud83d"]', 'token_invalid'),
    text('sub', '"\\ud83d\\ude42"', 'good'),
    // Times: a fraction is cut off, and what is too large is the end of time.
    text('exp', `${now}.9`, 'token_expired'),
    text('exp', `${now + LIFE}.9`, 'good'),
    text('exp', `${now - 1}`, 'token_expired'),
    text('exp', '0', 'token_expired'),
    text('exp', '-1', 'token_expired'),
    text('exp', '-1e300', 'token_expired'),
    text('exp', '18446744073709551615', 'good'),
    text('exp', '18446744073709551616', 'good'),
    text('exp', '1e300', 'good'),
    text('exp', '1e400', 'token_invalid'),
    text('exp', '-1e400', 'token_invalid'),
    text('exp', '0x7fffffff', 'token_invalid'),
    text('exp', 'NaN', 'token_invalid'),
    text('exp', `0${now + LIFE}`, 'token_invalid'),
    text('nbf', '-1', 'good'),
    text('nbf', '1e300', 'token_invalid'),
    text('nbf', `${now + LIFE}`, 'token_invalid'),
    text('iat', `${now + LIFE}`, 'token_invalid'),
    text('iat', '1e300', 'token_invalid'),
    text('iat', '-9223372036854775809', 'good'),
    text('auth_ms', `${(now + LIFE) * 1_000}`, 'token_invalid'),
    text('gen', '-1', 'good'),
    text('gen', '7.5', 'good'),
    text('gen', '9007199254740991', 'good'),
    text('gen', '9007199254740993', 'token_invalid'),
    text('gen', '1e300', 'token_invalid'),
    text('gen', '1e400', 'token_invalid'),
    // With a position, the time of issue is compared with nothing.
    of('a later issue, with a position', 'good', { ...good, gen: 7, iat: now + LIFE }),
    of('expired and of another issuer', 'token_invalid', { ...good, exp: 1, iss: 'eve' }),
    of('expired and of a bad name', 'token_invalid', { ...good, exp: 1, sub: 'a\n' }),
  ];
}
