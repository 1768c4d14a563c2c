// Playwright: the built page in Chromium against the built server. Flags and file names are
// Playwright's own.
//   npm run e2e -- cuts --headed      some of the tests
//   npm run screenshots               the pictures of the README, in docs/
import { build } from './build.mjs';
import { main } from './lib/log.mjs';
import { buildPage } from './lib/page.mjs';
import { npmBin } from './lib/paths.mjs';
import { run, runNode } from './lib/run.mjs';
import { buildTrpc } from './lib/trpc.mjs';
import { engines } from './lib/webtest.mjs';
import { setUp } from './setup.mjs';

/** Builds what is not up to date, and runs. */
export async function e2e(args = []) {
  await build();
  await buildPage();
  await buildTrpc();
  await run('cargo', ['build', '--locked', '--package', 'tinysse-reference', '--package', 'progress-api']);
  // A project is always named: the screenshots are one too.
  const named = args.some((arg) => arg.startsWith('--project')) ? [] : ['--project=chromium'];
  await runNode(npmBin('@playwright/test', 'playwright'), ['test', ...named, ...args]);
}

/** Runs the cases of `tinysse/eventsource` in a browser that Playwright does not drive. */
export async function e2eElsewhere(engine, places) {
  const { capabilities, wrap = [] } = engines[engine](places);
  capabilities['moz:firefoxOptions']?.args.push('-headless'); // the runner of wasm-bindgen-test adds it by itself
  Object.assign(process.env, {
    TINYSSE_ENGINE: engine,
    TINYSSE_DRIVER: JSON.stringify([...wrap, places.driver]),
    TINYSSE_CAPABILITIES: JSON.stringify(capabilities),
  });
  await e2e(['--project=elsewhere']);
}

await main(import.meta.url, async () => {
  const found = await setUp({ browser: true });
  process.env.CHROME = found.browser;
  await e2e(process.argv.slice(2));
});
