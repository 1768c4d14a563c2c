// `npm run start:trpc`: the tRPC example, with the hub in its Node process. Ctrl-C ends everything it started.
//   HUB=http://127.0.0.1:8080 HUB_KEY=dev-publish-key npm run start:trpc     with a `tinysse-server` instead
import { createInterface } from 'node:readline';
import { build } from './build.mjs';
import { bold, dim, green, main, Stop } from './lib/log.mjs';
import { freePort } from './lib/ports.mjs';
import { isEnding, launch } from './lib/run.mjs';
import { buildTrpc, pages, servers } from './lib/trpc.mjs';
import { setUp } from './setup.mjs';

/** Starts a server of the example. Returns its address. */
export function serve(name, env, onLine = () => {}) {
  const child = launch(process.execPath, [`${servers}/${name}.mjs`], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      onLine(line);
      const found = /listening on (http:\S+)/.exec(line)?.[1];
      if (found) resolve(found);
    });
    child.once('exit', (code) => !isEnding() && reject(new Stop(`${name} ended with code ${code}`)));
  });
  return { child, url };
}

await main(import.meta.url, async () => {
  await setUp({ browser: false });
  await build();
  await buildTrpc();
  const say = (name) => (line) => console.log(`${dim(name)} ${line}`);
  const api = serve('progress-api', { PORT: String(await freePort(3001)) }, say('progress-api'));
  const env = { PORT: String(await freePort(3000)), PROGRESS_API: await api.url, PAGES: pages };
  const app = serve('main', env, say('server'));
  console.log(`\n${green('ready')}  ${bold(await app.url)}  open it twice\n`);
  await new Promise((_, reject) => app.child.once('exit', () => reject(new Stop('the server ended'))));
});
