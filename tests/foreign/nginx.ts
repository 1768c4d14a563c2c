// nginx with nchan; each channel is one server of the matrix.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../e2e/server';
import type { Foreign } from './servers';

/** nchan's defaults: a subscriber without `Last-Event-ID` gets everything that is stored. */
const config = (module: string, dir: string, port: number) => `
load_module ${module};
daemon off;
worker_processes 1;
pid ${dir}/pid;
error_log ${dir}/error.log;
events { worker_connections 512; }
http {
  access_log off;
  keepalive_timeout 0;
  client_body_temp_path ${dir}; proxy_temp_path ${dir}; fastcgi_temp_path ${dir}; uwsgi_temp_path ${dir}; scgi_temp_path ${dir};
  server {
    listen 127.0.0.1:${port};
    location = / { return 200; }
    location ~ ^/sub/(\\w+)$ {
      if ($request_method = OPTIONS) {
        # nchan's own answer does not allow the header.
        add_header Access-Control-Allow-Origin *;
        add_header Access-Control-Allow-Headers Last-Event-ID;
        return 204;
      }
      nchan_subscriber eventsource;
      nchan_channel_id $1;
    }
    location ~ ^/pub/(\\w+)$ { nchan_publisher; nchan_channel_id $1; }
  }
}
`;

export class Nginx {
  readonly #url: string;
  readonly #dir: string;
  readonly #child: ChildProcess;
  #channels = 0;

  private constructor(url: string, dir: string, child: ChildProcess) {
    this.#url = url;
    this.#dir = dir;
    this.#child = child;
  }

  static async start(module: string): Promise<Nginx> {
    const dir = mkdtempSync(join(tmpdir(), 'foreign-nginx-'));
    const port = await freePort();
    const file = join(dir, 'nginx.conf');
    writeFileSync(file, config(module, dir, port));
    const child = spawn('nginx', ['-c', file, '-p', dir], { stdio: ['ignore', 'ignore', 'inherit'] });
    const nginx = new Nginx(`http://127.0.0.1:${port}`, dir, child);
    while (!(await fetch(nginx.#url).catch(() => null))) {
      if (child.exitCode !== null) throw new Error(`nginx ended with code ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return nginx;
  }

  /** Returns a new channel. */
  channel(): Foreign {
    this.#channels += 1;
    const name = `c${this.#channels}`;
    return {
      origin: this.#url,
      path: `/sub/${name}`,
      streams: () => undefined,
      publish: async (n) => {
        const response = await fetch(`${this.#url}/pub/${name}`, { method: 'POST', body: JSON.stringify(n) });
        if (!response.ok) throw new Error(`nchan: ${response.status}`);
      },
      end: () => {},
    };
  }

  async end(): Promise<void> {
    // A worker would survive a master that was killed.
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
