// `npm test`: every check there is, from a fresh clone, each a named step.
//   npm run check               the static checks alone
//   npm run test:full           also the long simulation, the lab, the soak, and the browser tests in Firefox and WebKitGTK
//   npm test -- --only NAME,... some steps (setup always runs);  npm test -- --list  their names
import { existsSync } from 'node:fs';
import { build } from './build.mjs';
import { deny } from './deny.mjs';
import { e2e, e2eElsewhere } from './e2e.mjs';
import { foreign } from './foreign.mjs';
import { buildFrontend, tryFrontend } from './frontend.mjs';
import { fuzz } from './fuzz.mjs';
import { lab } from './lab.mjs';
import { findChromium, needProgram } from './lib/browser.mjs';
import { buildEventSourceWasm } from './lib/eventsource.mjs';
import { buildHubWasm } from './lib/hub-wasm.mjs';
import { main, Stop } from './lib/log.mjs';
import { at, exe, npmBin, tool, wasmTarget } from './lib/paths.mjs';
import { output, run, runNode } from './lib/run.mjs';
import { runSteps } from './lib/steps.mjs';
import { buildWasm } from './lib/wasm.mjs';
import { webTest } from './lib/webtest.mjs';
import { checkRelease } from './release-check.mjs';
import { setUp } from './setup.mjs';
import { size } from './size.mjs';
import { soak } from './soak.mjs';

const cargo = (args, env) => run('cargo', args, { env });
const strict = ['--', '-D', 'warnings'];
const npmBuild = (features) => ['--no-default-features', '--features', features];
// What ships, but with the panic handler and allocator of std, which the test harness brings.
const slimBuild = ['--no-default-features', '--features', 'fetch'];
const simSeeds = '100000';
const packagingTests = ['packaging', 'recipes', 'server-package'].map((name) =>
  at('tests', 'packaging', `${name}.test.mjs`),
);

const checks = [
  {
    name: 'locks',
    about: 'every Cargo.lock names what its crates ask for, those that only long tests and benchmarks build too',
    work: async () => {
      const locks = output('git', ['ls-files', '*Cargo.lock'])?.split('\n') ?? [];
      if (locks.length === 0) console.warn('SKIPPED: git does not say which files there are');
      for (const lock of locks) {
        const manifest = at(lock.replace(/Cargo\.lock$/, 'Cargo.toml'));
        const ask = ['update', '--quiet', '--workspace', '--locked', '--manifest-path', manifest];
        // What was built here before can be answered without a registry.
        if (output('cargo', [...ask, '--offline']) === null) await cargo(ask);
      }
    },
  },
  {
    name: 'rustfmt',
    about: 'the workspace and tools/',
    work: async () => {
      await cargo(['fmt', '--all', '--check']);
      await cargo(['fmt', '--manifest-path', at('tools', 'Cargo.toml'), '--check']);
    },
  },
  {
    name: 'clippy',
    about: 'native, every target of the workspace',
    work: () => cargo(['clippy', '--locked', '--workspace', '--all-targets', ...strict]),
  },
  {
    name: 'clippy-wasm',
    about: 'both wasm builds, std with its tests and npm; the pure protocol and hub',
    work: async () => {
      const wasm = ['clippy', '--locked', '--package', 'tinysse', '--target', wasmTarget, '--lib'];
      await cargo([...wasm, '--test', 'web', ...strict]);
      await cargo([...wasm, ...npmBuild('npm'), ...strict]);
      await cargo([...wasm, ...npmBuild('npm,fetch'), ...strict]);
      for (const module of ['tinysse-eventsource', 'tinysse-hub-wasm']) {
        await cargo(['clippy', '--locked', '--package', module, '--target', wasmTarget, ...strict]);
      }
      // The protocol and the pure hub, without the browser shell: what a hub in another runtime is built from.
      for (const pure of ['tinysse', 'tinysse-hub']) {
        const alone = ['--locked', '--package', pure, '--no-default-features', '--lib', '--target', wasmTarget];
        await cargo(['clippy', ...alone, ...strict]);
        const tree = output('cargo', [
          'tree',
          '--package',
          pure,
          '--no-default-features',
          '--target',
          wasmTarget,
          '-e',
          'normal',
        ]);
        if (tree === null || tree.includes('wasm-bindgen'))
          throw new Stop(`${pure} without features has the browser shell`);
      }
    },
  },
  {
    name: 'rustdoc',
    about: 'no broken link; the examples of the wasm build compile',
    work: async () => {
      const wasm = ['--locked', '--package', 'tinysse', '--target', wasmTarget];
      await cargo(['doc', '--locked', '--workspace', '--no-deps'], { RUSTDOCFLAGS: '-D warnings' });
      await cargo(['doc', ...wasm, '--no-deps'], { RUSTDOCFLAGS: '-D warnings' });
      // The runner finds nothing to run in them: what needs no browser runs in the step `cargo`.
      await cargo(['test', ...wasm, '--doc'], {
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: tool('wasm-bindgen-test-runner'),
      });
    },
  },
  {
    name: 'biome',
    about: 'format and lint of JavaScript, TypeScript, JSON, CSS',
    work: () => runNode(npmBin('@biomejs/biome', 'biome'), ['ci', '--error-on-warnings', '.']),
  },
  {
    name: 'types',
    about: 'tsc over js/, tests and examples',
    work: async () => {
      await buildWasm();
      await buildEventSourceWasm();
      await buildHubWasm();
      await runNode(npmBin('typescript', 'tsc'), ['-p', at('tsconfig.json')]);
      await runNode(npmBin('typescript', 'tsc'), ['-p', at('tsconfig.page.json')]);
      // An app of its own: the updates that it registers are not those of the tests.
      await runNode(npmBin('typescript', 'tsc'), ['-p', at('examples', 'dashboard')]);
      await runNode(npmBin('typescript', 'tsc'), ['-p', at('examples', 'trpc')]);
    },
  },
  {
    name: 'browsers',
    about: 'js/ and src/web use no web API that a supported browser lacks',
    work: async () => {
      await buildWasm();
      await buildEventSourceWasm();
      await buildHubWasm();
      // It needs packages that the setup installs.
      const { checkBrowsers } = await import('./browsers.mjs');
      checkBrowsers();
    },
  },
];

