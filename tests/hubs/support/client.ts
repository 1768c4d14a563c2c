// A client of a running hub: tokens, streams, and what services ask for.
import { expect } from 'vitest';
import { type Answer, type CallOptions, call } from './http.js';
import { HubStream } from './hub-stream.js';
import { PUBLISH_KEY, type RunningHub, SECRET, type Target } from './target.js';

/** For whom a token is. */
export interface Subject {
  readonly user: string;
  readonly role?: string | undefined;
  readonly channels?: readonly string[] | undefined;
  readonly session?: string | undefined;
}

/** How a stream is asked for. */
export interface StreamAsk {
  /** In the place of a new token of the user. */
  readonly token?: string | undefined;
  readonly role?: string | undefined;
  readonly channels?: readonly string[] | undefined;
  readonly session?: string | undefined;
  /** The rest of the query: names and values as they are. */
  readonly query?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The token as a bearer, as clients send it that see statuses. */
  readonly bearer?: boolean | undefined;
}

/** A refusal, checked as far as all refusals are alike. */
export interface Refusal {
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** Statuses with a time to come again. */
const LATER = [429, 503];

/** A client of one hub. */
export class HubClient {
  readonly target: Target;
  readonly hub: RunningHub;
  readonly #streams: HubStream[] = [];

  constructor(target: Target, hub: RunningHub) {
    this.target = target;
    this.hub = hub;
  }

  /** Sends a request to a path. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer> {
    return call(method, this.hub.url + path, options);
  }

  /** The same as a service: with the publish key, and a body in JSON. */
  serve(path: string, json: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.call('POST', path, { json, headers: { authorization: `Bearer ${PUBLISH_KEY}`, ...headers } });
  }

  /** The same with a body as it is written. */
  serveText(path: string, body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const usual = { authorization: `Bearer ${PUBLISH_KEY}`, 'content-type': 'application/json' };
    return this.call('POST', path, { body, headers: { ...usual, ...headers } });
  }

  /** Asks for a token. */
  async token(subject: Subject | string): Promise<string> {
    const answer = await this.serve('/auth/sse-token', typeof subject === 'string' ? { user: subject } : subject);
    expect(answer.status, answer.text).toBe(200);
    return answer.json().token as string;
  }

  /** Opens a stream and reads its hello. */
  async stream(user: string, ask: StreamAsk = {}): Promise<HubStream> {
    const stream = await this.open(user, ask);
    await stream.readHello();
    return stream;
  }

  /** Opens a stream, and reads its head alone. */
  async open(user: string, ask: StreamAsk = {}): Promise<HubStream> {
    const { query = '', headers = {}, bearer = false, role, channels, session } = ask;
    const token = ask.token ?? (await this.token({ user, role, channels, session }));
    const path = `/events?${[bearer ? '' : `token=${token}`, query].filter(Boolean).join('&')}`;
    const shown = bearer ? { authorization: `Bearer ${token}` } : {};
    const stream = await HubStream.open(this.hub.url, { path, headers: { ...shown, ...headers } });
    this.#streams.push(stream);
    return stream;
  }

  /** Publishes. Returns the ids. */
  async publish(body: unknown, headers?: Readonly<Record<string, string>>): Promise<string[]> {
    const answer = await this.serve('/publish', body, headers);
    expect(answer.status, answer.text).toBe(200);
    const { ids, durability, ...rest } = answer.json() as { ids: string[]; durability: string };
    expect({ durability, ...rest }).toEqual({ durability: 'memory' });
    return ids;
  }

  /** Revokes. Returns how many streams were ended. */
  async revoke(body: unknown): Promise<number> {
    const answer = await this.serve('/revoke', body);
    expect(answer.status, answer.text).toBe(200);
    const { closed, ...rest } = answer.json() as { closed: number };
    expect(rest).toEqual({});
    return closed;
  }

  /** Reports changed rights. Returns how many streams have other ones. */
  async rightsChanged(body: unknown = {}): Promise<number> {
    const answer = await this.serve('/rights', body);
    expect(answer.status, answer.text).toBe(200);
    const { changed, ...rest } = answer.json() as { changed: number };
    expect(rest).toEqual({});
    return changed;
  }

  /** Returns the sum of the series of this name that have these labels, and perhaps others. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    let sum = 0;
    for (const line of (await this.hub.metrics()).split('\n')) {
      const [, series, has = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (series === name && wanted.every((label) => has.split(',').includes(label))) sum += Number(value);
    }
    return sum;
  }

  /** Ends the streams and the hub. */
  async end(): Promise<void> {
    for (const stream of this.#streams) stream.close();
    await this.hub.stop();
  }
}

/** Expects a refusal (docs/PROTOCOL.md, 16), with everything that each has. */
export async function refused(asked: Promise<Answer>, status: number, code: string): Promise<Refusal> {
  const { status: given, headers, text, json } = await asked;
  expect(given, text).toBe(status);
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  expect(headers['www-authenticate'], 'a status of 401 names the scheme').toBe(status === 401 ? 'Bearer' : undefined);
  if (LATER.includes(status)) expect(headers['retry-after']).toMatch(/^[1-9][0-9]*$/);
  else expect(headers['retry-after']).toBeUndefined();
  const problem = json();
  expect(problem).toEqual({ code, detail: expect.any(String), status, title: TITLES[status], type: 'about:blank' });
  const detail = problem.detail as string;
  expect(detail).not.toBe('');
  for (const secret of [SECRET, PUBLISH_KEY, 'eyJ']) expect(text).not.toContain(secret);
  return { detail, headers };
}
