// Compiled, never run: what the types promise, and what they refuse.
import { type Client, createClient, SseError, type Status } from 'tinysse';
import { EventSource } from 'tinysse/eventsource';
import { trpcEventSource } from 'tinysse/trpc';
import wasm from 'tinysse/wasm-url';
import './main.js';
import './more.js';
import './react.js';

export const client: Client = createClient({
  url: '/events',
  wasm,
  token: async ({ signal }) => (signal.aborted ? '' : 'token'),
});
createClient({ url: '/events', token: () => ({ token: 'token', expires_in: 60 }) });

client.subscribe('projects', (update) => {
  const id: number = update.data.id;
  // @ts-expect-error projects carry a number
  const name: string = update.data.id;
  return [id, name];
});
client.subscribe('*', (update) => update.data.id);

// @ts-expect-error no such update is registered
client.subscribe('project', () => {});
// @ts-expect-error a client needs a url
createClient({});
// @ts-expect-error a token is a string, not a number
createClient({ url: '/events', token: () => 7 });

export const status: Status = client.getSnapshot().status;
export const release: () => void = client.acquire();
export const denied = (error: unknown): boolean => error instanceof SseError && error.code === 'unauthorized';

export const source = new EventSource('/events', { token: ({ reason }) => ({ token: reason, expires_in: 60 }) });
source.onerror = ({ message, status, error }) => console.warn(message, status, error?.code);
source.addEventListener('projects', ({ data }) => data.length);
export const Rotating: typeof EventSource = trpcEventSource({ token: () => 'token' });
// @ts-expect-error a token is a string, not a number
new EventSource('/events', { token: 7 });
