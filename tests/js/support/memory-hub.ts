// A hub inside of the test, without a network: streams by `EventSource` and by `fetch`, cut and
// opened a thousand times a second.

const epoch = '4f9a2c';

interface Kept {
  readonly n: number;
  readonly envelope: string;
}

/** One stream, as the transport that carries it to a client sees it. */
interface Carrier {
  open(): void;
  send(kept: readonly Kept[]): void;
  /** Ends it, with the beginning of an event that never comes. */
  cut(unfinished: string): void;
}

const frame = ({ n, envelope }: Kept) => `id: ${epoch}.${n}\nevent: tick\ndata: ${envelope}\n\n`;

export class MemoryHub {
  /** The number of the last update. */
  last = 0;
  opened = 0;
  /** The most bytes in one chunk of a body: what a page that was busy finds there. */
  chunk = 2 ** 19;
  readonly #log: Kept[] = [];
  readonly #streams = new Set<Carrier>();

  /** Streams that are open. */
  get open(): number {
    return this.#streams.size;
  }

  /** Publishes an update with this many bytes beside its number. */
  publish(...sizes: number[]): void {
    const kept = sizes.map((size) => {
      this.last += 1;
      return { n: this.last, envelope: JSON.stringify({ data: { n: this.last, pad: 'x'.repeat(size) } }) };
    });
    this.#log.push(...kept);
    for (const stream of this.#streams) stream.send(kept);
  }

  /** Breaks what is open, inside of an event of this many bytes. */
  cut(size: number): void {
    const unfinished = frame({ n: this.last + 1, envelope: 'x'.repeat(size) }).slice(0, -2);
    for (const stream of this.#streams) stream.cut(unfinished);
    this.#streams.clear();
    this.#log.splice(0, this.#log.length - 1); // every connected client has had it
  }

  /** For `globalThis.EventSource`. */
  readonly EventSource = ((hub: MemoryHub) =>
    class extends EventTarget {
      readyState = 0;
      readonly #carrier: Carrier = {
        open: () => {
          this.readyState = 1;
          this.dispatchEvent(new Event('open'));
        },
        send: (kept) => {
          for (const { n, envelope } of kept) this.#message('tick', n, envelope);
        },
        cut: () => {
          this.readyState = 2;
          this.dispatchEvent(new Event('error'));
        },
      };

      constructor(readonly url: string) {
        super();
        setTimeout(() => {
          if (this.readyState === 2) return;
          const cursor = new URL(url).searchParams.get('lastEventId');
          hub.#begin(this.#carrier, cursor, (after, hello) => this.#message('tinysse.hello', after, hello));
        }, 1);
      }

      close(): void {
        this.readyState = 2;
        hub.#streams.delete(this.#carrier);
      }

      #message(type: string, n: number, data: string): void {
        const event = Object.assign(new Event(type), { lastEventId: `${epoch}.${n}`, data });
        if (this.readyState === 1) this.dispatchEvent(event);
      }
    })(this);

  /** For `globalThis.fetch`. */
  readonly fetch = async (_: string | URL | Request, { headers, signal }: RequestInit = {}): Promise<Response> => {
    await new Promise<void>((done) => setTimeout(done, 1));
    const cursor = new Headers(headers).get('last-event-id');
    let body: ReadableStreamDefaultController<Uint8Array> | undefined;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        body = controller;
      },
    });
    const write = (text: string) => {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length; at += this.chunk) body?.enqueue(bytes.slice(at, at + this.chunk));
    };
    const carrier: Carrier = {
      open: () => {},
      send: (kept) => write(kept.map(frame).join('')),
      cut: (unfinished) => {
        write(unfinished);
        body?.close();
      },
    };
    signal?.addEventListener('abort', () => {
      if (this.#streams.delete(carrier)) body?.error(signal.reason);
    });
    this.#begin(carrier, cursor, (after, hello) =>
      write(`retry: 10\nid: ${epoch}.${after}\nevent: tinysse.hello\ndata: ${hello}\n\n`),
    );
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
  };

  #begin(carrier: Carrier, cursor: string | null, greet: (after: number, hello: string) => void): void {
    this.opened += 1;
    this.#streams.add(carrier);
    carrier.open();
    const after = cursor ? Number(cursor.slice(epoch.length + 1)) : this.last;
    const [gap, place] = [cursor ? 'none' : 'first', (n: number) => `${epoch}.${n}`];
    greet(after, `client=c1&after=${place(after)}&head=${place(this.last)}&beat=15000&gap=${gap}&retry=10`);
    carrier.send(this.#log.filter(({ n }) => n > after));
  }
}
