// Finds the browsers and their drivers; on Debian as root it installs what is missing.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Stop, timed } from './log.mjs';
import { exe } from './paths.mjs';
import { output, run } from './run.mjs';

const macChrome = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

function which(names, places = []) {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  for (const name of names) {
    for (const dir of dirs) {
      const file = join(dir, name + exe);
      if (dir && existsSync(file)) return file;
    }
  }
  return places.find((file) => existsSync(file));
}

/**
 * The browser and its driver as far as they are here: $CHROME and $CHROMEDRIVER first, then PATH,
 * then the usual places.
 */
export function findChromium() {
  const named = (variable) => {
    const file = process.env[variable];
    if (file && !existsSync(file)) throw new Stop(`$${variable} names ${file}, which does not exist`);
    return file;
  };
  return {
    browser:
      named('CHROME') ?? which(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'], [macChrome]),
    driver: named('CHROMEDRIVER') ?? which(['chromedriver'], ['/usr/lib/chromium/chromedriver']),
  };
}

const canApt = () => process.getuid?.() === 0 && Boolean(output('apt-get', ['--version']));

export async function apt(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await timed(`apt-get install ${packages.join(' ')}`, async () => {
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
  });
}

/** Chromium and chromedriver, installed if need be. */
export async function needChromium() {
  let found = findChromium();
  if ((!found.browser || !found.driver) && canApt()) {
    await apt(['chromium', 'chromium-driver']);
    found = findChromium();
  }
  if (found.browser && found.driver) return found;
  const missing = [found.browser ? null : 'Chromium (or Chrome)', found.driver ? null : 'chromedriver'];
  throw new Stop(
    `the browser tests need ${missing.filter(Boolean).join(' and ')}. ` +
      'Debian and Ubuntu: sudo apt-get install chromium chromium-driver. macOS: brew install --cask google-chrome chromedriver. ' +
      'If they are in another place, name them in $CHROME and $CHROMEDRIVER.',
  );
}

/**
 * A program that only the full test needs, installed from these Debian packages if it is absent.
 */
export async function needProgram(name, packages, places = []) {
  const found = which([name], places);
  if (found) return found;
  if (canApt()) await apt(packages);
  const installed = which([name], places);
  if (!installed) throw new Stop(`the full test needs ${name}: on Debian, apt-get install ${packages.join(' ')}`);
  return installed;
}
