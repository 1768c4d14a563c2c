// Children: every one gets our PATH, none outlives the script.
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { Stop } from './log.mjs';
import { childEnv, root } from './paths.mjs';

const living = new Set();
/** When and by which signal this process was asked to end. */
let ending = null;
let endIsSuccess = false;

/** From here on, a request to end is the way to end, and no failure. */
export function endByRequest() {
  endIsSuccess = true;
}

function killAll(signal) {
  for (const child of living) child.kill(signal);
}

function leaveWhenAlone() {
  if (ending && living.size === 0) process.exit(endIsSuccess ? 0 : 128 + constants.signals[ending.signal]);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A Ctrl-C under npm arrives twice, from the terminal and from npm; only one a second later
    // means "at once".
    if (ending && performance.now() - ending.at > 1000) killAll('SIGKILL');
    if (ending) return;
    ending = { signal, at: performance.now() };
    killAll(signal);
    setTimeout(() => killAll('SIGKILL'), 10_000).unref();
    leaveWhenAlone();
  });
}
process.on('exit', () => killAll('SIGKILL'));

/** Whether the script was asked to end, so that the end of a child is expected. */
export const isEnding = () => ending !== null;

/** Starts a child that the caller watches; it is asked to end when the script is. */
export function launch(command, args, { env, ...options } = {}) {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options, env: childEnv(env) });
  living.add(child);
  const gone = () => {
    living.delete(child);
    leaveWhenAlone();
  };
  child.once('exit', gone);
  child.once('error', gone);
  return child;
}

/**
 * Runs a child to its end and answers what it printed if `tee` is set; any other end than success
 * is a Stop.
 */
export function run(command, args, { tee = false, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = launch(command, args, { ...options, stdio: ['inherit', tee ? 'pipe' : 'inherit', 'inherit'] });
    const name = [command, ...args].join(' ');
    let printed = '';
    child.stdout?.on('data', (chunk) => {
      printed += chunk;
      process.stdout.write(chunk);
    });
    child.once('error', (error) => {
      reject(new Stop(error.code === 'ENOENT' ? `${command} is not installed or not on PATH` : `${name}: ${error}`));
    });
    child.once('close', (code, signal) => {
      if (isEnding()) return;
      if (code === 0) resolve(printed);
      else reject(new Stop(`${name} ended with ${signal ?? `code ${code}`}`));
    });
  });
}

/** Runs a JavaScript file with this Node. */
export const runNode = (file, args, options) => run(process.execPath, [file, ...args], options);

/** What a child printed, or null if it failed or does not exist. */
export function output(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', env: childEnv(), ...options });
  return done.status === 0 ? done.stdout.trim() : null;
}
