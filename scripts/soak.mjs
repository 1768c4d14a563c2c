// `npm run soak`: an hour under load. `npm run soak -- --minutes 5`: less.
import { e2e } from './e2e.mjs';
import { main } from './lib/log.mjs';
import { setUp } from './setup.mjs';

export async function soak(minutes = 60) {
  process.env.SOAK_MINUTES = String(minutes);
  await e2e(['--project=soak']);
}

await main(import.meta.url, async () => {
  const found = await setUp({ browser: true });
  process.env.CHROME = found.browser;
  const flag = process.argv.indexOf('--minutes');
  await soak(flag < 0 ? undefined : Number(process.argv[flag + 1]));
});
