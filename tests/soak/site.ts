// The site of the soak test.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pkg } from '../e2e/server';

const script = fileURLToPath(new URL('page.js', import.meta.url));
const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';

/** Serves the page of the soak, and the npm package as it was built, from an origin of their own. */
export async function servePage(): Promise<{ url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://site').pathname);
    const file = path === '/page.js' ? script : path.startsWith('/pkg/') ? join(pkg, path.slice('/pkg/'.length)) : null;
    const body = file ? await readFile(file).catch(() => null) : html;
    response.writeHead(body === null ? 404 : 200, { 'content-type': file ? 'text/javascript' : 'text/html' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
