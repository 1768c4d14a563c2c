// A stream in, callbacks of the application out: what an app gets, with streams, promises and events in between.
import { getBytes, getLines, getMessages } from '@microsoft/fetch-event-source/lib/esm/parse';
import { createParser } from 'eventsource-parser';
import type { ClientOptions, createClient as CreateClient } from 'tinysse';
import type { Workload } from './workload.mjs';

/** Delivers a workload once; settles after its last event. */
export type Deliver = (workload: Workload) => Promise<void>;

/** Where the bytes come from: a stream in the page, or a real request. */
export interface Feed {
  url(workload: Workload): string;
  body(workload: Workload): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
}

const local = 'http://bench.invalid/';

function stream({ chunks }: Workload): ReadableStream<Uint8Array<ArrayBuffer>> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[next++];
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  });
}

/** A stream in the page: what our client asks of that address is answered from it. */
export function localFeed(workloads: readonly Workload[]): Feed {
  const real = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const url = String(input);
    const workload = url.startsWith(local) ? workloads[Number(new URL(url).pathname.slice(1))] : undefined;
    if (!workload) return real(input, init);
    return new Response(stream(workload), { headers: { 'content-type': 'text/event-stream' } });
  };
  return {
    url: (workload) => `${local}${workloads.indexOf(workload)}`,
    body: async (workload) => stream(workload),
  };
}

/** A real request to the server of this page. */
export function httpFeed(workloads: readonly Workload[]): Feed {
  const url = (workload: Workload) => `${location.origin}/stream?n=${workloads.indexOf(workload)}`;
  return {
    url,
    body: async (workload) => (await fetch(url(workload))).body as ReadableStream<Uint8Array<ArrayBuffer>>,
  };
}

const packed = (entry: string) => import(`${location.origin}/pkg/${entry}`);

function settled() {
  let resolve = () => {};
  let reject = (_why: unknown) => {};
  const promise = new Promise<void>((good, bad) => {
    resolve = good;
    reject = bad;
  });
  return { promise, resolve, reject };
}

interface Source {
  addEventListener(type: string, listener: () => void): void;
  close(): void;
}
type SourceClass = { new (url: string): Source; fromReadableStream?(stream: ReadableStream): Source };

function hear(source: Source): Promise<void> {
  const { promise, resolve } = settled();
  source.addEventListener('projects', () => {});
  source.addEventListener('tinysse.hello', () => {});
  source.addEventListener('end', () => {
    source.close();
    resolve();
  });
  return promise;
}

export async function deliveries(feed: Feed): Promise<Record<string, Deliver>> {
  const { createClient } = (await packed('index.js')) as { createClient: typeof CreateClient };
  const Ours = await packed('eventsource/index.js').then(
    (module) => module.EventSource as SourceClass,
    () => undefined,
  );

  const client = (transport: string, subscribed: boolean, coalesce?: number): Deliver => {
    return async (workload) => {
      const { promise, resolve, reject } = settled();
      const sse = createClient<Record<string, unknown>>({
        url: feed.url(workload),
        transport,
        coalesceMs: coalesce,
      } as ClientOptions);
      if (subscribed) sse.subscribe('projects', () => {});
      sse.subscribe('end', () => resolve());
      sse.onError(reject);
      sse.acquire();
      await promise.finally(() => sse.close());
    };
  };

  const all: Record<string, Deliver> = {
    'eventsource-parser': async (workload) => {
      const decoder = new TextDecoder();
      const { promise, resolve } = settled();
      const parser = createParser({ onEvent: ({ event }) => event === 'end' && resolve() });
      const reader = (await feed.body(workload)).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        parser.feed(decoder.decode(value, { stream: true }));
      }
      await promise;
    },
    'fetch-event-source': async (workload) => {
      const nothing = () => {};
      const { promise, resolve } = settled();
      const message = ({ event }: { event: string }) => event === 'end' && resolve();
      await getBytes(await feed.body(workload), getLines(getMessages(nothing, nothing, message)));
      await promise;
    },
    'our client': client('fetch', true),
    'our client, coalesced': client('fetch', true, 50),
    'our client, nobody subscribed': client('fetch', false),
  };
  // What any class costs that makes an event of the platform for each event of a stream, without the stream.
  all['MessageEvents alone'] = async ({ events }) => {
    const target = new EventTarget();
    const { origin } = location;
    target.addEventListener('projects', () => {});
    for (let n = 1; n <= events; n++) {
      const init = { data: `{"data":${n}}`, origin, lastEventId: `a1.${n}` };
      target.dispatchEvent(new MessageEvent('projects', init));
    }
  };
  if (Ours?.fromReadableStream) {
    all['our class'] = async (workload) => {
      const from = Ours.fromReadableStream?.bind(Ours);
      if (from) await hear(from(await feed.body(workload)));
    };
  }
  if (feed.url({} as Workload).startsWith(location.origin)) {
    all.native = (workload) => hear(new EventSource(feed.url(workload)) as Source);
    all['our client over native'] = client('eventsource', true);
  }
  return all;
}
