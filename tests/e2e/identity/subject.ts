// A request for a stream as the page makes it, for the tests of users.
/**
 * A request for a stream, as the page makes it. The retries of a native `EventSource` are only seen
 * by the proxy.
 */
export interface Asked {
  /** The subject of its token. */
  readonly user: string;
  /** The current user of the tab. */
  readonly current: string | null;
}

/** The claim `sub` of a JWT. */
export function subject(token: string): string {
  const payload = (token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/');
  return String(JSON.parse(atob(payload)).sub);
}
