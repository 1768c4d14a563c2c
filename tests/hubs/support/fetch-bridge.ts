// A bridge from node:http to `hub.fetch`: a Request out of each request, and its Response written
// with back-pressure. Runtimes of the web platform have their own.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** Answers a request of Node by `fetch` of a hub. */
export async function answerByFetch(
  hub: { fetch(request: Request): Promise<Response> },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const answer = await hub.fetch(toRequest(request, gone.signal));
  response.writeHead(answer.status, [...answer.headers].flat());
  response.flushHeaders();
  if (answer.body) await copy(answer.body as ReadableStream<Uint8Array>, response, gone.signal);
  response.end();
}

function toRequest(request: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers();
  const { rawHeaders, method = 'GET', url = '/' } = request;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
  }
  const body = method === 'GET' || method === 'HEAD' ? null : (Readable.toWeb(request) as BodyInit);
  // `duplex` belongs to every body that is a stream; the types of the DOM do not know it.
  const init = { method, headers, body, signal, duplex: 'half' } as RequestInit;
  return new Request(`http://${request.headers.host ?? 'localhost'}${url}`, init);
}

async function copy(body: ReadableStream<Uint8Array>, response: ServerResponse, gone: AbortSignal): Promise<void> {
  const reader = body.getReader();
  const left = () => void reader.cancel().catch(() => {});
  gone.addEventListener('abort', left);
  // The hub cut the stream; a client that reads nothing would not let a read notice it.
  reader.closed.catch(() => response.destroy());
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || gone.aborted) return;
      if (!response.write(value)) await drained(response, gone);
    }
  } catch {
    // See above.
  }
}

function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const over = () => {
      response.off('drain', over);
      gone.removeEventListener('abort', over);
      done();
    };
    response.once('drain', over);
    gone.addEventListener('abort', over);
  });
}
