// Tokens that no hub issued: signed here, with the secret of the suite or another one.
import { createHmac } from 'node:crypto';
import { SECRET } from './target.js';

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The time of day, in seconds since 1970. */
export function now(): number {
  return Math.floor(Date.now() / 1_000);
}

/** Signs claims (HS256): those of a good token for ada, with some of them replaced. */
export function signed(claims: Readonly<Record<string, unknown>> = {}, secret = SECRET, header = {}): string {
  const head = base64url({ typ: 'JWT', alg: 'HS256', ...header });
  const usual = { iss: 'tinysse', aud: 'tinysse', sub: 'ada', iat: now(), exp: now() + 600, jti: 'a-token' };
  const text = `${head}.${base64url({ ...usual, ...claims })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** The claims of a token. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}
