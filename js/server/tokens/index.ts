// Stream tokens: issued, verified, revoked. Neither HTTP nor who a user is.
export type { Claims } from './claims.js';
export {
  checkSubject,
  TokenIssuer,
  type TokenIssuerOptions,
  type TokenRevocation,
} from './issuer.js';
export type { JwkSet, PublicJwk } from './jwk-set.js';
export type { Ed25519Jwk, Ed25519Key, TokenKey, TokenSecret, WebCryptoKey } from './key-options.js';
export type { TokenSubject } from './names.js';
