// The servers of examples/node as a reader runs them: outside the repository, against the built package.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { repo } from './stranger.mjs';

let dir;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tinysse-recipes-'));
  await cp(join(repo, 'examples', 'node'), dir, { recursive: true });
  await mkdir(join(dir, 'node_modules'));
  await symlink(join(repo, 'pkg'), join(dir, 'node_modules', 'tinysse'), 'dir');
  await mkdir(join(dir, 'node_modules', '@hono'));
  for (const name of ['express', 'fastify', 'hono', '@hono/node-server']) {
    await symlink(join(repo, 'node_modules', name), join(dir, 'node_modules', name), 'dir');
  }
});

after(() => rm(dir, { recursive: true, force: true }));

/** Starts a server on a free port. */
async function start(file) {
  const env = {
    ...process.env,
    PORT: '0',
    TINYSSE_SECRET: 'a secret of thirty-two bytes or more',
    NODE_ENV: 'production',
  };
  const child = spawn(process.execPath, [file], { cwd: dir, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal)));
  const port = await new Promise((done) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, number] = /listening on (\d+)/.exec(line) ?? [];
      if (number) done(number);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    ended,
    end: () => child.kill('SIGTERM'),
    kill: () => child.kill('SIGKILL'),
  };
}

/** Reads a stream until a text was on it. */
function reader(stream) {
  const chunks = stream.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return async (what) => {
    while (!text.includes(what)) {
      const { done, value } = await chunks.read();
      assert.ok(!done, `the stream ended before ${what}: ${text}`);
      text += value;
    }
  };
}

/** What each server takes for a login. */
const logins = {
  'http.mjs': async () => ({ 'x-user': 'ada' }),
  'fastify.mjs': async () => ({ 'x-user': 'ada' }),
  'hono.mjs': async () => ({ 'x-user': 'ada' }),
  'express.mjs': async (url) => {
    const answer = await fetch(`${url}/login/ada`, { method: 'POST' });
    return { cookie: answer.headers.get('set-cookie').split(';')[0] };
  },
};

for (const [file, logIn] of Object.entries(logins)) {
  test(`${file}: a token for who is logged in, an update behind a mutation, an end within the drain`, async () => {
    const server = await start(file);
    try {
      const nobody = await fetch(`${server.url}/auth/sse-token`, { method: 'POST' });
      assert.equal(nobody.status, 401);
      assert.equal((await nobody.json()).code, 'unauthenticated');
      const headers = await logIn(server.url);
      const { token, user } = await (await fetch(`${server.url}/auth/sse-token`, { method: 'POST', headers })).json();
      assert.equal(user, 'ada');
      const until = reader(await fetch(`${server.url}/events?token=${token}`));
      await until('event: tinysse.hello');
      const change = { method: 'POST', headers: { ...headers, 'x-tinysse-origin': 'tab-1' } };
      assert.equal((await fetch(`${server.url}/api/projects`, change)).status, 201);
      await until('event: projects\ndata: {"origin":"tab-1"');
      server.end();
      await until('reason=drain');
      assert.equal(await server.ended, 0);
    } finally {
      server.kill();
    }
  });
}
