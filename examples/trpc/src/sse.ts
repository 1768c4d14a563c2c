// The one connection of the page, and what its updates are called: the same map as the server's.
import { createClient } from 'tinysse';
import type { AppUpdates } from '../server/shared/updates';

declare module 'tinysse' {
  interface Register {
    updates: AppUpdates;
  }
}

export const sse = createClient({
  url: '/events',
  token: async ({ signal }) => {
    const response = await fetch('/auth/sse-token', { method: 'POST', signal });
    if (!response.ok) throw Object.assign(new Error('no token'), { status: response.status });
    return response.json();
  },
});
