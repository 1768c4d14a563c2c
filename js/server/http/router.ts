// The routes of the hub, whatever server carries them.
import { HubError } from '../errors.js';
import type { Streams } from '../hub/streams.js';
import type { UpdatesOfHub } from '../hub/updates.js';
import type { CheckedOptions, User } from '../options.js';
import { type Claims, checkSubject, type TokenIssuer } from '../tokens/index.js';
import { nameFault } from '../tokens/names.js';
import { corsHeaders, preflightHeaders } from './cors.js';
import { isObject, parse, readPublish } from './publish-body.js';
import { type EventsQuery, readQuery } from './query.js';
import { RateLimit } from './rate.js';
import { json, problem, refuse, type ServerRequest, type TextReply } from './reply.js';
import { LiveRights, userOf } from './rights.js';

/** What the routes work with. */
export interface RouterParts {
  readonly options: CheckedOptions;
  readonly streams: Streams;
  // biome-ignore lint/suspicious/noExplicitAny: the routes do not know the application's updates.
  readonly updates: UpdatesOfHub<any>;
  readonly issuer: TokenIssuer;
  readonly counters: Counters;
  /** No stream is opened any more. */
  isClosing(): boolean;
}

/** What happened at the routes. */
export class Counters {
  readonly opened: Record<Transport, number> = { native: 0, fetch: 0 };
  readonly shed: Record<Transport, number> = { native: 0, fetch: 0 };
  readonly refused = new Map<string, number>();
}

export type Transport = 'native' | 'fetch';

const MINUTE = 60_000;
const HARDENED = { 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' };
const NO_STORE = { 'cache-control': 'no-store' };
const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'tinysse-wire': '1',
  // nginx would hold frames back otherwise.
  'x-accel-buffering': 'no',
};
const JWK_SET = { 'content-type': 'application/jwk-set+json', 'cache-control': 'public, max-age=60' };
const AHEAD = 86_400;

/** Answers, or has answered with a stream. */
type Reply = TextReply | undefined;
type Handler = (request: ServerRequest) => Reply | Promise<Reply>;

