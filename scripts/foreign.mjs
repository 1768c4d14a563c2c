// Runs tests/foreign: the package in Chromium against SSE servers that do not speak tinysse/1.
// Flags are Playwright's own.
import { build } from './build.mjs';
import { main, Stop } from './lib/log.mjs';
import { needNchan } from './lib/nchan.mjs';
import { npmBin } from './lib/paths.mjs';
import { runNode } from './lib/run.mjs';
import { setUp } from './setup.mjs';

/** Builds the package if it is not up to date, and runs the tests. */
export async function foreign(args = []) {
  await build();
  try {
    await needNchan();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    console.warn(`SKIPPED: the row nchan: ${error.message}`);
  }
  await runNode(npmBin('@playwright/test', 'playwright'), ['test', '--project=foreign', ...args]);
}

await main(import.meta.url, async () => {
  const found = await setUp({ browser: true });
  process.env.CHROME = found.browser;
  await foreign(process.argv.slice(2));
});
