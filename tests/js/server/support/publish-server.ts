// A `POST /publish` written from docs/PROTOCOL.md, section 13, without code of the package: as
// strict as the Rust server, with the failures that a real one has only by chance.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of a request. */
export type Fault =
  | 'none'
  /** The connection is cut; nothing is published. */
  | 'cut'
  /** It is published, and the connection is cut before the answer. */
  | 'lost'
  /** It is published; the answer ends behind its headers. */
  | 'half'
  /** It is published, and never answered. */
  | 'silent'
  /** A server from before announcements: it takes `resync` for an unknown member. */
  | 'old'
  /** It is refused; nothing is published. */
  | { readonly status: number; readonly code?: string; readonly headers?: Readonly<Record<string, string>> };

/** An update of the log; an announcement of everything has the type `null`. */
export interface Logged {
  readonly id: string;
  readonly type: string | null;
  readonly data?: unknown;
  readonly to?: unknown;
  /** When it was published, by {@link preciseNow}. */
  readonly at: number;
}

/** Milliseconds since 1970 with their fractions; the same clock in all processes of a machine. */
export const preciseNow = () => performance.timeOrigin + performance.now();

type Item = Omit<Logged, 'id' | 'at'>;

/** A request that arrived whole. */
export interface Received {
  readonly key: string | undefined;
  readonly body: string;
  readonly connection: number;
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

const MAX_BODY = 1 << 20;
const MAX_ITEMS = 1_000;
const RECEIPT_LIFE = 300_000;
const MEMBERS = ['type', 'data', 'key', 'to', 'origin', 'except'];

/** The server, on a port of its own that it keeps when it is down. */
export class PublishServer {
  /** Decides what becomes of each request. */
  fault: (request: number) => Fault = () => 'none';
  /**
   * A rule that publishers do not know: such an update is refused with 400, and its whole request.
   */
  forbids: (data: unknown) => boolean = () => false;
  /** The time, for the age of receipts. */
  now: () => number = Date.now;
  /** The publish key that is taken. */
  key = 'a-publish-key-of-the-tests';
  readonly log: Logged[] = [];
  readonly requests: Received[] = [];
  readonly #receipts = new Map<string, { print: string; ids: string[]; at: number }>();
  readonly #connections = new Map<unknown, number>();
  #server: Server | undefined;
  #port = 0;

  static async start(): Promise<PublishServer> {
    const server = new PublishServer();
    await server.up();
    return server;
  }

  /** Its address, also while it is down. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The numbers in the log, in its order. */
  get numbers(): number[] {
    return this.log.map(({ data }) => data).filter((data): data is number => typeof data === 'number');
  }

  /** Listens, as at first and after {@link down}. */
  async up(): Promise<void> {
    if (this.#server) return;
    const server = createServer((request, response) => this.#take(request, response));
    this.#server = server;
    await new Promise<void>((done) => server.listen(this.#port, '127.0.0.1', done));
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Refuses connections, as a process that is gone. The log and the receipts remain. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY) chunks.push(chunk);
    });
    request.once('end', () => {
      const body = Buffer.concat(chunks).toString();
      const key = request.headers['idempotency-key'] as string | undefined;
      if (!this.#connections.has(request.socket)) this.#connections.set(request.socket, this.#connections.size);
      const connection = this.#connections.get(request.socket) as number;
      const fault = this.fault(this.requests.length);
      this.requests.push({ key, body: size > MAX_BODY ? '' : body, connection });
      this.#answer(request, response, { body, size, fault });
    });
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    { body, size, fault }: { body: string; size: number; fault: Fault },
  ): void {
    if (fault === 'cut') {
      request.socket.destroy();
      return;
    }
    try {
      if (typeof fault === 'object') {
        refuse(response, fault.status, fault.code ?? 'as_the_test_wishes', fault.headers);
        return;
      }
      const ids = this.#publish(request, body, size, fault === 'old');
      if (fault === 'lost') request.socket.destroy();
      else if (fault === 'half') {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' });
        response.write('{"ids":[', () => request.socket.destroy());
      } else if (fault !== 'silent') {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ ids, durability: 'memory' }));
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse(response, error.status, error.code);
    }
  }

