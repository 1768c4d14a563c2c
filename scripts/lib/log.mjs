// What the person at the terminal sees: one line when a thing begins, one when it is done, with the
// time it took.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code) => (text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);

export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function say(text) {
  console.log(`${bold('tinysse')} ${text}`);
}

/** Runs `work`, printing what it is and how long it took; an error passes through. */
export async function timed(what, work) {
  say(`${what} ...`);
  const start = performance.now();
  const value = await work();
  say(`${what} ${green('done')} ${dim(seconds(performance.now() - start))}`);
  return value;
}

/** An error whose message is complete: no stack is printed for it. */
export class Stop extends Error {}

/**
 * The frame of every script: runs `work` if the module at `url` is what Node was started with. A
 * Stop prints its message alone, anything else prints whole; both end non-zero.
 */
export async function main(url, work) {
  if (!process.argv[1] || realpathSync(process.argv[1]) !== realpathSync(fileURLToPath(url))) return;
  try {
    await work();
  } catch (error) {
    console.error(red(error instanceof Stop ? `tinysse: ${error.message}` : `tinysse: ${error?.stack ?? error}`));
    process.exitCode = 1;
  }
}
