// The secret that signs tokens, where the application gave none.
import { badOption } from './errors.js';
import type { HubOptions } from './options.js';
import { environment } from './runtime.js';

const BYTES = 32;

/**
 * Returns the secret of the options; a random one without it. Throws in production, where every
 * restart would invalidate all tokens, and several processes would refuse each other's.
 */
export function secretOf(secret: HubOptions['secret']): NonNullable<HubOptions['secret']> {
  if (secret !== undefined) return secret;
  if (environment('NODE_ENV') === 'production') {
    throw badOption('secret', 'missing; in production give 32 random bytes or more, such as `openssl rand -base64 32`');
  }
  console.warn('tinysse: no `secret` given; tokens are signed by a random one and end with this process');
  return crypto.getRandomValues(new Uint8Array(BYTES));
}
