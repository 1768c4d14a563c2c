// The npm package as strangers get it: packed, installed outside the repository, imported by Node, built by Vite and by esbuild,
// run in a browser, read by TypeScript. Needs `npm run build` before it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { chromium } from 'playwright-core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { findChromium } from '../../scripts/lib/browser.mjs';
import { crateVersion } from '../../scripts/lib/paths.mjs';
import { serve } from './site.mjs';
import { program, repo, sh, strangersApp } from './stranger.mjs';

let app;
let browser;

before(async () => {
  assert.ok(existsSync(join(repo, 'pkg', 'package.json')), 'there is no pkg/: run `npm run build`');
  app = await strangersApp();
  browser = await chromium.launch({
    executablePath: findChromium().browser,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
});

after(async () => {
  await browser?.close();
  await app?.remove();
});

/** Opens a page of a built app and waits until the update of the stream is on it. */
async function open(dir, page) {
  const site = await serve(dir);
  const context = await browser.newContext();
  const problems = [];
  try {
    const tab = await context.newPage();
    tab.on('pageerror', (error) => problems.push(String(error)));
    tab.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await tab.goto(`${site.url}/${page}`);
    const shown = tab.locator('output', { hasText: 'projects 7' });
    await shown.waitFor({ timeout: 15_000 }).catch((error) => problems.push(error.message));
    assert.deepEqual(problems, [], `${page} shows the update`);
    return site.requests;
  } finally {
    await context.close();
    await site.close();
  }
}

describe('the tarball', () => {
  test('has what it says, and nothing else', async () => {
    const manifest = JSON.parse(await readFile(join(app.dir, 'node_modules', 'tinysse', 'package.json'), 'utf8'));
    assert.equal(manifest.version, crateVersion());
    const wanted = ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'docs/errors.md', 'package.json'];
    for (const target of Object.values(manifest.exports)) {
      const paths = typeof target === 'string' ? [target] : Object.values(target);
      wanted.push(...paths.map((path) => path.slice(2)));
    }
    for (const file of wanted) assert.ok(app.files.includes(file), `${file} is packed`);
    const strange = app.files.filter((file) => !/\.(js|d\.ts|wasm)$/.test(file) && !wanted.includes(file));
    assert.deepEqual(strange, []);
  });

  test('satisfies publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: join(repo, 'pkg'), strict: true });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg)),
      [],
    );
  });
});

describe('Node', () => {
  test('imports it, touches nothing, and can start the wasm', async () => {
    assert.match(await sh(process.execPath, ['node.mjs'], { cwd: app.dir }), /node: ok/);
  });

  test('runs the hub of tinysse/server', async () => {
    assert.match(await sh(process.execPath, ['server.mjs'], { cwd: app.dir }), /server: ok/);
  });
});

describe('TypeScript', () => {
  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    test(`compiles an app that registers its updates, ${resolution}`, async () => {
      const flags = ['--module', module, '--moduleResolution', resolution];
      await program(app, 'typescript', 'tsc', ['-p', 'tsconfig.json', ...flags]);
    });
  }
});

test('TypeScript compiles a server without the DOM, and without a map of updates that is registered', async () => {
  await program(app, 'typescript', 'tsc', ['-p', 'tsconfig.server.json']);
});

