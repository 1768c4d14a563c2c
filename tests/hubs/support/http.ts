// Requests over node:http, one connection each.
import { type IncomingMessage, type RequestOptions, request as requestOf } from 'node:http';
import { bounded } from './bound.js';

/** What a request has besides its method and address. */
export interface CallOptions {
  /** Texts of Latin-1: each character is a byte. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A body as it is. */
  readonly body?: string | Uint8Array | undefined;
  /** A body in JSON, with its content type. */
  readonly json?: unknown;
}

/** An answer. */
export interface Answer {
  readonly status: number;
  /** Lines of one name are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  json(): Record<string, unknown>;
}

/** Sends a request and reads the answer to its end. */
export function call(method: string, url: string, options: CallOptions = {}): Promise<Answer> {
  const body = 'json' in options ? JSON.stringify(options.json) : options.body;
  const headers = { ...('json' in options ? { 'content-type': 'application/json' } : {}), ...options.headers };
  return bounded(`${method} ${new URL(url).pathname} is answered`, send(url, { method, headers, agent: false }, body));
}

async function send(url: string, options: RequestOptions, body: string | Uint8Array | undefined): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((done, failed) => {
    const request = requestOf(url, options, done);
    // Behind the answer it is of no interest how the rest of the body fared.
    request.on('error', failed);
    request.end(body);
  });
  if (response.headers['content-type'] === 'text/event-stream') {
    response.destroy();
    throw new Error(`a stream was opened: ${url}`);
  }
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  return {
    status: response.statusCode ?? 0,
    headers: headersOf(response.rawHeaders),
    text,
    json: () => JSON.parse(text) as Record<string, unknown>,
  };
}

/** Names in lower case, lines of one name joined. */
export function headersOf(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] as string).toLowerCase();
    const value = raw[at + 1] as string;
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}
