// Sessions of the application: a cookie with a random id, in memory. Logging in asks for no password.
import type { IncomingMessage, ServerResponse } from 'node:http';

const COOKIE = 'session';
const sessions = new Map<string, { user: string; role: string }>();

interface HasHeaders {
  readonly headers: IncomingMessage['headers'] | Record<string, string | string[] | undefined>;
}

/** The session of a request, if it has a good one. */
export function sessionOf({ headers }: HasHeaders): string | undefined {
  const [, id] = new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(String(headers.cookie ?? '')) ?? [];
  return id !== undefined && sessions.has(id) ? id : undefined;
}

/** Who makes a request, as the hub wants to know it: the session ends the streams that it opened. */
export function userOf(request: HasHeaders) {
  const session = sessionOf(request);
  const known = session === undefined ? undefined : sessions.get(session);
  return known && { ...known, session };
}

export function logIn(response: ServerResponse, user: string): void {
  const id = crypto.randomUUID();
  sessions.set(id, { user, role: user === 'ada' ? 'admin' : 'member' });
  response.setHeader('set-cookie', `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax`);
}

export function logOut(response: ServerResponse, session: string): void {
  sessions.delete(session);
  response.setHeader('set-cookie', `${COOKIE}=; Path=/; Max-Age=0`);
}

/** Who is logged in, each once. */
export function loggedIn(): string[] {
  return [...new Set([...sessions.values()].map(({ user }) => user))].sort();
}
