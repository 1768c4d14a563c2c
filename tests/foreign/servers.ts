// SSE servers that do not speak tinysse/1, written as their documentation or common practice does.
import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createChannel, createSession } from 'better-sse';
import express from 'express';
import type { Nginx } from './nginx';

/** A running server whose updates are numbers. */
export interface Foreign {
  readonly origin: string;
  readonly path: string;
  /** Returns the number of streams accepted so far, or `undefined` if the server does not report it. */
  streams(): number | undefined;
  publish(n: number): Promise<void> | void;
  /** Writes a comment to every open stream. */
  beat?(): void;
  end(): void;
}

/** What a server written by hand sends besides the data. */
interface Shape {
  /** Numbers events. */
  ids?: boolean;
  /** Replays the events after `Last-Event-ID`. */
  replays?: boolean;
  /** The text at the start of each stream. */
  begins?: string;
  /** The event's name. Each event is followed by one named `other`, which the page ignores. */
  event?: string;
}

export type Start = (nginx: Nginx | undefined) => Promise<Foreign> | Foreign;

/** The rows of the matrix. */
export const servers: Record<string, Start> = {
  'better-sse': betterSse,
  express: expressHandler,
  nchan: (nginx) => (nginx as Nginx).channel(),
  'no ids': () => plain({ begins: 'data: 0\n\n' }),
  'numeric ids': () => plain({ ids: true, replays: true }),
  'ids without replay': () => plain({ ids: true }),
  'comments, 15 s': () => plain({ ids: true, replays: true, begins: ': ok\n\n' }),
  'comments, 60 s': () => plain({ begins: ': ok\n\n' }),
  'named events': () => plain({ ids: true, replays: true, event: 'tick' }),
};

async function listen(handle: RequestListener) {
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    if (request.method !== 'OPTIONS') return handle(request, response);
    // Each request gets its own connection, so that a test knows which one it breaks.
    response.writeHead(204, { 'access-control-allow-headers': 'last-event-id', connection: 'close' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, path: '/events', end };
}

/**
 * Starts better-sse: a channel with a history in its state, as in its example `chat`, replayed from
 * `lastId` on.
 */
async function betterSse(): Promise<Foreign> {
  let streams = 0;
  const channel = createChannel({ state: { history: [] as Array<[unknown, string, string]> } });
  const { history } = channel.state;
  channel.on('session-registered', (session) => {
    const last = history.findIndex(([, , id]) => id === session.lastId);
    if (last >= 0) for (const missed of history.slice(last + 1)) session.push(...missed);
  });
  channel.on('broadcast', (...event) => {
    history.push(event);
  });
  const server = await listen(async (request, response) => {
    channel.register(await createSession(request, response));
    streams += 1;
  });
  return { ...server, streams: () => streams, publish: (n) => void channel.broadcast(n) };
}

/** Starts Express with the handler of most tutorials. */
async function expressHandler(): Promise<Foreign> {
  let streams = 0;
  const clients = new Set<ServerResponse>();
  const app = express();
  app.get('/events', (request, response) => {
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    response.flushHeaders();
    clients.add(response);
    streams += 1;
    request.on('close', () => clients.delete(response));
  });
  const server = await listen(app);
  const publish = (n: number) => {
    for (const client of clients) client.write(`data: ${JSON.stringify(n)}\n\n`);
  };
  return { ...server, streams: () => streams, publish };
}

/** Starts a handler on `node:http`. */
async function plain({ ids, replays, begins = '', event }: Shape): Promise<Foreign> {
  let streams = 0;
  let next = 1;
  const clients = new Set<ServerResponse>();
  const sent: Array<{ id: number; text: string }> = [];
  const server = await listen((request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    response.write(begins);
    const after = Number(request.headers['last-event-id'] ?? Number.POSITIVE_INFINITY);
    if (replays) for (const { id, text } of sent) if (id > after) response.write(text);
    clients.add(response);
    streams += 1;
    response.on('close', () => clients.delete(response));
  });
  const send = (name: string | undefined, data: number) => {
    const id = next++;
    const text = `${ids ? `id: ${id}\n` : ''}${name ? `event: ${name}\n` : ''}data: ${data}\n\n`;
    sent.push({ id, text });
    for (const client of clients) client.write(text);
  };
  return {
    ...server,
    streams: () => streams,
    publish(n) {
      send(event, n);
      if (event) send('other', n);
    },
    beat() {
      for (const client of clients) client.write(':\n\n');
    },
  };
}
