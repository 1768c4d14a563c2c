// `npm run setup`: everything the other commands need, from nothing but Rust and Node. It runs
// before node_modules exists, so it and all it imports use Node's own modules only.
import { needChromium } from './lib/browser.mjs';
import { main, Stop } from './lib/log.mjs';
import { setUpPackages } from './lib/npm.mjs';
import { setUpRust } from './lib/rust.mjs';

function needNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Stop(`Node ${process.versions.node} is too old: 20.19 or newer is needed`);
}

/** With `browser`, also Chromium and its driver, which it answers. */
export async function setUp({ browser }) {
  needNode();
  await setUpPackages();
  await setUpRust();
  return browser ? await needChromium() : undefined;
}

await main(import.meta.url, () => setUp({ browser: !process.argv.includes('--no-browser') }));
