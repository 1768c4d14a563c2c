// The routes on the web platform: a Request in, a Response out.
import { WebSink } from '../hub/web-sink.js';
import { readAll } from './node.js';
import type { ServerRequest } from './reply.js';
import type { Router } from './router.js';

/** Answers a request; with 404 if the hub has no such path. */
export async function answerWeb(router: Router, request: Request): Promise<Response> {
  const asked = new WebServerRequest(request);
  const reply = await router.handle(asked);
  return reply ? new Response(reply.body, reply) : asked.response();
}

class WebServerRequest implements ServerRequest {
  readonly path: string;
  readonly query: string;
  readonly chunked = false;
  /** The platform does not show it. */
  readonly address = undefined;
  readonly #request: Request;
  #sink: WebSink | undefined;
  #headers: Record<string, string> = {};

  constructor(request: Request) {
    const url = new URL(request.url);
    this.path = url.pathname;
    this.query = url.search.slice(1);
    this.#request = request;
  }

  get method(): string {
    return this.#request.method;
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  body(limit: number): Promise<Uint8Array> {
    const { body } = this.#request;
    return readAll(body ? chunksOf(body) : empty(), limit);
  }

  stream(headers: Record<string, string>): WebSink {
    this.#headers = headers;
    this.#sink = new WebSink(this.#request.signal);
    return this.#sink;
  }

  /** The answer whose body is the stream. */
  response(): Response {
    return new Response(this.#sink?.body ?? null, { headers: this.#headers });
  }

  subject() {
    const { method, headers } = this.#request;
    return { method, url: this.path + (this.query && `?${this.query}`), headers, request: this.#request };
  }
}

/** A ReadableStream is not iterable in every runtime. */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // What is too large is not read to its end.
    void reader.cancel().catch(() => {});
  }
}

async function* empty(): AsyncGenerator<Uint8Array> {}