const tests = [
  {
    name: 'cargo',
    about: 'core, simulation, server over real HTTP, tidy',
    work: async () => {
      await wantRedis();
      await cargo(['test', '--locked', '--workspace']);
    },
  },
  { name: 'build', about: 'the npm package in pkg/', work: build },
  { name: 'size', about: 'what users download, within the budgets', work: () => size({ why: false }) },
  { name: 'chromium', about: 'wasm-bindgen-test, std build', work: () => webTest('chromium', findChromium()) },
  {
    name: 'chromium-slim',
    about: 'wasm-bindgen-test, the no_std code that ships',
    work: () => webTest('chromium', findChromium(), slimBuild),
  },
  { name: 'vitest', about: 'facade, refetch, React', work: () => runNode(npmBin('vitest'), ['run']) },
  {
    name: 'packaging',
    about: 'npm pack, installed into an app outside the repository; the servers of examples/node; npx tinysse-server',
    work: () => runNode('--test', ['--test-reporter=spec', ...packagingTests]),
  },
  {
    name: 'failures',
    about: 'our clients in the failure lab, and streams in every legal shape',
    work: () => runNode('--test', ['--test-reporter=spec', '--test-concurrency=2', at('tests', 'lab')]),
  },
  {
    name: 'foreign',
    about: 'SSE servers that do not speak tinysse/1: every update or a gap, in five disturbances',
    work: () => foreign(),
  },
  {
    name: 'e2e',
    about: 'Playwright: the real page, the real server',
    work: () => e2e(),
  },
];

async function wantRedis() {
  try {
    await needProgram('redis-server', ['redis-server']);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    console.warn(`SKIPPED: the tests of several nodes, for ${error.message}`);
  }
}

async function firefox() {
  const browser = await needProgram('firefox-esr', ['firefox-esr']);
  const place = at('target', 'geckodriver');
  const driver = at('target', 'geckodriver', 'bin', `geckodriver${exe}`);
  if (!existsSync(driver)) {
    await cargo(['install', '--debug', '--locked', 'geckodriver', '--version', '0.37.1', '--root', place]);
  }
  await webTest('firefox', { browser, driver });
  await e2eElsewhere('firefox', { browser, driver });
}

async function webkit() {
  const driver = await needProgram('WebKitWebDriver', ['webkit2gtk-driver', 'xvfb', 'xauth']);
  const display = await needProgram('xvfb-run', ['xvfb', 'xauth']);
  await webTest('webkit', { driver, wrap: [display, '-a'] });
  await e2eElsewhere('webkit', { driver, wrap: [display, '-a'] });
}

