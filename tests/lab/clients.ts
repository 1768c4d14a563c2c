// The clients, each behind the same few lines: what an application would write that wants what the lab asks of all.
import { fetchEventSource } from '@microsoft/fetch-event-source';
import { EventSourcePolyfill } from 'event-source-polyfill';
import { EventSource as NpmEventSource } from 'eventsource';
import type { ClientOptions, createClient as CreateClient } from 'tinysse';

/** What the application receives of a failure. */
export interface Failure {
  readonly code?: string | undefined;
  readonly status?: number | undefined;
  /** The client gave up. */
  readonly over?: boolean;
}

export interface App {
  readonly url: string;
  /** Named events to listen to, where a client must name them. */
  readonly types?: readonly string[];
  /** A new token at each call. */
  token(): string;
  heard(type: string, data: unknown, id: string): void;
  failed(failure: Failure): void;
}

/** Opens a connection; what it answers closes it. */
export type Open = (app: App) => Promise<() => void>;

/** The part of an `EventSource` that all classes of that name have. */
interface Source {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: MessageEvent) => void): void;
  close(): void;
}
type SourceClass = new (url: string, init?: object) => Source;

// The package as it is built, not its sources.
const packed = (entry: string) => import(/* @vite-ignore */ `${location.origin}/pkg/${entry}`);

const usual = ['message'];

function ours(transport: string, more: Partial<ClientOptions> = {}): Open {
  return async ({ url, types = usual, token, heard, failed }) => {
    const { createClient } = (await packed('index.js')) as { createClient: typeof CreateClient };
    const provider = async () => ({ token: token(), expires_in: 60 });
    const client = createClient<Record<string, unknown>>({ url, transport, token: provider, ...more } as ClientOptions);
    // `projects` is the type of the servers that speak tinysse/1.
    client.subscribe([...types, 'projects'], ({ type, data, id }) => heard(type, data, id));
    client.onError(({ code, status, retryable }) => failed({ code, status, over: !retryable }));
    client.acquire();
    return () => client.close();
  };
}

function listen(source: Source, { types = usual, heard, failed }: App): () => void {
  for (const name of types) {
    source.addEventListener(name, ({ type, data, lastEventId }) => heard(type, data, lastEventId));
  }
  source.addEventListener('error', (event) => {
    const { status, code } = event as { status?: number; code?: number };
    failed({ status: status ?? code, over: source.readyState === 2 });
  });
  return () => source.close();
}

const withToken = (url: string, token: string) => `${url}?token=${token}`;
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

export const clients: Record<string, Open> = {
  'ours-eventsource': ours('eventsource'),
  'ours-fetch': ours('fetch'),
  'ours-fetch-wide': ours('fetch', { eventLimit: 2 ** 27 }),
  'ours-class': async (app) => {
    const { EventSource: Ours } = (await packed('eventsource/index.js')) as { EventSource: SourceClass };
    return listen(new Ours(app.url, { token: () => app.token() }), app);
  },
  native: async (app) => listen(new EventSource(withToken(app.url, app.token())) as Source, app),
  eventsource: async (app) => {
    const get = (url: string | URL, init: RequestInit) =>
      fetch(url, { ...init, headers: { ...(init.headers as Record<string, string>), ...bearer(app.token()) } });
    return listen(new NpmEventSource(app.url, { fetch: get as never }) as Source, app);
  },
  'fetch-event-source': async ({ url, token, heard, failed }) => {
    const life = new AbortController();
    fetchEventSource(url, {
      signal: life.signal,
      headers: bearer(token()),
      openWhenHidden: true,
      onmessage: ({ event, data, id }) => heard(event || 'message', data, id),
      onerror: () => failed({}),
    }).catch(() => failed({ over: true }));
    return () => life.abort();
  },
  'event-source-polyfill': async (app) =>
    listen(new (EventSourcePolyfill as SourceClass)(app.url, { headers: bearer(app.token()) }), app),
};