  #publish({ method, url, headers }: IncomingMessage, body: string, size: number, isOld: boolean): string[] {
    if (method !== 'POST' || url !== '/publish') throw new Refusal(404, 'not_found');
    if (headers.authorization !== `Bearer ${this.key}`) throw new Refusal(401, 'unauthenticated');
    if (headers['content-type'] !== 'application/json') throw new Refusal(415, 'unsupported_media_type');
    if (size > MAX_BODY) throw new Refusal(413, 'body_too_large');
    const key = headers['idempotency-key'];
    if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(String(key))) throw new Refusal(400, 'bad_idempotency_key');
    const updates = read(body, isOld);
    if (updates.some(({ data }) => this.forbids(data))) throw new Refusal(400, 'bad_field');
    const print = createHash('sha256').update(body).digest('hex');
    const known = key === undefined ? undefined : this.#receipts.get(String(key));
    if (known && this.now() - known.at <= RECEIPT_LIFE) {
      if (known.print !== print) throw new Refusal(422, 'idempotency_mismatch');
      return known.ids;
    }
    const ids = updates.map((_, at) => `e.${this.log.length + at + 1}`);
    for (const [at, update] of updates.entries()) this.log.push({ ...update, id: ids[at] as string, at: preciseNow() });
    if (key !== undefined) this.#receipts.set(String(key), { print, ids, at: this.now() });
    return ids;
  }
}

function refuse(response: ServerResponse, status: number, code: string, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
  response.end(JSON.stringify({ code, detail: 'of the test server', status }));
}

function read(body: string, isOld: boolean): Item[] {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Refusal(400, 'bad_json');
  }
  if (isRecord(value) && 'resync' in value && !isOld) return readResync(value);
  const items: unknown[] = Array.isArray(value) ? value : [value];
  if (items.length < 1 || items.length > MAX_ITEMS) throw new Refusal(400, 'too_many');
  return items.map(readUpdate);
}

function readResync({ resync, ...rest }: Record<string, unknown>): Item[] {
  if (Object.keys(rest).length > 0) throw new Refusal(400, 'bad_json');
  if (resync === null) return [{ type: null }];
  if (!Array.isArray(resync)) throw new Refusal(400, 'bad_json');
  if (resync.length < 1 || resync.length > MAX_ITEMS) throw new Refusal(400, 'too_many');
  return resync.map((type) => readUpdate({ type }));
}

function readUpdate(item: unknown): Item {
  if (!isRecord(item) || Object.keys(item).some((name) => !MEMBERS.includes(name))) throw new Refusal(400, 'bad_json');
  const { type, data, to } = item;
  if (typeof type !== 'string' || !/^[A-Za-z0-9._:-]{1,128}$/.test(type)) throw new Refusal(400, 'bad_type');
  if (type.startsWith('tinysse.')) throw new Refusal(400, 'reserved_type');
  for (const name of ['key', 'origin', 'except']) {
    const text = item[name];
    if (text !== undefined && typeof text !== 'string') throw new Refusal(400, 'bad_json');
    if (text !== undefined && /\p{Surrogate}/u.test(text)) throw new Refusal(400, 'bad_json');
    if (text !== undefined && Buffer.byteLength(text) > 255) throw new Refusal(400, 'bad_field');
  }
  const audiences = to === undefined ? ['all'] : Array.isArray(to) ? to : [to];
  const isAudience = (text: unknown) =>
    typeof text === 'string' && /^(all|(user|role|channel):[^\p{Cc}\p{Cs}]{1,255})$/u.test(text);
  if (audiences.length < 1 || audiences.length > 100 || !audiences.every(isAudience)) {
    throw new Refusal(400, 'bad_audience');
  }
  return { type, ...(data === undefined ? {} : { data }), ...(to === undefined ? {} : { to }) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
