#!/usr/bin/env node
// Runs the tinysse-server of this platform, with these arguments; passes signals on and returns its code.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findProgram } from './platform.js';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const args = process.argv.slice(2);

/** Prints the version of the program and that of the package: they are the same unless one was replaced. */
function printVersion(program) {
  const { stdout, status } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  console.log(`${stdout.trim()} (npm package ${version})`);
  if (!stdout.trim().endsWith(` ${version}`))
    console.error('tinysse-server: the program has another version than the package');
  process.exit(status ?? 1);
}

function run(program) {
  const child = spawn(program, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    console.error(`tinysse-server: ${program} does not start: ${error.message}`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    // As a shell has it: 128 and the number of the signal.
    process.exit(code ?? { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGKILL: 137 }[signal] ?? 1);
  });
}

try {
  const program = findProgram();
  if (args.length === 1 && ['--version', '-V'].includes(args[0])) printVersion(program);
  else run(program);
} catch (error) {
  console.error(`tinysse-server: ${error.message}`);
  process.exit(1);
}
