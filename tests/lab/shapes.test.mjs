// Streams in every legal shape, through real HTTP, in a real browser: clients receive what the browser's own EventSource does, and
// go on from the same id.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ours } from './lab.mjs';
import { beside, openPage } from './site.mjs';
import { groups, huge, tooLarge } from './vectors.mjs';

/** Streams at a time: a browser has 256 connections. */
const atOnce = 20;
const patience = 20_000;

let site;
const found = new Map();

/** Serves a vector to each client, then, to its next request, the end. Answers what that request gave as its last id. */
async function serve(vector) {
  const visits = new Map();
  const ids = {};
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    if (request.method === 'OPTIONS') {
      const asked = request.headers['access-control-request-headers'] ?? '';
      response.writeHead(204, { 'access-control-allow-headers': asked, connection: 'close' }).end();
      return;
    }
    const { pathname, searchParams: query } = new URL(request.url, 'http://shapes');
    const visit = (visits.get(pathname) ?? 0) + 1;
    visits.set(pathname, visit);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    request.socket.setNoDelay(true);
    if (visit === 1) return send(vector, response);
    const header = request.headers['last-event-id'];
    // A header's characters are the bytes of its UTF-8.
    ids[pathname.slice(1)] = header ? Buffer.from(header, 'latin1').toString() : (query.get('lastEventId') ?? '');
    response.write('event: end\ndata: end\n\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, ids, url: `http://127.0.0.1:${server.address().port}` };
}

async function send({ chunks, bare, drip }, response) {
  const pieces = drip ? [...Buffer.from(chunks.join(''))].map((byte) => Buffer.from([byte])) : chunks;
  if (!bare) response.write('retry: 250\n\n');
  for (const piece of pieces) {
    if (piece.length > 0) response.write(piece);
    // Else they become one chunk on the way.
    if (pieces.length > 1) await sleep(drip ? 2 : 30);
  }
  response.end();
}

async function run(vector, clients) {
  const { server, ids, url } = await serve(vector);
  try {
    const hear = (args) => globalThis.hear(...args);
    const types = vector.types ?? ['message'];
    const told = await Promise.all(
      clients.map((client) => site.page.evaluate(hear, [client, `${url}/${client}`, types, patience])),
    );
    return Object.fromEntries(clients.map((client, index) => [client, { ...told[index], id: ids[client] }]));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

before(async () => {
  site = await openPage(beside('shapes.page.ts'));
  const waiting = Object.values(groups).flat();
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift())
      found.set(next, await run(next, ['native', ...ours]));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
});

after(() => site?.close());

for (const [group, vectors] of Object.entries(groups)) {
  describe(group, () => {
    for (const vector of vectors) {
      test(vector.name, () => {
        const { native, ...rest } = found.get(vector);
        assert.notEqual(native.id, undefined, 'the native class came to the end');
        const wanted = { events: native.events, id: native.id };
        for (const [client, { events, id, failures }] of Object.entries(rest)) {
          assert.deepEqual({ events, id }, wanted, `${client}: ${JSON.stringify(failures)}`);
        }
      });
    }
  });
}

test('an event above the limit is a typed error, and what came before it stays', async () => {
  const { 'ours-fetch': told } = await run(tooLarge, ['ours-fetch']);
  assert.deepEqual(told.events, [['message', '"a"', '1']]);
  assert.ok(
    told.failures.some(({ code }) => code === 'protocol'),
    JSON.stringify(told.failures),
  );
});

test('64 MiB on one line, for those who allow it', async () => {
  const { native, ...own } = await run(huge, ['native', 'ours-fetch-wide', 'ours-class']);
  assert.equal(native.events.length, 2);
  for (const [client, { events, failures }] of Object.entries(own)) {
    assert.deepEqual(events, native.events, client);
    assert.deepEqual(
      failures.filter(({ over }) => over),
      [],
      client,
    );
  }
});
