// The tests of a checkout of web-platform-tests, and a server for them that puts a class in the
// place of the browser's own.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { at } from './paths.mjs';
import { launch } from './run.mjs';

/** What a `META: global=` of a test asks for. */
const groups = { worker: ['dedicatedworker', 'sharedworker', 'serviceworker'] };

/** The ending of the page that it becomes, and how that page starts its worker. */
const variants = {
  window: { ending: 'html' },
  dedicatedworker: { ending: 'worker.html', start: (url) => `fetch_tests_from_worker(new Worker('${url}'));` },
  sharedworker: { ending: 'sharedworker.html', start: (url) => `fetch_tests_from_worker(new SharedWorker('${url}'));` },
  serviceworker: {
    ending: 'serviceworker.html',
    start: (url) => `navigator.serviceWorker.register('${url}', { scope: 'none' })
      .then(({ installing }) => fetch_tests_from_worker(installing));`,
  },
};

/**
 * The tests below `folder` of the checkout: the paths of their pages, and the text of what is no
 * file of the checkout, by path: the pages and workers that its own server would make of scripts.
 */
export function readTests(root, folder) {
  const pages = [];
  const made = new Map();
  const add = (page, text) => {
    pages.push(page);
    if (text) made.set(page, text);
  };
  for (const file of readdirSync(join(root, folder), { recursive: true }).sort()) {
    const path = `/${folder}/${file.replaceAll('\\', '/')}`;
    const [, base, kind] = /^(.*\.(any|window|worker))\.js$/.exec(path) ?? [];
    if (kind) {
      const facts = meta(readFileSync(join(root, path), 'utf8'));
      const { title = [''], script = [], global = [kind === 'any' ? 'window,dedicatedworker' : 'window'] } = facts;
      const worker = kind === 'any' ? `${base}.worker.js` : path;
      if (kind === 'any') made.set(worker, workerOf(title[0], [...script, path]));
      const kinds =
        kind === 'worker' ? ['dedicatedworker'] : global[0].split(',').flatMap((name) => groups[name] ?? name);
      for (const { ending, start } of kinds.map((name) => variants[name]).filter(Boolean)) {
        const own = start?.(worker) ?? '';
        add(`${base}.${kind === 'any' ? ending : 'html'}`, pageOf(title[0], own, start ? [] : [...script, path]));
      }
    } else if (/\.html?$/.test(path) && readFileSync(join(root, path), 'utf8').includes('/testharness.js')) {
      add(path);
    }
  }
  return { pages, made };
}

/** The `META` comments of a test, by name. */
function meta(text) {
  const found = {};
  for (const [, name, value] of text.matchAll(/^\/\/ META: (\w+)=(.*)$/gm)) {
    found[name] = [...(found[name] ?? []), value.trim()];
  }
  return found;
}

const scope = (window) =>
  `self.GLOBAL = { isWindow: () => ${window}, isWorker: () => ${!window}, isShadowRealm: () => false };`;

const workerOf = (title, scripts) => `${scope(false)} self.META_TITLE = ${JSON.stringify(title)};
importScripts(${['/resources/testharness.js', ...scripts].map((url) => JSON.stringify(url))});
done();`;

const pageOf = (title, own, scripts) => `<!doctype html><meta charset="utf-8"><title>${title}</title>
<script>${scope(true)}</script>
<script src="/resources/testharness.js"></script><script src="/resources/testharnessreport.js"></script>
<div id="log"></div>
<script>${own}</script>
${scripts.map((url) => `<script src="${url}"></script>`).join('\n')}`;

/** In the place of the checkout's own, which is made to be replaced. */
const report = `add_completion_callback((tests) => {
  self.results = tests.map(({ name, status, message }) => ({ name, passed: status === 0, message }));
});`;

/** Starts the checkout's own server. Answers its port. */
export async function startWptserve(root) {
  const python = process.env.PYTHON ?? 'python3';
  const child = launch(python, [at('scripts', 'lib', 'wpt-server.py'), root], { stdio: ['pipe', 'pipe', 'ignore'] });
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(() => [null]),
  ]);
  return line === null ? null : { port: Number(line), end: () => child.kill() };
}

/**
 * Serves what was made, and the rest from the port `behind`, with `script` run before any other in
 * each page and worker.
 */
export async function serve({ made, behind, script }) {
  const server = createServer((asked, answer) => {
    const path = decodeURIComponent(new URL(asked.url, 'http://x').pathname);
    const send = (type, body) => answer.writeHead(200, { 'content-type': `${type};charset=utf-8` }).end(body);
    if (path === '/class.js') return send('text/javascript', script);
    if (path === '/resources/testharnessreport.js') return send('text/javascript', report);
    if (made.has(path)) {
      return send(...inject(asked, path.endsWith('.js') ? 'text/javascript' : 'text/html', made.get(path)));
    }
    const { method, headers, url } = asked;
    const passed = request({ port: behind, host: '127.0.0.1', path: url, method, headers, agent: false }, (got) => {
      const type = got.headers['content-type'] ?? '';
      if (!/^text\/(html|javascript)/.test(type)) {
        answer.writeHead(got.statusCode, got.statusMessage, got.rawHeaders);
        answer.flushHeaders();
        got.pipe(answer);
        return;
      }
      const chunks = [];
      got.on('data', (chunk) => chunks.push(chunk));
      got.on('end', () => send(...inject(asked, type, Buffer.concat(chunks).toString())));
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: server.address().port, end };
}

/** Documents and workers load the class first, after the doctype if there is one. */
function inject(asked, type, text) {
  if (type.startsWith('text/html')) {
    return [
      'text/html',
      text.replace(/^\s*(<!doctype[^>]*>)?/i, (start) => `${start}<script src="/class.js"></script>`),
    ];
  }
  const worker = /^(shared|service)?worker$/.test(asked.headers['sec-fetch-dest'] ?? '');
  return ['text/javascript', worker ? `importScripts('/class.js');${text}` : text];
}
