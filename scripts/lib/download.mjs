// What a page downloads: the app of the README, bundled with and without tinysse, served over HTTP
// and loaded in Chromium.
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { Stop } from './log.mjs';
import { at } from './paths.mjs';
import { pkgDir } from './pkg.mjs';

const folder = at('benches', 'download');
const brotliCompress = promisify(zlib.brotliCompress);
const gzipCompress = promisify(zlib.gzip);

/**
 * How long the server waits before it sends a script, so that requests of one round are apart from
 * those of the next.
 */
const roundTrip = 50;

/** Resolves `tinysse` to the built package, through its own `exports`. */
const built = {
  name: 'built',
  setup: ({ onResolve, resolve }) =>
    onResolve({ filter: /^tinysse(?:\/|$)/ }, ({ path, kind, pluginData }) =>
      pluginData === 'built' ? undefined : resolve(path, { kind, resolveDir: pkgDir, pluginData: 'built' }),
    ),
};

/** As bundlers of apps build for production. */
const production = {
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
  jsx: 'automatic',
  plugins: [built],
  // Those of the repository name the sources.
  tsconfigRaw: {},
  write: false,
  logLevel: 'error',
};

/** The sizes of a text: as it is, and as servers send it. */
export async function measure(name, bytes) {
  const quality = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 };
  const [brotli, gzip] = await Promise.all([
    brotliCompress(bytes, { params: quality }),
    gzipCompress(bytes, { level: 9 }),
  ]);
  return { name, raw: bytes.length, gzip: gzip.length, brotli: brotli.length, body: brotli };
}

/** Bundles a module that consists of this code, with all that it imports. */
export async function bundleAlone(code) {
  const { build } = await import('esbuild');
  const stdin = { contents: code, resolveDir: folder };
  const { outputFiles } = await build({ ...production, stdin });
  return outputFiles[0].contents;
}

/** What is in a chunk: its largest modules. */
function label({ entryPoint, inputs }) {
  if (entryPoint?.startsWith('benches/')) return 'entry';
  const names = Object.entries(inputs).sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput);
  if (names.length === 0) return 'helpers of the bundler';
  const [largest, ...others] = names.map(([path]) => path.replace(/^(?:pkg|node_modules)\//, ''));
  return `${largest}${others.length > 0 ? ` and ${others.length} more` : ''}`;
}

/**
 * Bundles an app of `benches/download`: its scripts by file name, each with its sizes and what is
 * in it.
 */
async function bundleApp(name) {
  const { build } = await import('esbuild');
  const outdir = join(folder, 'dist');
  const { outputFiles, metafile } = await build({
    ...production,
    absWorkingDir: at(),
    entryPoints: [join(folder, `${name}.tsx`)],
    outdir,
    splitting: true,
    metafile: true,
  });
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const chunks = await Promise.all(
    outputFiles.map(async ({ path, contents }) => {
      const file = basename(path);
      return [file, { ...(await measure(label(outputs.get(file)), contents)), inputs: outputs.get(file).inputs }];
    }),
  );
  return new Map(chunks);
}

/** The tRPC router of the apps, which is TypeScript. */
async function importRouter() {
  const { build } = await import('esbuild');
  mkdirSync(at('target'), { recursive: true });
  const dir = mkdtempSync(at('target', 'download-'));
  try {
    const outfile = join(dir, 'router.mjs');
    const entryPoints = [join(folder, 'router.ts')];
    await build({ entryPoints, outfile, bundle: true, packages: 'external', platform: 'node', format: 'esm' });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Serves the apps, their tRPC router and a hub that speaks tinysse/1, at one origin. */
async function serve(apps) {
  const { createHTTPHandler } = await import('@trpc/server/adapters/standalone');
  const { add, appRouter } = await importRouter();
  const trpc = createHTTPHandler({ router: appRouter, basePath: '/trpc/' });
  let stream;
  const hub = new EventEmitter();
  const routes = {
    '/auth/sse-token': (_request, response) => {
      const token = `${part({ alg: 'none' })}.${part({ sub: 'ada' })}.`;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ token, expires_in: 60 }));
    },
    '/events': (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      const data = 'client=c1&after=a1.0&head=a1.0&beat=15000&gap=first&retry=1000';
      response.write(`retry: 1000\nid: a1.0\nevent: tinysse.hello\ndata: ${data}\n\n`);
      stream = response;
      hub.emit('open');
    },
  };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://site');
    if (routes[pathname]) return routes[pathname](request, response);
    if (pathname.startsWith('/trpc/')) return trpc(request, response);
    const [app, file] = pathname.slice(1).split('/');
    const script = apps.get(app)?.get(file);
    if (script) {
      await delay(roundTrip);
      response.writeHead(200, { 'content-type': 'text/javascript', 'content-encoding': 'br' });
      response.end(script.body);
    } else if (file === '') {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(
        `<!doctype html><title>${app}</title><div id="root"></div><script type="module" src="${app}.js"></script>`,
      );
    } else {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Settles when there is a stream. */
    opened: async () => stream ?? (await once(hub, 'open')),
    /** Adds a project, and publishes on the stream that the projects changed. */
    change(project) {
      add(project);
      stream.write('id: a1.1\nevent: tinysse.update\ndata: projects\ndata: {}\n\n');
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * Groups the scripts of a page into rounds: a round begins when a script of the one before has
 * arrived.
 */
function roundsOf(entries) {
  const rounds = [];
  let arrived = Number.NEGATIVE_INFINITY;
  for (const { name, startTime, responseEnd } of entries.sort((a, b) => a.startTime - b.startTime)) {
    if (startTime >= arrived) {
      rounds.push([]);
      arrived = Number.POSITIVE_INFINITY;
    }
    rounds.at(-1).push(name);
    arrived = Math.min(arrived, responseEnd);
  }
  return rounds;
}

/**
 * Runs an app until it is connected, leads its tabs and has refetched after an update; answers the
 * scripts it asked for.
 */
async function load(browser, site, name, chunks) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const problems = [];
    const asked = new Set();
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => request.resourceType() === 'script' && asked.add(basename(request.url())));
    await page.goto(`${site.url}/${name}/`);
    await page.locator('li', { hasText: 'Apollo' }).waitFor();
    if (name !== 'without') {
      await page.waitForFunction(async () => (await navigator.locks.query()).held.length > 0);
      await site.opened();
      site.change(`Gemini ${name}`);
      await page.locator('li', { hasText: `Gemini ${name}` }).waitFor();
    }
    if (problems.length > 0) throw new Stop(`${name}: ${problems.join('; ')}`);
    const entries = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .filter((entry) => entry.name.endsWith('.js'))
        .map(({ name, startTime, responseEnd }) => ({ name, startTime, responseEnd })),
    );
    const rounds = roundsOf(entries).map((urls) => urls.map((url) => basename(url)));
    return { scripts: [...asked].map((file) => ({ file, ...chunks.get(file) })), rounds };
  } finally {
    await context.close();
  }
}

/**
 * Loads the apps one after another: for each, the scripts that Chromium asked for, and in which
 * rounds.
 */
export async function downloads(executablePath, names) {
  const { chromium } = await import('playwright-core');
  const apps = new Map(await Promise.all(names.map(async (name) => [name, await bundleApp(name)])));
  const site = await serve(apps);
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const loaded = new Map();
    for (const name of names) loaded.set(name, await load(browser, site, name, apps.get(name)));
    return loaded;
  } finally {
    await browser.close();
    site.close();
  }
}