describe('Vite', () => {
  const dist = () => join(app.dir, 'dist');

  test('builds it', async () => {
    await program(app, 'vite', 'vite', ['build']);
  });

  test('the inlined wasm runs in the browser, and asks for no file', async () => {
    const requests = await open(dist(), 'main.html');
    assert.equal(requests.filter((path) => path.endsWith('.wasm')).length, 0);
    assert.equal(requests.filter((path) => path === '/events').length, 1);
  });

  test('tinysse/wasm-url runs it from a file of its own', async () => {
    const requests = await open(dist(), 'url.html');
    assert.equal(requests.filter((path) => path.endsWith('.wasm')).length, 1);
    assert.equal(requests.filter((path) => path.includes('inline')).length, 0, 'the inlined form is not loaded');
  });

  test('a cursor outlives its page, for its user and for nobody else; no token is logged', async () => {
    const site = await serve(dist());
    const context = await browser.newContext();
    try {
      const tab = await context.newPage();
      const shows = () => tab.locator('output', { hasText: 'projects 7' }).waitFor({ timeout: 15_000 });
      await tab.goto(`${site.url}/more.html?user=ada`);
      await shows();
      const { events, log } = await tab.evaluate(() => globalThis.seen);
      assert.equal(events, 1);
      assert.ok(log.some(({ what }) => what === 'token'));
      assert.ok(!JSON.stringify(log).includes('secret'));
      await tab.reload();
      await shows();
      await tab.goto(`${site.url}/more.html?user=bob`);
      await shows();
      const asked = site.streams.map(({ token, lastEventId }) => [token, lastEventId]);
      assert.deepEqual(asked, [
        ['secret-of-ada', undefined],
        ['secret-of-ada', '1'],
        ['secret-of-bob', undefined],
      ]);
    } finally {
      await context.close();
      await site.close();
    }
  });

  test('tinysse/eventsource runs in it, without the client', async () => {
    const requests = await open(dist(), 'source.html');
    assert.equal(requests.filter((path) => path === '/events').length, 1);
    assert.equal(requests.filter((path) => /glue|inline/.test(path)).length, 0, 'the wasm of the client is not loaded');
  });

  test('tinysse/react runs in it', async () => {
    const requests = await open(dist(), 'react.html');
    assert.equal(requests.filter((path) => path === '/events').length, 1);
  });
});

describe('esbuild', () => {
  test('builds it without settings, and it runs in the browser', async () => {
    const out = join(app.dir, 'esbuild');
    const { build } = await import('esbuild');
    await build({
      absWorkingDir: app.dir,
      entryPoints: ['main.ts'],
      bundle: true,
      minify: true,
      format: 'esm',
      splitting: true,
      outdir: out,
      logLevel: 'warning',
    });
    await cp(join(app.dir, 'main.html'), join(out, 'main.html'));
    const page = await readFile(join(out, 'main.html'), 'utf8');
    await writeFile(join(out, 'main.html'), page.replace('./main.ts', './main.js'));
    await open(out, 'main.html');
  });
});

describe('an import for its side effect', () => {
  const entry = 'side-effect.js';
  before(() =>
    writeFile(join(app.dir, entry), "import 'tinysse/eventsource/classic';\nglobalThis.tinysse.install();\n"),
  );

  /** What the bundle leaves in a scope without an EventSource. */
  const installed = (code) => {
    const scope = {
      ...Object.fromEntries(
        [
          'EventTarget',
          'Event',
          'MessageEvent',
          'TextDecoder',
          'TextEncoder',
          'AbortController',
          'WebAssembly',
          'URL',
        ].map((name) => [name, globalThis[name]]),
      ),
    };
    runInNewContext(code, scope);
    return typeof scope.EventSource;
  };

  test('esbuild keeps `tinysse/eventsource/classic`', async () => {
    const { build } = await import('esbuild');
    const { outputFiles } = await build({
      absWorkingDir: app.dir,
      entryPoints: [entry],
      bundle: true,
      minify: true,
      format: 'iife',
      write: false,
      logLevel: 'error',
    });
    assert.equal(installed(outputFiles[0].text), 'function');
  });

  test('Rolldown, as Vite runs it, keeps `tinysse/eventsource/classic`', async () => {
    const { build } = await import('vite');
    const { output } = await build({
      root: app.dir,
      configFile: false,
      logLevel: 'error',
      build: { write: false, rolldownOptions: { input: join(app.dir, entry), output: { format: 'iife' } } },
    });
    assert.equal(installed(output.find(({ isEntry }) => isEntry).code), 'function');
  });

  test('and nothing else of the package is kept for its side effects', async () => {
    const { build } = await import('esbuild');
    const { outputFiles } = await build({
      absWorkingDir: app.dir,
      stdin: {
        contents: "import 'tinysse'; import 'tinysse/eventsource'; import 'tinysse/iterate';",
        resolveDir: app.dir,
      },
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
      logLevel: 'error',
      logOverride: { 'ignored-bare-import': 'silent' },
    });
    assert.equal(outputFiles[0].text.trim(), '');
  });
});
