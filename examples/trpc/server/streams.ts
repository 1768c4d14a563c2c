// The routes of the stream: the hub's own, or those of a `tinysse-server` behind this process.
import { request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { userOf } from './session.js';
import { hub, remote } from './shared/UpdateService.js';

/** Answers `/events` and `/auth/sse-token`; what is neither goes to `next`. */
export function streams(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  if (hub) hub.node(request, response, next);
  else if (request.url === '/auth/sse-token') void token(request, response);
  else if (request.url?.startsWith('/events')) pipe(request, response);
  else next();
}

/** Ends the streams of a login. */
export async function endStreams(session: string): Promise<void> {
  if (hub) hub.revoke({ jti: session });
  else await post('/revoke', { jti: session });
}

/** A token of the `tinysse-server`, for a user whom this process knows. */
async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const user = userOf(request);
  const answer = user && (await post('/auth/sse-token', user).catch(() => undefined));
  response.statusCode = answer?.status ?? (user ? 503 : 401);
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-store');
  response.end(answer ? await answer.text() : '{}');
}

function post(path: string, body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${remote?.key}`, 'content-type': 'application/json' };
  return fetch(`${remote?.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Passes the stream of the `tinysse-server` on. */
function pipe(request: IncomingMessage, response: ServerResponse): void {
  const { host: _, ...headers } = request.headers;
  const upstream = ask(`${remote?.url}${request.url}`, { headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  upstream.once('error', () => response.destroy());
  response.once('close', () => upstream.destroy());
  upstream.end();
}
