// wasm-bindgen-test in a real browser: cargo with the pinned runner, which starts the browser's
// driver and reads its page.
import { withServer } from '../../tests/web/server.mjs';
import { Stop } from './log.mjs';
import { at, tool, wasmTarget } from './paths.mjs';
import { run } from './run.mjs';
import { writeWhole } from './stamp.mjs';

/** Nothing of a desktop browser that costs time or talks to the network. */
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-extensions',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
];

/**
 * For each engine, from the paths of its programs: how wasm-bindgen's runner learns of the driver,
 * and what the browser is to be.
 */
export const engines = {
  chromium: ({ browser, driver }) => ({
    env: { CHROMEDRIVER: driver },
    capabilities: { 'goog:chromeOptions': { binary: browser, args: quiet } },
  }),
  firefox: ({ browser, driver }) => ({
    env: { GECKODRIVER: driver },
    capabilities: { 'moz:firefoxOptions': { binary: browser, args: [] } },
  }),
  // The runner asks its Safari driver for no capability in particular, and WebKitGTK's driver
  // answers with its MiniBrowser, which needs a display.
  webkit: ({ driver, wrap }) => ({ env: { SAFARIDRIVER: driver }, capabilities: {}, wrap }),
};

/**
 * Runs `tests/web` in one engine. wasm-pack's own `test` would build every other test file for wasm
 * too, and those are native; this is the same command with `--test web`. `features` are cargo flags
 * that choose the build.
 */
export async function webTest(engine, places, features = []) {
  const { env, capabilities, wrap = [] } = engines[engine](places);
  const config = at('target', `webdriver-${engine}.json`);
  writeWhole(config, JSON.stringify(capabilities));
  const cargo = [
    'cargo',
    'test',
    '--locked',
    '--package',
    'tinysse',
    '--target',
    wasmTarget,
    '--test',
    'web',
    ...features,
  ];
  const [command, ...args] = [...wrap, ...cargo];
  const test = (url) =>
    run(command, args, {
      tee: true,
      env: {
        // The tests are compiled with it: the browser has no environment.
        TINYSSE_WEB_TEST_URL: url,
        // The runner takes the first driver it finds named.
        GECKODRIVER: undefined,
        SAFARIDRIVER: undefined,
        CHROMEDRIVER: undefined,
        ...env,
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: tool('wasm-bindgen-test-runner'),
        WASM_BINDGEN_TEST_ONLY_WEB: '1',
        WASM_BINDGEN_TEST_TIMEOUT: '900',
        WASM_BINDGEN_TEST_WEBDRIVER_JSON: config,
      },
    });
  const printed = await withServer(test);
  const passed = Number(/test result: ok\. (\d+) passed/.exec(printed)?.[1] ?? 0);
  // A file that is configured away would pass by having nothing to fail.
  if (passed === 0) throw new Stop(`no test of tests/web ran in ${engine}`);
}
