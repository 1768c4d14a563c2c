// A stream as a ReadableStream of the web platform.
import type { Sink, SinkEvents } from './sink.js';

/** How much may wait for a reader, in bytes. */
const HIGH_WATER = 16 * 1024;

/** Writes to a ReadableStream, the body of a Response. */
export class WebSink implements Sink {
  /** The body. */
  readonly body: ReadableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #events: SinkEvents | undefined;
  #full = false;
  #over = false;

  constructor(signal: AbortSignal | undefined) {
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          if (!this.#full) return;
          this.#full = false;
          this.#events?.drained();
        },
        cancel: () => this.#closed(),
      },
      { highWaterMark: HIGH_WATER, size: (bytes) => bytes?.byteLength ?? 0 },
    );
    // Some runtimes abort the request instead of cancelling the body.
    signal?.addEventListener('abort', () => this.cut(), { once: true });
  }

  attach(events: SinkEvents): void {
    this.#events = events;
    if (this.#over) events.closed();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return true;
    this.#controller.enqueue(bytes);
    this.#full = (this.#controller.desiredSize ?? 0) <= 0;
    return !this.#full;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller.close();
  }

  cut(): void {
    if (this.#over) return;
    this.#closed();
    this.#controller.error(new Error('the stream was cut'));
  }

  #closed(): void {
    this.#over = true;
    this.#events?.closed();
  }
}
