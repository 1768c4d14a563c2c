// `npm run build`: the npm package in pkg/. `npm run build:wasm`: only the wasm and its glue, in
// js/wasm/.
import { buildEventSourceWasm } from './lib/eventsource.mjs';
import { buildHubWasm } from './lib/hub-wasm.mjs';
import { main } from './lib/log.mjs';
import { buildPackage } from './lib/pkg.mjs';
import { buildWasm } from './lib/wasm.mjs';
import { setUp } from './setup.mjs';

export async function build() {
  await buildWasm();
  await buildEventSourceWasm();
  await buildHubWasm();
  await buildPackage();
}

await main(import.meta.url, async () => {
  await setUp({ browser: false });
  if (process.argv.includes('--wasm')) {
    await buildWasm();
    await buildEventSourceWasm();
    await buildHubWasm();
  } else {
    await build();
  }
});
