// The public keys of tokens as others read them, at `/.well-known/jwks.json`.

/** An Ed25519 key without its private half (RFC 8037). */
export interface PublicJwk {
  /** What the key is for: signatures. */
  readonly use: 'sig';
  /** The algorithm of its signatures. */
  readonly alg: 'EdDSA';
  /** The name of the key, which tokens carry in their header. */
  readonly kid: string;
  /** The kind of key. */
  readonly kty: 'OKP';
  /** The curve. */
  readonly crv: 'Ed25519';
  /** The public key, in base64url. */
  readonly x: string;
}

/** The public keys (RFC 7517), without any secret. */
export interface JwkSet {
  /** The keys, that which signs first. */
  readonly keys: readonly PublicJwk[];
}
