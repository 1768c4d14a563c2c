// The routes on node:http: requests and responses of Node, and of frameworks on it.
import { HubError } from '../errors.js';
import { type NodeRequest, type NodeResponse, NodeSink, takesChunks } from '../hub/node-sink.js';
import type { Sink } from '../hub/sink.js';
import { refuse, type ServerRequest, type TextReply } from './reply.js';
import type { Router } from './router.js';

/** Some runtimes imitate node:http and have no socket that takes bytes. */
const imitation = 'Bun' in globalThis || 'Deno' in globalThis;

/**
 * Answers a request of Node. A path that the hub does not have is answered with 404, or, with
 * `leavesOthers`, not at all: then it returns false.
 */
export function answerNode(
  router: Router,
  request: NodeRequest,
  response: NodeResponse,
  leavesOthers: boolean,
): boolean {
  const url = request.url ?? '/';
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  if (leavesOthers && !router.has(path)) return false;
  const asked = new NodeServerRequest(request, response, path, at < 0 ? '' : url.slice(at + 1));
  void router.handle(asked).then((reply) => reply && send(reply, response));
  return true;
}

function send(reply: TextReply, response: NodeResponse): void {
  // It went away meanwhile.
  if (response.destroyed || response.headersSent) return;
  for (const [name, value] of Object.entries(reply.headers)) setHeader(response, name, value);
  response.statusCode = reply.status;
  response.end(reply.body);
}

/** Middleware before may have set `Vary` already. */
function setHeader(response: NodeResponse, name: string, value: string): void {
  const before = name === 'vary' ? response.getHeader(name) : undefined;
  response.setHeader(name, before === undefined ? value : `${String(before)}, ${value}`);
}

class NodeServerRequest implements ServerRequest {
  readonly path: string;
  readonly query: string;
  chunked: boolean;
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;

  constructor(request: NodeRequest, response: NodeResponse, path: string, query: string) {
    this.#request = request;
    this.#response = response;
    this.path = path;
    this.query = query;
    this.chunked = !imitation && takesChunks(request, response);
  }

  stream(headers: Record<string, string>): Sink | undefined {
    const response = this.#response;
    if (response.destroyed || response.headersSent) return undefined;
    const { socket } = response;
    socket?.setNoDelay?.(true);
    socket?.setTimeout?.(0);
    const vary = headers.vary === undefined ? undefined : response.getHeader('vary');
    if (vary !== undefined) headers.vary = `${String(vary)}, ${headers.vary}`;
    // Headers that are set one by one are kept for as long as the response.
    response.writeHead(200, this.chunked ? { ...headers, 'transfer-encoding': 'chunked' } : headers);
    response.flushHeaders();
    // A middleware that compresses wraps `write`, which chunks on the socket would pass by.
    if (response.getHeader('content-encoding') !== undefined) this.chunked = false;
    return new NodeSink(response, this.chunked);
  }

  get #isStream(): boolean {
    return this.method === 'GET';
  }

  get method(): string {
    return this.#request.method ?? 'GET';
  }

  get address(): string | undefined {
    return this.#request.socket?.remoteAddress;
  }

  header(name: string): string | undefined {
    const { rawHeaders } = this.#request;
    // `headers` would be made now, and kept for as long as the stream.
    if (this.#isStream && Array.isArray(rawHeaders)) return rawHeader(rawHeaders as string[], name);
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  async body(limit: number): Promise<Uint8Array> {
    const { body } = this.#request;
    // A body parser was here before.
    if (body !== undefined && this.#request.readableEnded) return bytesOf(body, limit);
    return readAll(this.#request as unknown as AsyncIterable<Uint8Array>, limit);
  }

  subject() {
    const headers = new Headers();
    for (const [name, value] of Object.entries(this.#request.headers)) {
      // HTTP/2 has pseudo-headers among them.
      if (value === undefined || name.startsWith(':')) continue;
      for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one);
    }
    return { method: this.method, url: this.#request.url ?? '/', headers, node: this.#request };
  }
}

/** Finds a header among names and values as they were sent. */
function rawHeader(raw: readonly string[], name: string): string | undefined {
  for (let at = 0; at < raw.length; at += 2) {
    const given = raw[at] as string;
    if (given.length === name.length && given.toLowerCase() === name) return raw[at + 1];
  }
  return undefined;
}

/** Joins the chunks of a body. Throws `body_too_large` and `bad_body`. */
export async function readAll(chunks: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of chunks) {
      length += chunk.length;
      if (length > limit) throw tooLarge(limit);
      parts.push(chunk);
    }
  } catch (error) {
    if (error instanceof HubError) throw error;
    throw refuse(400, 'bad_body', 'the body ended early');
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

function bytesOf(body: unknown, limit: number): Uint8Array {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const bytes = body instanceof Uint8Array ? body : new TextEncoder().encode(text);
  if (bytes.length > limit) throw tooLarge(limit);
  return bytes;
}

function tooLarge(limit: number): HubError {
  const size = limit % (1 << 20) === 0 ? `${limit >> 20} MiB` : `${limit} bytes`;
  return refuse(413, 'body_too_large', `a body may have ${size}`);
}
