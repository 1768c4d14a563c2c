// The hubs that `npm run bench:hub` measures: how each is started, read from and published to.
import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stop, say } from './log.mjs';
import { findNchan, needNchan } from './nchan.mjs';
import { at, targetDir } from './paths.mjs';
import { anyPort } from './ports.mjs';
import { launch, output, run } from './run.mjs';

const betterSse = 'better-sse@0.16.1';
export const benchTarget = at('target', 'bench-hub');
/** Ours, as it is shipped. */
const program = join(targetDir, 'dist', 'tinysse-server');
/** Ours in a process of Node. */
const nodeHub = at('pkg', 'server', 'index.js');
const bench = (name) => join(benchTarget, 'release', name);

/**
 * Starts a server on core 0 with as many files as it may open, and waits until it takes
 * connections.
 */
async function start(command, args, url) {
  const shell = 'ulimit -n "$(ulimit -Hn)"; exec taskset -c 0 "$@"';
  const child = launch('sh', ['-c', shell, 'sh', command, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  for (let n = 0; n < 200; n++) {
    if (child.exitCode !== null) throw new Stop(`${command} ended with code ${child.exitCode}`);
    const answer = await fetch(url).catch(() => null);
    await answer?.body?.cancel();
    if (answer) return child;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Stop(`${command} does not listen`);
}

async function post(url, body, headers = {}) {
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  if (!answer.ok) throw new Stop(`${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/** What all tokens of our server are signed with here. */
const secret = '0123456789abcdef0123456789abcdef';

async function serve(port, more = []) {
  const url = `http://127.0.0.1:${port}`;
  const args = ['--dev', `--listen=127.0.0.1:${port}`, '--token-ttl=1h', '--log=warn', '--memory'];
  args.push('--max-streams=20000', '--max-connections=20000', `--secret=${secret}`, ...more);
  return start(program, args, `${url}/healthz`);
}

async function ours(port) {
  const url = `http://127.0.0.1:${port}`;
  const child = await serve(port);
  const login = await post(`${url}/auth/login`, JSON.stringify({ user: 'ada', role: 'admin', channels: ['ops'] }));
  const cookie = login.headers.get('set-cookie').split(';')[0];
  const { token } = await (await post(`${url}/auth/sse-token`, '', { cookie })).json();
  return {
    child,
    path: `/events?token=${token}`,
    line: 'POST /publish',
    headers: ['Authorization: Bearer dev-publish-key', 'Content-Type: application/json'],
    body: '{"type":"bench","data":"@"}',
  };
}

async function simple(port, command, args, path = '/') {
  const child = await start(command, args, `http://127.0.0.1:${port}${path}`);
  return { child, path: '/events', line: 'POST /publish', headers: ['Content-Type: text/plain'], body: '@' };
}

async function node(port) {
  const hub = await simple(port, process.execPath, [at('benches', 'hub', 'node-hub.mjs'), port, nodeHub], '/token');
  const url = `http://127.0.0.1:${port}`;
  const path = `/events?token=${await (await fetch(`${url}/token`)).text()}`;
  // One stream before anything is measured, as better-sse had one when it was asked whether it listens.
  await (await fetch(`${url}${path}`)).body.cancel();
  return { ...hub, path };
}

async function nginx(port) {
  const dir = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  const conf = `
load_module ${findNchan()};
worker_processes 1;
worker_rlimit_nofile 20000;
daemon off;
pid ${dir}/pid;
error_log ${dir}/error.log;
events { worker_connections 16000; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path ${dir}; proxy_temp_path ${dir}; fastcgi_temp_path ${dir}; uwsgi_temp_path ${dir}; scgi_temp_path ${dir};
  nchan_shared_memory_size 128m;
  server {
    listen 127.0.0.1:${port} backlog=8192;
    tcp_nodelay on;
    location = / { return 200; }
    location = /events { nchan_subscriber eventsource; nchan_channel_id bench; nchan_subscriber_first_message newest; }
    location = /publish { nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 10000; nchan_message_timeout 1h; }
  }
}
`;
  writeFileSync(join(dir, 'nginx.conf'), conf);
  const hub = await simple(port, 'nginx', ['-c', join(dir, 'nginx.conf'), '-p', dir]);
  return { ...hub, end: 'SIGTERM' };
}

/**
 * Installs what is missing where that is allowed; answers why a hub has to be left out, if it has.
 */
const missing = {
  async nginx() {
    try {
      await needNchan();
      return null;
    } catch (error) {
      if (error instanceof Stop) return error.message;
      throw error;
    }
  },
  async betterSse() {
    const dir = join(benchTarget, 'better-sse');
    mkdirSync(dir, { recursive: true });
    if (!existsSync(join(dir, 'node_modules', 'better-sse'))) {
      writeFileSync(join(dir, 'package.json'), '{"private":true}');
      await run('npm', ['install', '--no-audit', '--no-fund', betterSse], { cwd: dir });
    }
    return null;
  },
};

const hubs = {
  ours,
  'tinysse/server': node,
  'raw sockets': (port) => simple(port, bench('raw'), [port]),
  'axum + broadcast': (port) => simple(port, bench('axum-hub'), [port]),
  'nginx + nchan': nginx,
  'better-sse': (port) => {
    const installed = join(benchTarget, 'better-sse', 'node_modules', 'better-sse', 'build', 'index.mjs');
    return simple(port, process.execPath, [at('benches', 'hub', 'better-sse.mjs'), port, installed]);
  },
};

/**
 * The names of the hubs that can be measured here; prints which cannot, and why. That of Node is
 * measured where it is asked for.
 */
export async function available(only) {
  const asked = (name) => (only.length === 0 ? name !== 'tinysse/server' : only.some((part) => name.includes(part)));
  const names = Object.keys(hubs).filter(asked);
  const found = [];
  for (const name of names) {
    const check = { 'nginx + nchan': missing.nginx, 'better-sse': missing.betterSse }[name];
    const why = await check?.();
    if (why) say(`${name} is left out: ${why}`);
    else found.push(name);
  }
  return found;
}

/** Tokens as our server signs them (RFC 7515 §3.1), one for each claims. */
function tokens(claims) {
  const settings = ['--dev', `--secret=${secret}`, '--ttl=1h', '--sub=somebody'];
  const minted = output(program, ['token', 'mint', ...settings]);
  const [head, body] = minted.trim().split('.');
  const common = JSON.parse(Buffer.from(body, 'base64url').toString());
  return claims.map((one, n) => {
    const signed = `${head}.${Buffer.from(JSON.stringify({ ...common, ...one, jti: `${n}` })).toString('base64url')}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  });
}

/**
 * What an update for one of N streams costs the server, each of which is of another user, role and
 * channel.
 */
export async function measureOne(audience, streams, rate, seconds) {
  const who = (n) => ({ sub: `user${n}`, role: `role${n}`, channels: [`channel${n}`] });
  const [first, ...others] = tokens(Array.from({ length: streams }, (_, n) => who(n)));
  const file = join(benchTarget, 'others');
  writeFileSync(file, others.map((token) => `/events?token=${token}\n`).join(''));
  const port = await anyPort();
  const to = `${audience}:${audience}0`;
  const hub = {
    child: await serve(port),
    path: `/events?token=${first}`,
    line: 'POST /publish',
    headers: ['Authorization: Bearer dev-publish-key', 'Content-Type: application/json'],
    body: `{"type":"bench","data":"@","to":"${to}"}`,
  };
  return load(to, hub, port, { n: 1, rate, seconds, more: ['--others', file] });
}

/** One measurement of one hub, in a process of its own. */
export async function measure(name, n, rate, seconds) {
  const port = await anyPort();
  return load(name, await hubs[name](port), port, { n, rate, seconds });
}

/**
 * Time on a core so far, in milliseconds, of all threads of a process
 * (`/proc/PID/task/TID/schedstat`).
 */
function cpu(pid) {
  const spent = (thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + spent(thread), 0) / 1e6;
}

/**
 * What it costs our server to replay `updates` updates to each of `clients` that come back at once,
 * and how long a publish takes meanwhile. The updates go to `channels` channels, which the clients
 * read by a pattern; without channels to all.
 */
export async function measureReplay(clients, updates, channels) {
  const port = await anyPort();
  // What is published meanwhile must not push out what is replayed.
  const child = await serve(port, ['--log-max-count=1000000', '--log-max-bytes=1000000000']);
  const url = `http://127.0.0.1:${port}/publish`;
  const publish = async (body) => {
    const answer = await post(url, JSON.stringify(body), { authorization: 'Bearer dev-publish-key' });
    return (await answer.json()).ids;
  };
  try {
    const update = (n) => ({ type: 'bench', data: n, ...(channels > 0 && { to: `channel:orders.${n % channels}` }) });
    let cursor;
    for (let n = 0; n < updates; n += 1_000) {
      const ids = await publish(Array.from({ length: Math.min(1_000, updates - n) }, (_, k) => update(n + k)));
      cursor ??= ids[0].replace(/\.1$/, '.0');
    }
    const [token] = tokens([{ sub: 'ada', channels: ['orders.>'] }]);
    const args = [port, `/events?token=${token}`, cursor, clients, updates].map(String);
    const before = cpu(child.pid);
    // They must not keep this process from its clock.
    const gentle = ['-c', '1', 'nice', '-n', '19', process.execPath, at('benches', 'hub', 'replay.mjs')];
    const reader = launch('taskset', [...gentle, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = new Promise((resolve) => reader.once('exit', resolve));
    const waits = [];
    while (reader.exitCode === null) {
      const asked = performance.now();
      // A type and an audience that the readers do not count.
      await publish({ type: 'other', to: 'user:nobody' });
      waits.push(performance.now() - asked);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    if ((await ended) !== 0) throw new Stop('the readers failed');
    waits.sort((a, b) => a - b);
    return {
      cpuUs: ((cpu(child.pid) - before) * 1e3) / (clients * updates),
      publishes: waits.length,
      p50: waits[Math.floor(waits.length / 2)],
      worst: waits.at(-1),
    };
  } finally {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    if (child.exitCode === null) await gone;
  }
}

async function load(name, hub, port, { n, rate, seconds, more = [] }) {
  const args = ['--pid', hub.child.pid, '--port', port, '--n', n, '--rate', rate, '--seconds', seconds, ...more];
  args.push('--path', hub.path, '--line', hub.line, '--body', hub.body, ...hub.headers.flatMap((h) => ['--header', h]));
  try {
    return JSON.parse(
      await new Promise((resolve, reject) => {
        const child = launch(bench('load'), args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
        let text = '';
        child.stdout.on('data', (chunk) => {
          text += chunk;
        });
        child.once('close', (code) =>
          code === 0 ? resolve(text) : reject(new Stop(`${name}: the load generator failed`)),
        );
      }),
    );
  } finally {
    const gone = new Promise((resolve) => hub.child.once('exit', resolve));
    // nginx's worker outlives a master that was killed.
    hub.child.kill(hub.end ?? 'SIGKILL');
    if (hub.child.exitCode === null) await gone;
  }
}
