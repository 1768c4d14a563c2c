// A stream over a response of node:http, node:https or node:http2.
import type { Sink, SinkEvents } from './sink.js';

/** What is used of a request of Node. Frameworks add members of their own. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: frameworks add what they like, such as `session`.
  [member: string]: any;
}

interface NodeSocket {
  readonly destroyed: boolean;
  write(bytes: Uint8Array): boolean;
  once(event: 'drain', listener: () => void): unknown;
  setNoDelay?(on: boolean): unknown;
  setTimeout?(ms: number): unknown;
  destroy(): unknown;
}

/** What is used of a response of Node. */
export interface NodeResponse {
  readonly destroyed: boolean;
  readonly headersSent: boolean;
  readonly socket?: NodeSocket | null | undefined;
  statusCode: number;
  setHeader(name: string, value: string | string[]): unknown;
  getHeader(name: string): unknown;
  removeHeader(name: string): unknown;
  writeHead(status: number, headers?: Record<string, string>): unknown;
  flushHeaders(): unknown;
  write(bytes: Uint8Array | string): boolean;
  end(text?: string): unknown;
  once(event: 'close' | 'drain' | 'error', listener: () => void): unknown;
  on(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}

/**
 * True if frames can be written to the socket itself, as chunks that the hub encoded once for all
 * streams. Otherwise Node encodes each write.
 */
export function takesChunks(request: NodeRequest, response: NodeResponse): boolean {
  // A response behind another one on its connection has no socket yet.
  return request.httpVersion === '1.1' && Boolean(response.socket) && !isHttp2(response);
}

function isHttp2(response: object): boolean {
  return 'stream' in response && Boolean(response.stream);
}

/** Writes to a response whose head was sent. */
export class NodeSink implements Sink {
  readonly #response: NodeResponse;
  readonly #target: { write(bytes: Uint8Array): boolean; once(event: 'drain', listener: () => void): unknown };
  #events: SinkEvents | undefined;
  #waits = false;

  constructor(response: NodeResponse, chunked: boolean) {
    this.#response = response;
    this.#target = chunked && response.socket ? response.socket : response;
  }

  attach(events: SinkEvents): void {
    this.#events = events;
    this.#response.once('close', () => events.closed());
    // A client that went away: `close` follows.
    this.#response.on('error', ignore);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#response.destroyed) return true;
    if (this.#target.write(bytes)) return true;
    if (!this.#waits) {
      this.#waits = true;
      this.#target.once('drain', () => {
        this.#waits = false;
        this.#events?.drained();
      });
    }
    return false;
  }

  end(): void {
    this.#response.end();
  }

  cut(): void {
    this.#response.destroy();
  }
}

function ignore(): void {}
