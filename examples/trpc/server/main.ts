// The server of the application: tRPC, the stream, and the page that Vite built.
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import { appRouter } from './routers/index.js';
import { updateService } from './shared/UpdateService.js';
import { streams } from './streams.js';
import { createContext } from './trpc.js';

const dist = process.env.PAGES ?? fileURLToPath(new URL('../dist', import.meta.url));
const types: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

const trpc = createHTTPHandler({ router: appRouter, createContext, basePath: '/trpc/' });

const server = createServer((request, response) =>
  streams(request, response, () => {
    if (request.url?.startsWith('/trpc/')) trpc(request, response);
    else void page(request.url ?? '/', response);
  }),
);

async function page(url: string, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(url, 'http://page');
  const path = join(dist, normalize(pathname === '/' ? '/index.html' : pathname));
  const body = path.startsWith(dist) ? await readFile(path).catch(() => undefined) : undefined;
  response.statusCode = body ? 200 : 404;
  response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream');
  response.end(body ?? 'Not Found');
}

// A log of every update, in one place.
updateService.subscribe(({ type, id, to }) => console.log(`update ${type} ${id} ${to}`));

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`);
});

process.once('SIGTERM', async () => {
  await updateService.close({ drain: 1_000 });
  server.close();
  server.closeAllConnections();
});
