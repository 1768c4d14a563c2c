// The removal of tokens from texts that are logged.
const hidden = '[redacted]';

/**
 * What carries a token of any issuer: a parameter `token`, the answer of a token endpoint, a bearer
 * header, and what looks like a JWT (RFC 7519, 3.1).
 */
const carriers = /\b(?:\w*token=[^&#\s"'<>]*|token"\s*:\s*"[^"]*|bearer\s+[^\s"'<>]+|eyJ[\w-]*\.[\w-]+\.[\w-]*)/gi;

/**
 * Takes out of a text whatever carries a token, and these tokens wherever they occur, as they are
 * or as part of a URL.
 */
export function redact(text: string, tokens: Iterable<string> = []): string {
  let clean = text;
  for (const token of tokens) {
    clean = clean.replaceAll(token, hidden).replaceAll(encodeURIComponent(token), hidden);
  }
  return clean.replace(carriers, hidden);
}
