// `node server/tests/keys/make.mjs`: keys of every kind that app sessions may be signed with, and a token of each, made by Node's
// own crypto (OpenSSL), so that what is tested does not vouch for itself. The keys sign nothing outside of these tests.
import { constants, generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';

const seconds = 1_700_000_000;
const claims = { iss: 'https://app.example', aud: 'web', sub: 'ada', iat: seconds, exp: seconds + 60 };

/** How each algorithm of RFC 7518 and RFC 8037 makes its key and signs. */
const kinds = {
  RS256: { key: ['rsa', { modulusLength: 2048 }], hash: 'sha256', how: {} },
  PS256: {
    key: ['rsa', { modulusLength: 2048 }],
    hash: 'sha256',
    how: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
  },
  ES256: { key: ['ec', { namedCurve: 'P-256' }], hash: 'sha256', how: { dsaEncoding: 'ieee-p1363' } },
  ES384: { key: ['ec', { namedCurve: 'P-384' }], hash: 'sha384', how: { dsaEncoding: 'ieee-p1363' } },
  EdDSA: { key: ['ed25519', {}], hash: null, how: {} },
};

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function make([alg, { key, hash, how }]) {
  const { privateKey, publicKey } = generateKeyPairSync(...key);
  const kid = `the-${alg}-key`;
  const text = `${part({ alg, typ: 'JWT', kid })}.${part(claims)}`;
  const signature = sign(hash, Buffer.from(text), { key: privateKey, ...how });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
  const der = privateKey.export({ type: key[0] === 'rsa' ? 'pkcs1' : 'pkcs8', format: 'der' });
  return [alg, { jwk, der: der.toString('base64url'), token: `${text}.${signature.toString('base64url')}` }];
}

const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
const keys = {
  ...Object.fromEntries(Object.entries(kinds).map(make)),
  small: { ...small, kid: 'small', alg: 'RS256' },
};
writeFileSync(new URL('keys.json', import.meta.url), `${JSON.stringify(keys, null, 2)}\n`);
