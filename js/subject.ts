import type { TokenAnswer } from './types.js';

/** Whom a token speaks for: the `user` of the answer, else the claim `sub` of a JWT (RFC 7519, 4.1.2); undefined if it does not say. */
export function subjectOf(answer: TokenAnswer): string | undefined {
  const { token, user } = (typeof answer === 'string' ? { token: answer } : (answer ?? {})) as Record<string, unknown>;
  return text(user) ?? text(claims(token)?.sub);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The payload of a JWT. Read, not verified: the server does that, and here it only tells one user from another. */
function claims(token: unknown): { sub?: unknown } | null | undefined {
  try {
    const payload = String(token).split('.')[1] ?? '';
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined; // an opaque token
  }
}
