// The example in Yew: built by cargo and the pinned wasm-bindgen, and tried in two windows against
// the real server.
//   node scripts/frontend.mjs          builds it and tries it
//   node scripts/frontend.mjs --build  builds it
//   ... --picture FILE.png             what the second window showed in the end
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { main } from './lib/log.mjs';
import { at, exe, targetDir, tool, wasmTarget } from './lib/paths.mjs';
import { freePort } from './lib/ports.mjs';
import { launch, run } from './lib/run.mjs';
import { setUp } from './setup.mjs';

const example = at('examples', 'yew');
const page = at('examples', 'yew', 'page');
const manifest = ['--manifest-path', at('examples', 'yew', 'Cargo.toml')];
const target = at('target', 'yew');

/** The two commands of its README, in a target folder that survives. */
export async function buildFrontend() {
  const cargo = ['build', '--locked', '--quiet', '--release', ...manifest, '--target', wasmTarget];
  await run('cargo', [...cargo, '--target-dir', target]);
  const wasm = `${target}/${wasmTarget}/release/tinysse-yew.wasm`;
  const out = ['--out-dir', `${page}/dist`, '--out-name', 'tinysse_yew'];
  await run(tool('wasm-bindgen'), ['--target', 'web', '--no-typescript', ...out, wasm], { cwd: example });
}

/** Runs `work(url)` with a server that serves the page, and ends it whatever becomes of it. */
async function withServer(work) {
  await run('cargo', ['build', '--locked', '--quiet', '--package', 'tinysse-reference']);
  const listen = `127.0.0.1:${await freePort(8090)}`;
  const server = launch(
    `${targetDir}/debug/reference-server${exe}`,
    ['serve', '--dev', '--memory', '--listen', listen, '--pages', page],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const url = await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.once('exit', (code) => reject(new Error(`the server ended with code ${code}`)));
      createInterface({ input: server.stdout }).on('line', (line) => {
        const listening = /listening on (http:\S+)/.exec(line)?.[1];
        if (listening) resolve(listening);
      });
    });
    await work(url);
  } finally {
    server.kill();
  }
}

/** Passes connections on to `url`, until they are cut. */
async function relayTo(url) {
  const { hostname, port } = new URL(url);
  const sockets = new Set();
  const relay = createServer((socket) => {
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ]) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const close = () => {
    cut();
    relay.close();
  };
  return { url: `http://127.0.0.1:${relay.address().port}`, cut, close };
}

/** One window: a user signed in, live, and past the fetch that the first connection asks for. */
async function visit(browser, url, user) {
  const context = await browser.newContext({ viewport: { width: 720, height: 420 } });
  const tab = await context.newPage();
  const errors = [];
  const lists = [];
  tab.on('pageerror', (error) => errors.push(String(error)));
  tab.on('request', (request) => request.url().endsWith('/api/projects') && lists.push(request.method()));
  await tab.goto(`${url}/?user=${user}`);
  await tab.locator('[data-testid=status][data-status=open]').waitFor();
  const fetched = () => performance.getEntriesByName(`${location.origin}/api/projects`).length >= 2;
  await tab.waitForFunction(fetched, undefined, { timeout: 15_000 });
  const names = () => tab.getByTestId('project-row').getByLabel('Name', { exact: true });
  return { tab, errors, lists, names, closed: () => context.close() };
}

/** Waits until the window shows these names, and no others. */
async function shows({ tab }, wanted) {
  const shown = (list) => {
    const fields = document.querySelectorAll('[data-testid=project-row] input');
    return JSON.stringify([...fields].map((field) => field.value)) === JSON.stringify(list);
  };
  await tab.waitForFunction(shown, wanted, { timeout: 15_000 });
}

async function rename({ names }, index, name) {
  await names().nth(index).fill(name);
  await names().nth(index).press('Enter');
}

/** What one window changes shows in the other, also after a time without a network. */
export async function tryFrontend(executablePath, picture) {
  const { chromium } = await import('playwright-core');
  await withServer(async (url) => {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    const relay = await relayTo(url);
    try {
      const [ada, bob] = [await visit(browser, url, 'ada'), await visit(browser, relay.url, 'bob')];
      await shows(bob, ['Apollo', 'Gemini', 'Mercury']);
      const before = bob.lists.length;
      await rename(ada, 0, 'Artemis');
      await shows(bob, ['Artemis', 'Gemini', 'Mercury']);
      await shows(ada, ['Artemis', 'Gemini', 'Mercury']);
      assert.equal(bob.lists.length - before, 1, 'one update, one request');
      // A stream that lives goes on, whatever the browser calls itself.
      await bob.tab.context().setOffline(true);
      relay.cut();
      await bob.tab.locator('[data-testid=status][data-status=offline]').waitFor();
      await rename(ada, 2, 'Hermes');
      await ada.tab.getByLabel('New project').fill('Voyager');
      await ada.tab.getByLabel('New project').press('Enter');
      await shows(ada, ['Artemis', 'Gemini', 'Hermes', 'Voyager']);
      await shows(bob, ['Artemis', 'Gemini', 'Mercury']);
      await bob.tab.context().setOffline(false);
      await shows(bob, ['Artemis', 'Gemini', 'Hermes', 'Voyager']);
      await rename(bob, 1, 'Skylab');
      await shows(ada, ['Artemis', 'Skylab', 'Hermes', 'Voyager']);
      await shows(bob, ['Artemis', 'Skylab', 'Hermes', 'Voyager']);
      if (picture) await bob.tab.screenshot({ path: picture });
      assert.deepEqual([...ada.errors, ...bob.errors], []);
      await Promise.all([ada.closed(), bob.closed()]);
    } finally {
      await browser.close();
      relay.close();
    }
  });
}

await main(import.meta.url, async () => {
  const { argv } = process;
  const found = await setUp({ browser: !argv.includes('--build') });
  await buildFrontend();
  const at = argv.indexOf('--picture');
  if (found) await tryFrontend(found.browser, at < 0 ? undefined : argv[at + 1]);
});
