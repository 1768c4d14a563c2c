// The pages of the lab and of the benchmarks: one bundle, and the npm package as it was built, in a real browser.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { findChromium } from '../../scripts/lib/browser.mjs';
import { at } from '../../scripts/lib/paths.mjs';

const types = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };

async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0].contents;
}

/** Builds the page, serves it with `pkg/`, and opens it. `extra`: what else is served, by path, as a function of request and response. */
export async function openPage(entry, { extra = {}, args = [] } = {}) {
  if (!existsSync(at('pkg', 'package.json'))) throw new Error('there is no pkg/: run `npm run build`');
  const script = await bundle(entry);
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://site');
    if (extra[pathname]) return extra[pathname](request, response);
    const packed = normalize(pathname).startsWith('/pkg/') && at(normalize(pathname).slice(1));
    let body;
    if (pathname === '/') body = '<!doctype html><title>lab</title><script type="module" src="/page.js"></script>';
    else if (pathname === '/page.js') body = script;
    else if (packed) body = await readFile(packed).catch(() => undefined);
    const type = types[extname(pathname)] ?? 'text/html';
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  const browser = await chromium.launch({
    executablePath: findChromium().browser,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...args],
  });
  const page = await browser.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(url);
  return {
    url,
    page,
    problems,
    async close() {
      await browser.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A file beside this one. */
export const beside = (name) => join(at('tests', 'lab'), name);
