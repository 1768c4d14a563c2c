// `npx tinysse-server` from tarballs, installed outside the repository without a registry. Needs the
// program for this platform: TINYSSE_PROGRAM names one that is built already, else it is built.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { findProgram, platformName, platforms } from '../../npm/server/platform.js';
import { crateVersion, exe, targetDir } from '../../scripts/lib/paths.mjs';
import { platforms as built, packageOf } from '../../scripts/lib/platforms.mjs';
import { packLauncher, packPlatform, tarballs, thisPlatform } from '../../scripts/server-packages.mjs';
import { sh } from './stranger.mjs';

let dir;
const launcher = () => join(dir, 'node_modules', '.bin', 'tinysse-server');

before(async () => {
  mkdirSync(tarballs, { recursive: true });
  const program = process.env.TINYSSE_PROGRAM ?? join(targetDir, 'debug', `tinysse-server${exe}`);
  const platform = await thisPlatform();
  const packed = await packPlatform(platform, existsSync(program) ? program : undefined);
  dir = await mkdtemp(join(tmpdir(), 'tinysse-npx-'));
  const dependencies = {
    'tinysse-server': `file:${await packLauncher()}`,
    [packageOf(platform.name)]: `file:${packed}`,
  };
  // The launcher's own optional dependencies are not in a registry yet.
  const overrides = Object.fromEntries(built.map(({ name }) => [packageOf(name), `file:${packed}`]));
  await writeFile(join(dir, 'package.json'), JSON.stringify({ private: true, dependencies, overrides }));
  await sh('npm', ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--force'], { cwd: dir });
});

after(() => dir && rm(dir, { recursive: true, force: true }));

test('the launcher and the release know the same platforms', () => {
  assert.deepEqual(
    platforms,
    built.map(({ name }) => name),
  );
});

test('--version names both, and they are the crate', async () => {
  const version = crateVersion();
  assert.equal((await sh(launcher(), ['--version'])).trim(), `tinysse-server ${version} (npm package ${version})`);
});

test('it serves, and SIGTERM ends it with its code', async () => {
  const child = spawn(launcher(), ['--dev', '--memory', '--listen=127.0.0.1:0'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const url = await new Promise((done, fail) => {
      child.once('exit', (code) => fail(new Error(`it ended with ${code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [, found] = /listening on (http:\S+)/.exec(line) ?? [];
        if (found) done(found);
      });
    });
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    const ended = new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal)));
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
  } finally {
    child.kill('SIGKILL');
  }
});

test('wrong flags are reported by the program, with its code', async () => {
  await assert.rejects(sh(launcher(), ['--no-such-flag'], { cwd: dir }), /unexpected argument '--no-such-flag'/);
});

test('a missing program says what to do', () => {
  assert.throws(() => findProgram('linux-arm64-gnu', {}), /@tinysse\/server-linux-arm64-gnu is not installed/);
  assert.throws(() => findProgram('sunos-x64', {}), /cargo install tinysse-server/);
  assert.equal(findProgram('sunos-x64', { TINYSSE_SERVER_BINARY: '/opt/x' }), '/opt/x');
  const report = { getReport: () => ({ header: {} }) };
  assert.equal(platformName({ platform: 'linux', arch: 'x64', report }), 'linux-x64-musl');
  assert.equal(platformName({ platform: 'win32', arch: 'x64' }), 'win32-x64');
});
