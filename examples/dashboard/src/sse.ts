// The client of the page, with its update types.
import { createClient } from 'tinysse';
import type { ProgressValue } from './api';
import { request } from './http';
import { say } from './notice';

declare module 'tinysse' {
  interface Register {
    // A new kind of update is one line here; from then on a misspelt name does not compile.
    updates: {
      projects: unknown;
      compute: unknown;
      progress: ProgressValue | undefined;
    };
  }
}

/** The one connection of this page. The provider in `main.tsx` passes it the user who is signed in. */
export const sse = createClient({
  url: eventsUrl(new URLSearchParams(location.search).get('events')),
  transport: 'eventsource',
  token: ({ signal }) =>
    request<{ token: string; expires_in: number; user: string }>('/auth/sse-token', { method: 'POST', signal }),
});

/**
 * `?events=http://127.0.0.1:9000` puts something between page and hub, a proxy that cuts the line for instance. Only on this
 * machine: the URL carries the token, and a link must not be able to send that to a stranger.
 */
function eventsUrl(base: string | null): string {
  if (!base) return '/events';
  const url = URL.canParse(base) ? new URL('/events', base) : null;
  const near = ['localhost', '127.0.0.1', '[::1]', location.hostname];
  if (url && near.includes(url.hostname)) return url.href;
  say(`Events come from this server: ?events= must be a URL on this machine, not ${base}.`);
  return '/events';
}

declare global {
  interface Window {
    /** A handle for the console and the end-to-end tests; the page itself does not use it. */
    __tinysse: typeof sse;
  }
}
window.__tinysse = sse;
