// Serves a built app and, at /events, a plain stream of one update, over one real HTTP server.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' };

/** `requests` are the paths asked for, in order; `streams` the queries of those for streams. */
export async function serve(dir) {
  const requests = [];
  const streams = [];
  const open = new Set();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://site');
    const path = normalize(url.pathname);
    requests.push(path);
    if (path === '/events') {
      streams.push(Object.fromEntries(url.searchParams));
      open.add(response);
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write('id: 1\nevent: projects\ndata: {"id":7}\n\n');
      return;
    }
    try {
      const body = await readFile(join(dir, path));
      response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    for (const stream of open) stream.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, requests, streams, close };
}