async function frontend() {
  const manifest = ['--manifest-path', at('examples', 'yew', 'Cargo.toml')];
  await cargo(['fmt', ...manifest, '--check']);
  await cargo([
    'clippy',
    '--locked',
    ...manifest,
    '--target',
    wasmTarget,
    '--target-dir',
    at('target', 'yew'),
    ...strict,
  ]);
  await buildFrontend();
  await tryFrontend(findChromium().browser);
}

const more = [
  {
    name: 'simulation',
    about: `${simSeeds} seeds`,
    work: () =>
      cargo(['test', '--locked', '--release', '--package', 'tinysse', '--test', 'sim'], { SIM_SEEDS: simSeeds }),
  },
  {
    name: 'kills',
    about: 'kill -9 of the server, 50 times in each durability',
    work: () =>
      cargo(['test', '--locked', '--package', 'tinysse-server', '--test', 'it', 'kill_9'], { TINYSSE_KILLS: '50' }),
  },
  {
    name: 'reconnects',
    about: '5,000 streams that come back at once',
    work: () => {
      const words = ['cargo', 'test', '--locked', '--package', 'tinysse-server', '--test', 'it', 'reconnects'];
      // Client and server need as many open files, and usual shells allow 1,024.
      return run('sh', ['-c', 'ulimit -n "$(ulimit -Hn)"; exec "$@"', 'sh', ...words], {
        env: { TINYSSE_RECONNECTS: '5000' },
      });
    },
  },
  { name: 'release', about: 'what of a release can be tried without publishing', work: () => checkRelease() },
  {
    name: 'musl',
    about: 'the static program of npx tinysse-server, built and run',
    work: async () => {
      await run(process.execPath, [at('scripts', 'server-packages.mjs'), '--platform', 'linux-x64-musl']);
      const program = at('target', 'npm', 'tinysse-server-linux-x64-musl', 'bin', 'tinysse-server');
      if (process.platform === 'linux' && process.arch === 'x64') await run(program, ['--version']);
    },
  },
  { name: 'deny', about: 'licences, sources and advisories of everything that is linked', work: deny },
  { name: 'fuzz', about: 'token, cursor, publish body and query by libFuzzer, ten minutes each', work: fuzz },
  { name: 'frontend', about: 'examples/yew in two windows, against the real server', work: frontend },
  {
    name: 'tabs',
    about: '20 tabs, and 20 leaders that die',
    work: async () => {
      Object.assign(process.env, { TABS: '20', TABS_KILLS: '20' });
      await e2e(['tabs']);
    },
  },
  { name: 'lab', about: 'our clients and four others in every failure, as a table', work: () => lab() },
  { name: 'soak', about: 'one hour under load: flat memory, nothing lost', work: () => soak() },
  { name: 'firefox', about: 'wasm-bindgen-test and tinysse/eventsource in Firefox', work: firefox },
  { name: 'webkit', about: 'wasm-bindgen-test and tinysse/eventsource in WebKitGTK', work: webkit },
];

function chosen(flags) {
  const all = flags.has('--check') ? checks : [...checks, ...tests, ...(flags.has('--full') ? more : [])];
  const at = process.argv.indexOf('--only');
  if (at < 0) return all;
  const names = (process.argv[at + 1] ?? '').split(',');
  const known = [...checks, ...tests, ...more];
  for (const name of names) {
    if (!known.some((step) => step.name === name)) {
      throw new Stop(`there is no step ${name || '(none named)'}: ${known.map((step) => step.name).join(', ')}`);
    }
  }
  return known.filter(({ name }) => names.includes(name));
}

/** The steps that open a browser, or start a program that does. */
const browsers = new Set([
  'chromium',
  'chromium-slim',
  'size',
  'packaging',
  'failures',
  'foreign',
  'e2e',
  'tabs',
  'frontend',
  'lab',
  'soak',
]);

await main(import.meta.url, async () => {
  const flags = new Set(process.argv.slice(2));
  const steps = chosen(flags);
  if (flags.has('--list')) {
    for (const { name, about } of steps) console.log(`${name.padEnd(14)} ${about}`);
    return;
  }
  const setup = {
    name: 'setup',
    about: 'packages, toolchain, browser',
    work: async () => {
      const found = await setUp({ browser: steps.some(({ name }) => browsers.has(name)) });
      if (!found) return;
      // Every later step uses the same browser.
      process.env.CHROME = found.browser;
      process.env.CHROMEDRIVER = found.driver;
    },
  };
  if (!(await runSteps([setup, ...steps]))) process.exitCode = 1;
});