/** Answers requests for the hub. */
export class Router {
  readonly #parts: RouterParts;
  readonly #routes = new Map<string, Partial<Record<string, Handler>>>();
  readonly #users: RateLimit;
  readonly #addresses: RateLimit;
  readonly #live: LiveRights;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    this.#live = new LiveRights(parts.options.rights, parts.streams, (error) => parts.updates.report(error));
    const { basePath, limits, publishKey } = parts.options;
    this.#users = new RateLimit(limits.tokensPerUser, MINUTE);
    this.#addresses = new RateLimit(limits.tokensPerAddress, MINUTE);
    const route = (path: string, methods: Partial<Record<string, Handler>>) =>
      this.#routes.set(basePath + path, methods);
    route('/events', { GET: (request) => this.#events(request) });
    route('/auth/sse-token', { POST: (request) => this.#token(request) });
    route('/cursor', { GET: (request) => this.#cursor(request) });
    route('/.well-known/jwks.json', {
      GET: async () => json(await parts.issuer.jwks(), JWK_SET),
    });
    if (publishKey === undefined) return;
    route('/publish', { POST: (request) => this.#publish(request) });
    route('/revoke', { POST: (request) => this.#revoke(request) });
    route('/rights', { POST: (request) => this.#rights(request) });
  }

  /** True for a path of the hub. */
  has(path: string): boolean {
    return this.#routes.has(path);
  }

  /** Answers a request. `undefined` if it was answered with a stream. Never rejects. */
  async handle(request: ServerRequest): Promise<TextReply | undefined> {
    const reply = await this.#answer(request).catch((error: unknown) => this.#refusal(error));
    return reply && { ...reply, headers: { ...reply.headers, ...this.#every(request) } };
  }

  /** The headers of every answer. */
  #every(request: ServerRequest): Record<string, string> {
    return { ...HARDENED, ...corsHeaders(this.#parts.options.cors, request.header('origin')) };
  }

  async #answer(request: ServerRequest): Promise<Reply> {
    const methods = this.#routes.get(request.path);
    if (!methods) throw refuse(404, 'not_found', 'nothing has this address');
    const handler = methods[request.method];
    if (handler) return handler(request);
    if (request.method === 'OPTIONS') return { status: 200, headers: { ...preflightHeaders }, body: '' };
    const refusal = problem(refuse(405, 'method_not_allowed', 'this address answers other methods'));
    return { ...refusal, headers: { ...refusal.headers, allow: Object.keys(methods).join(',') } };
  }

  #refusal(error: unknown): TextReply {
    if (error instanceof HubError && error.status !== undefined) {
      const { refused } = this.#parts.counters;
      if ([401, 403, 429].includes(error.status)) refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
      return problem(error);
    }
    this.#parts.updates.report(error);
    return problem(refuse(500, 'internal', 'the server failed; its log says why'));
  }

  async #events(request: ServerRequest): Promise<Reply> {
    const { options, streams, issuer, counters } = this.#parts;
    const query = readQuery(request.query);
    if (query.types) streams.read((hub) => hub.checkTypes(query.types ?? ''));
    const bearer = bearerOf(request);
    const transport: Transport = bearer === undefined ? 'native' : 'fetch';
    // Without waiting where that is possible: streams that come back at once are many.
    const verified = issuer.check(bearer ?? query.token);
    const claims = verified instanceof Promise ? await verified : verified;
    const rights = options.rights ? await this.#live.of(userOf(claims)) : userOf(claims);
    if (rights === 'gone') throw gone();
    if (rights === 'unknown' || this.#isFull(claims.sub) || !issuer.consume(claims)) return this.#away(transport);
    // A revocation since the token was verified did not find this stream yet.
    if (issuer.isRevoked(claims)) throw gone();
    const sink = request.stream({ ...STREAM_HEADERS, ...this.#every(request) });
    if (!sink) {
      issuer.giveBack(claims);
      return undefined;
    }
    counters.opened[transport] += 1;
    streams.open(this.#askOf(request, query, claims, rights), sink, claims);
    return undefined;
  }

  #askOf(request: ServerRequest, query: EventsQuery, claims: Claims, rights: User) {
    const { options, streams } = this.#parts;
    const left = claims.exp * 1_000 - Date.now();
    return {
      name: `c${randomName()}`,
      rights,
      types: query.types,
      // On a native retry the address is old and the header new.
      cursor: request.header('last-event-id') || query.lastEventId,
      folded: query.wire === 'native',
      chunked: request.chunked,
      ends: options.endWithToken ? streams.now() + Math.max(left, 1) : 0,
    };
  }

  #isFull(user: string): boolean {
    const { options, streams } = this.#parts;
    if (this.#parts.isClosing() || streams.count >= options.limits.streams) return true;
    return streams.countOf(user) >= options.limits.streamsPerUser;
  }

  /** Sends a client away, with a time to come back. */
  #away(transport: Transport): Reply {
    const { options, streams, counters } = this.#parts;
    const wait = options.settings.retry + streams.read((hub) => hub.jitter(5_000));
    counters.shed[transport] += 1;
    if (transport === 'fetch') throw refuse(503, 'busy', 'no stream can be opened now', wait / 1_000);
    // A native client takes every status but 200 for final.
    return { status: 200, headers: STREAM_HEADERS, body: streams.read((hub) => hub.goodbye(wait)) };
  }

  async #token(request: ServerRequest): Promise<Reply> {
    const { options, streams } = this.#parts;
    if (this.#isService(request)) return this.#tokenFor(await this.#subject(request));
    const address = addressOf(request, options.trustProxy === true);
    if (address !== undefined) wait(this.#addresses.take(address, streams.now()));
    const user = await options.identify?.(request.subject());
    if (!user) throw refuse(401, 'unauthenticated', 'log in first');
    return this.#tokenFor(user);
  }

  async #tokenFor(user: User): Promise<Reply> {
    const { issuer, streams } = this.#parts;
    // First, so that no name without a bound becomes the key of a bucket.
    checkSubject(user);
    wait(this.#users.take(user.user, streams.now()));
    const token = await issuer.issue(user);
    const rights = await this.#live.of(user);
    if (rights === 'gone') throw refuse(403, 'forbidden', 'this user may not open a stream');
    if (rights === 'unknown') throw refuse(503, 'busy', "the rights of this user can't be determined now", 2);
    return json({ token, expires_in: Math.floor(issuer.ttl / 1_000), user: user.user }, NO_STORE);
  }

  /** On behalf of which user a service asks for a token. */
  async #subject(request: ServerRequest): Promise<User> {
    const body = await this.#json(request);
    const names = ['user', 'role', 'channels', 'session'];
    const unknown = Object.keys(body).find((name) => !names.includes(name));
    if (unknown !== undefined) throw refuse(400, 'bad_json', `unknown member \`${unknown}\``);
    const { user, role, channels, session } = body as Record<string, unknown>;
    const isText = (value: unknown) => value === undefined || value === null || typeof value === 'string';
    const isTexts = channels === undefined || channels === null || (Array.isArray(channels) && channels.every(isText));
    if (typeof user !== 'string' || !isText(role) || !isText(session) || !isTexts) {
      throw refuse(400, 'bad_json', '`user`, `role` and `session` are texts, `channels` is a list of texts');
    }
    return { user, role: role ?? undefined, channels: channels ?? undefined, session: session ?? undefined } as User;
  }

  async #publish(request: ServerRequest): Promise<Reply> {
    this.#checkService(request);
    const key = request.header('idempotency-key');
    if (key !== undefined && !/^[\x21-\x7e\x20]{1,255}$/.test(key)) {
      throw refuse(400, 'bad_idempotency_key', '1 to 255 visible characters');
    }
    const bytes = await this.#bytes(request);
    const body = readPublish(bytes, Date.now());
    const receipt = key === undefined ? undefined : { key, fingerprint: await fingerprint(bytes) };
    const { updates } = this.#parts;
    let ids: string[];
    if ('updates' in body) ids = updates.publishAll(body.updates, receipt);
    else if (body.resync === null) ids = [updates.announceEverything(receipt)];
    else
      ids = updates.publishAll(
        body.resync.map((type) => ({ type, at: Date.now() })),
        receipt,
      );
    return json({ ids, durability: 'memory' });
  }

  async #revoke(request: ServerRequest): Promise<Reply> {
    this.#checkService(request);
    const { user, jti, before, ...rest } = (await this.#json(request)) as Record<string, unknown>;
    const unknown = Object.keys(rest)[0];
    if (unknown !== undefined) throw refuse(400, 'bad_json', `unknown member \`${unknown}\``);
    const given = [user, jti, before].filter((value) => value !== undefined && value !== null);
    if (given.length !== 1) throw refuse(400, 'bad_request', 'give one of user, jti and before');
    if (typeof user === 'string') return json({ closed: this.revoke({ user }) });
    if (typeof jti === 'string') return json({ closed: this.revoke({ jti }) });
    if (typeof before !== 'number' || !Number.isSafeInteger(before) || before < 0) {
      throw refuse(400, 'bad_json', '`user` and `jti` are texts, `before` is a whole number');
    }
    if (before > Date.now() / 1_000 + AHEAD) {
      throw refuse(400, 'bad_request', 'before is in seconds since 1970, and at most a day ahead');
    }
    return json({ closed: this.revoke({ before }) });
  }

  /** Ends streams and tokens. Returns how many streams ended. */
  revoke(whom: { user: string } | { jti: string } | { before: number }): number {
    const { issuer, streams } = this.#parts;
    issuer.revoke(whom);
    let closed = 0;
    for (const stream of streams.all((open) => issuer.isRevoked(open.owner as Claims))) {
      streams.bye(stream, 'revoked');
      closed += 1;
    }
    return closed;
  }

  async #rights(request: ServerRequest): Promise<Reply> {
    this.#checkService(request);
    const { user, ...rest } = (await this.#json(request)) as Record<string, unknown>;
    const unknown = Object.keys(rest)[0];
    if (unknown !== undefined) throw refuse(400, 'bad_json', `unknown member \`${unknown}\``);
    if (user !== undefined && user !== null && typeof user !== 'string') {
      throw refuse(400, 'bad_json', '`user` is a text');
    }
    const fault = typeof user === 'string' ? nameFault('user', user) : undefined;
    if (fault) throw refuse(400, 'bad_request', fault);
    return json({ changed: await this.rightsChanged(user ?? undefined) });
  }

  /** Determines the rights of open streams again. Returns how many have other ones. */
  rightsChanged(user: string | undefined): Promise<number> {
    return this.#live.changed(user);
  }

  async #cursor(request: ServerRequest): Promise<Reply> {
    const { options, streams } = this.#parts;
    if (!this.#isService(request) && !(await options.identify?.(request.subject()))) {
      throw refuse(401, 'unauthenticated', 'log in first');
    }
    const cursor = streams.read((hub) => hub.cursor());
    return json({ cursor }, { ...NO_STORE, 'tinysse-cursor': cursor });
  }

  #isService(request: ServerRequest): boolean {
    const { publishKey } = this.#parts.options;
    const shown = bearerOf(request);
    return publishKey !== undefined && shown !== undefined && same(shown, publishKey);
  }

  #checkService(request: ServerRequest): void {
    if (bearerOf(request) === undefined) throw refuse(401, 'unauthenticated', 'show the publish key as bearer');
    if (!this.#isService(request)) throw refuse(401, 'unauthenticated', 'this is not the publish key');
  }

  async #json(request: ServerRequest): Promise<Record<string, unknown>> {
    const value = parse(await this.#bytes(request));
    if (!isObject(value)) throw refuse(400, 'bad_json', 'the body is an object');
    return value;
  }

  #bytes(request: ServerRequest): Promise<Uint8Array> {
    const type = request.header('content-type')?.split(';')[0]?.trim().toLowerCase();
    // Also a guard: a foreign page can't send this type without asking (CORS preflight).
    if (type !== 'application/json') {
      throw refuse(415, 'unsupported_media_type', 'send content-type: application/json');
    }
    return request.body(this.#parts.options.limits.bodySize);
  }
}

function gone() {
  return refuse(401, 'token_revoked', 'the rights behind this token are gone; log in again');
}

function bearerOf(request: ServerRequest): string | undefined {
  const shown = (request.header('authorization') ?? '').trim();
  // What is no token counts all the same: never a silent downgrade to the token of the address.
  return /^bearer /i.test(shown) ? shown.slice('bearer '.length).trim() : undefined;
}

function addressOf(request: ServerRequest, trustProxy: boolean): string | undefined {
  const forwarded = trustProxy ? request.header('x-forwarded-for')?.split(',').at(-1)?.trim() : undefined;
  return forwarded || request.address;
}

function wait(ms: number): void {
  if (ms > 0) throw refuse(429, 'too_many_requests', 'too many requests from here; come again later', ms / 1_000);
}

/** Compares in a time that does not depend on where two texts differ. */
function same(a: string, b: string): boolean {
  let different = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) different |= a.charCodeAt(at) ^ b.charCodeAt(at % b.length);
  return different === 0;
}

async function fingerprint(body: Uint8Array): Promise<[number, number]> {
  const digest = new DataView(await crypto.subtle.digest('SHA-256', body as Uint8Array<ArrayBuffer>));
  return [digest.getUint32(0), digest.getUint32(4)];
}

function randomName(): string {
  return crypto.randomUUID().replaceAll('-', '').slice(0, 24);
}
