// The Rust server as a target: the program, as a process.
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { bounded } from './bound.js';
import { call } from './http.js';
import { PUBLISH_KEY, type RightsOf, type RunningHub, SECRET, type Settings, type Target, USUAL } from './target.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
const program = join(folder, 'debug', process.platform === 'win32' ? 'tinysse-server.exe' : 'tinysse-server');

/** The program, which `cargo test` and `cargo build` make. */
export const rust: Target = {
  name: 'tinysse-server',
  missing: existsSync(program) ? undefined : `${program} is not built: run \`cargo build -p tinysse-server\``,
  start,
};

/** The names of all flags of the program. */
export function flagsOfProgram(): string[] {
  const { stdout } = spawnSync(program, ['--help'], { encoding: 'utf8' });
  const names = [...stdout.matchAll(/^ +(?:-[A-Za-z], )?--([a-z0-9-]+)/gm)].map(([, name]) => name as string);
  return names.filter((name) => name !== 'help' && name !== 'version');
}

async function start(settings: Settings): Promise<RunningHub> {
  const directory = settings.rights && (await serveRights(settings.rights));
  const args = flags(settings, directory?.url);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TINYSSE_')));
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  const url = await bounded(
    'the server listens',
    addressOf(child, () => log),
  );
  const hub: RunningHub = {
    url,
    async logIn(user, role = '', channels = []) {
      const answer = await call('POST', `${url}/auth/login`, { json: { user, role, channels } });
      const [cookie = ''] = (answer.headers['set-cookie'] ?? '').split(';');
      return { cookie };
    },
    metrics: async () => (await call('GET', `${url}/metrics`)).text,
    async drain() {
      child.kill('SIGTERM');
      const code = await bounded('the server ends', ended);
      if (code !== 0) throw new Error(`the server ended with ${code}: ${log}`);
    },
    async stop() {
      child.kill('SIGKILL');
      await ended;
      directory?.close();
    },
  };
  return hub;
}

function flags(given: Settings, directory: string | undefined): string[] {
  const s = { ...USUAL, ...given };
  const args = [
    ...['--dev', '--memory', '--listen=127.0.0.1:0', '--log=warn', `--secret=${SECRET}`],
    ...[`--publish-key=${PUBLISH_KEY}`, `--log-max-count=${s.maxCount}`, `--log-max-bytes=${s.maxBytes}`],
    ...[`--beat=${s.heartbeat}ms`, `--retry=${s.retry}ms`, `--linger=${s.linger}ms`, `--token-ttl=${s.tokenTtl}ms`],
    ...[`--max-streams=${s.streams}`, `--max-streams-user=${s.streamsPerUser}`, `--spread-rate=${s.spread}`],
    ...[`--max-stream-age=${s.streamAge}ms`, `--stall-timeout=${s.stallTimeout}ms`, `--slow-lag=${s.slowLag}`],
  ];
  if (s.singleUse) args.push('--single-use');
  if (s.endWithToken) args.push('--end-with-token');
  if (s.tokensPerUser) args.push(`--token-rate=${s.tokensPerUser}/m`);
  if (s.tokensPerAddress) args.push(`--token-rate-address=${s.tokensPerAddress}/m`);
  if (directory) args.push(`--directory=${directory}`);
  for (const origin of s.cors ?? []) args.push(`--cors-origin=${origin}`);
  for (const [type, rule] of Object.entries(s.slowRules ?? {})) args.push(`--slow=${type}=${rule}`);
  for (const [type, ms] of Object.entries(s.coalesce ?? {})) args.push(`--batch=${type}=${ms}ms`);
  return args;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Reads the address that the program prints when it listens. */
async function addressOf(child: Child, log: () => string): Promise<string> {
  for await (const line of createInterface(child.stdout)) {
    const [, url] = /^listening on (\S+)/.exec(line) ?? [];
    if (url) return url;
  }
  throw new Error(`the server ended before it listened: ${log()}`);
}

/** The program asks a service for rights: this one. A failure of it is a status 500. */
async function serveRights(rights: RightsOf) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    let answer: ReturnType<RightsOf> | undefined;
    try {
      answer = rights((JSON.parse(body) as { user: string }).user);
    } catch {}
    response.statusCode = answer === undefined ? 500 : answer === null ? 404 : 200;
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
