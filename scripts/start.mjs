// `npm start`: from a fresh clone to the live page in a browser. Ctrl-C ends everything it started.
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { build } from './build.mjs';
import { bold, dim, green, main, Stop, timed } from './lib/log.mjs';
import { buildPage, pages } from './lib/page.mjs';
import { exe, targetDir } from './lib/paths.mjs';
import { freePort } from './lib/ports.mjs';
import { endByRequest, isEnding, launch, output, run } from './lib/run.mjs';
import { setUp } from './setup.mjs';

/** The dev profile: nothing here needs an optimised server, and it is built in half the time. */
async function buildServer() {
  await timed('building the server', () =>
    run('cargo', ['build', '--locked', '--quiet', '--package', 'tinysse-reference', '--package', 'progress-api']),
  );
}

/**
 * Starts a server and answers the URL that it prints when it is ready. Should it end before its
 * time, so does everything.
 */
function serve(name, args, ended) {
  const child = launch(`${targetDir}/debug/${name}${exe}`, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Of its own process group: a Ctrl-C reaches it once, through us.
    detached: true,
  });
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /listening on (http:\S+)/.exec(line)?.[1];
      if (url) resolve(url);
      console.log(`${dim(name)} ${line}`);
    });
    child.once('error', (error) => reject(new Stop(`${name} did not start: ${error.message}`)));
    child.once('exit', (code, signal) => {
      if (isEnding()) return;
      const stop = new Stop(`${name} ended by itself (${signal ?? `code ${code}`})`);
      reject(stop);
      ended(stop);
    });
  });
}

/** Shows the page if there is a desktop to show it on. */
function open(url) {
  if (process.env.CI || process.argv.includes('--no-open')) return;
  const opener = { darwin: ['open'], win32: ['cmd', '/c', 'start'] }[process.platform] ?? ['xdg-open'];
  const linux = opener[0] === 'xdg-open';
  if (linux && !(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)) return;
  if (linux && !output('which', ['xdg-open'])) return;
  launch(opener[0], [...opener.slice(1), url], { stdio: 'ignore' }).once('error', () => {});
}

async function serveAll() {
  let ended;
  const end = new Promise((_, reject) => {
    ended = reject;
  });
  // Whichever comes first, the end or the start, is looked at below; an end in between must not be
  // an unhandled one.
  end.catch(() => {});
  const api = await serve('progress-api', ['--listen', `127.0.0.1:${await freePort(3000)}`], ended);
  const listen = ['--listen', `127.0.0.1:${await freePort(8080)}`];
  const poll = ['--poll', `progress=${api}/state`];
  // Kept from one start to the next, so that a page that stays open misses nothing; a second
  // `npm start` beside it has a log of its own.
  const port = listen[1].split(':').pop();
  const data = ['--data', `${targetDir}/tinysse-data-${port}`];
  const url = await serve('reference-server', ['serve', '--dev', ...listen, ...data, '--pages', pages, ...poll], ended);
  console.log(`\n  ${green('tinysse is running:')} ${bold(url)}   ${dim('Ctrl-C ends it')}\n`);
  endByRequest();
  open(url);
  await end;
}

await main(import.meta.url, async () => {
  await setUp({ browser: false });
  await build();
  await buildPage();
  await buildServer();
  if (!existsSync(pages)) throw new Stop(`the page was not built: ${pages} is missing`);
  try {
    await serveAll();
  } catch (error) {
    console.error(`tinysse: ${error.message}`);
    process.exit(1);
  }
});
