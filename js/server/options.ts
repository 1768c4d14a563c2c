// The options of `createHub`, checked.
import { badOption, type HubError } from './errors.js';
import type { IdentifyRequest } from './http/reply.js';
import type { HubSettings } from './hub/instance.js';
import type { TokenIssuerOptions } from './tokens/index.js';

/** Who a user is, and what they may see. */
export interface User {
  /** The name of the user: 1 to 255 bytes without control characters. */
  readonly user: string;
  /** One role. */
  readonly role?: string | undefined;
  /** Channels by name or pattern: `ops.*` is one segment more, `ops.>` any number. */
  readonly channels?: readonly string[] | undefined;
  /** The types that the user may see, such as `['projects', 'news.*']`. All by default. */
  readonly types?: readonly string[] | undefined;
  /** The application's own name of the login: `hub.revoke({ jti })` of it ends its streams. */
  readonly session?: string | undefined;
}

/** What a slow reader gets of a type; see `docs/server.md`, Slow readers. */
export type SlowRule = 'deliver' | 'coalesce' | 'resync' | 'disconnect';

/** The options of {@link createHub}. Durations are in milliseconds. */
export interface HubOptions {
  /**
   * Returns who makes a request for a token, or `null` for a visitor who is not logged in. Without
   * it, tokens are issued by {@link TinysseHub.issueToken} alone.
   */
  readonly identify?:
    | ((request: IdentifyRequest) => User | null | undefined | Promise<User | null | undefined>)
    | undefined;
  /**
   * Returns what a user may see now, or `null` for one who may see nothing any more. Asked when a
   * stream opens, and for open streams by {@link TinysseHub.rightsChanged}. Without it, users have
   * what `identify` returned.
   */
  readonly rights?: ((user: User) => User | null | undefined | Promise<User | null | undefined>) | undefined;
  /**
   * Signs tokens (HS256), 32 bytes or more. Of several the first signs and all verify, so that a
   * secret can be replaced. Omitted: random, with a warning; an error if `NODE_ENV` is `production`.
   */
  readonly secret?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /**
   * Ed25519 keys: the first private one signs, all verify, and `/.well-known/jwks.json` shows the
   * public halves. Each half is a PEM text, a JWK or a CryptoKey.
   */
  readonly keys?: TokenIssuerOptions['keys'];
  /** `iss` of tokens. `tinysse` by default. */
  readonly issuer?: string | undefined;
  /** How long a token is valid. 60,000 by default. */
  readonly tokenTtl?: number | undefined;
  /** A token opens one stream only. */
  readonly singleUse?: boolean | undefined;
  /** Streams end with their tokens; clients open the next one without a break. */
  readonly endWithToken?: boolean | undefined;
  /** What services show as bearer to publish and revoke over HTTP. Without it those routes do not exist. */
  readonly publishKey?: string | undefined;
  /** What the routes begin with. `/` by default. */
  readonly basePath?: string | undefined;
  /** Bounds of the log: what is older or more is not replayed but announced as a gap. */
  readonly log?:
    | {
        /** Updates; 10,000 by default. */
        readonly maxCount?: number | undefined;
        /** An hour by default. */
        readonly maxAge?: number | undefined;
        /** Bytes; 16 MiB by default. */
        readonly maxBytes?: number | undefined;
      }
    | undefined;
  /** A stream that is silent for so long gets a beat. 15,000 by default. */
  readonly heartbeat?: number | undefined;
  /** The browser's own reconnection time. 2,500 by default. */
  readonly retry?: number | undefined;
  /** How long a stream stays open behind a planned end. 5,000 by default. */
  readonly linger?: number | undefined;
  /** Windows by type or pattern, in which the latest update of each key counts: `{ progress: 200 }`. */
  readonly coalesce?: Readonly<Record<string, number>> | undefined;
  /** Refetches a second that clients are asked to keep to; 0 asks nothing. 500 by default. */
  readonly spread?: number | undefined;
  /** Readers that do not keep up. */
  readonly slow?:
    | {
        /** Updates that may wait for a connection that takes no bytes. 100 by default. */
        readonly lag?: number | undefined;
        /** By type or pattern; `deliver` by default. */
        readonly rules?: Readonly<Record<string, SlowRule>> | undefined;
      }
    | undefined;
  /** Bounds of streams, requests and connections. */
  readonly limits?:
    | {
        /** Streams at a time. 10,000 by default. */
        readonly streams?: number | undefined;
        /** Streams of one user at a time. 100 by default. */
        readonly streamsPerUser?: number | undefined;
        /** Tokens of one user in a minute. 120 by default; 0 for any number. */
        readonly tokensPerUser?: number | undefined;
        /** Tokens of one address in a minute. 1,200 by default; 0 for any number. */
        readonly tokensPerAddress?: number | undefined;
        /** Bytes of a request body. 1 MiB by default. */
        readonly bodySize?: number | undefined;
        /** How long a connection may take no bytes. 30,000 by default. */
        readonly stallTimeout?: number | undefined;
        /** Streams are asked to reopen before they are this old. An hour by default; 0 never. */
        readonly streamAge?: number | undefined;
      }
    | undefined;
  /** Origins that browsers may call from, such as `https://app.example`. */
  readonly cors?: readonly string[] | undefined;
  /** Believe `X-Forwarded-For`: a proxy of yours is in front and replaces it. */
  readonly trustProxy?: boolean | undefined;
  /** Receives errors that no caller receives: refused notifications, exceptions of listeners. */
  readonly onError?: ((error: HubError) => void) | undefined;
}

/** The options with their defaults. */
export interface CheckedOptions extends HubOptions {
  readonly settings: HubSettings;
  readonly basePath: string;
  readonly cors: readonly string[];
  readonly limits: {
    readonly streams: number;
    readonly streamsPerUser: number;
    readonly tokensPerUser: number;
    readonly tokensPerAddress: number;
    readonly bodySize: number;
  };
  readonly onError: (error: HubError) => void;
}

const RULES: readonly string[] = ['deliver', 'coalesce', 'resync', 'disconnect'] satisfies SlowRule[];
/** A name, `prefix.*` or `*`, as the hub reads it. */
const PATTERN = /^(?:\*|[A-Za-z0-9._:-]{1,126}\.\*|[A-Za-z0-9._:-]{1,128})$/;
const MOST = 0x7fff_ffff;

const KNOWN = {
  '': [
    ...['identify', 'rights', 'secret', 'keys', 'issuer', 'tokenTtl', 'singleUse', 'endWithToken', 'publishKey'],
    ...['basePath', 'log', 'heartbeat', 'retry', 'linger', 'coalesce', 'spread', 'slow', 'limits', 'cors'],
    ...['trustProxy', 'onError'],
  ],
  log: ['maxCount', 'maxAge', 'maxBytes'],
  slow: ['lag', 'rules'],
  limits: [
    ...['streams', 'streamsPerUser', 'tokensPerUser', 'tokensPerAddress', 'bodySize', 'stallTimeout', 'streamAge'],
  ],
} as const;

/** Checks options and fills in defaults. Throws an error that names the option. */
export function checkOptions(options: HubOptions): CheckedOptions {
  known(options, '');
  const { log = {}, slow = {}, limits = {} } = options;
  known(log, 'log');
  known(slow, 'slow');
  known(limits, 'limits');
  functions(options);
  for (const name of ['singleUse', 'endWithToken', 'trustProxy'] as const) flag(options[name], name);
  const bounded = {
    streams: whole(limits.streams, 'limits.streams', 10_000, 1),
    streamsPerUser: whole(limits.streamsPerUser, 'limits.streamsPerUser', 100, 1),
    tokensPerUser: whole(limits.tokensPerUser, 'limits.tokensPerUser', 120, 0),
    tokensPerAddress: whole(limits.tokensPerAddress, 'limits.tokensPerAddress', 1_200, 0),
    bodySize: whole(limits.bodySize, 'limits.bodySize', 1 << 20, 1),
  };
  const { publishKey, issuer } = options;
  if (publishKey !== undefined && (typeof publishKey !== 'string' || publishKey.length < 16)) {
    throw badOption('publishKey', 'a text of 16 characters or more');
  }
  if (issuer !== undefined && (typeof issuer !== 'string' || issuer === '')) throw badOption('issuer', 'a text');
  return {
    ...options,
    settings: {
      maxCount: whole(log.maxCount, 'log.maxCount', 10_000, 1),
      maxAge: whole(log.maxAge, 'log.maxAge', 3_600_000, 1),
      maxBytes: whole(log.maxBytes, 'log.maxBytes', 16 << 20, 1_024),
      heartbeat: whole(options.heartbeat, 'heartbeat', 15_000, 1_000),
      retry: whole(options.retry, 'retry', 2_500, 100),
      linger: whole(options.linger, 'linger', 5_000, 0),
      spread: whole(options.spread, 'spread', 500, 0),
      slowLag: whole(slow.lag, 'slow.lag', 100, 0),
      slowRules: rules(slow.rules ?? {}),
      windows: windows(options.coalesce ?? {}),
      maxStreamAge: whole(limits.streamAge, 'limits.streamAge', 3_600_000, 0),
      stallTimeout: whole(limits.stallTimeout, 'limits.stallTimeout', 30_000, 100),
      external: false,
    },
    tokenTtl: whole(options.tokenTtl, 'tokenTtl', 60_000, 1_000),
    basePath: basePath(options.basePath ?? '/'),
    cors: origins(options.cors ?? []),
    limits: bounded,
    onError: options.onError ?? ((error) => console.error(`tinysse: ${error.message}`)),
  };
}

function known(given: unknown, group: keyof typeof KNOWN): void {
  const of = group === '' ? 'createHub' : group;
  if (typeof given !== 'object' || given === null) throw badOption(of, 'an object');
  for (const name of Object.keys(given)) {
    const names: readonly string[] = KNOWN[group];
    if (names.includes(name)) continue;
    const full = group === '' ? name : `${group}.${name}`;
    throw badOption(full, `there is no such option; ${of} takes ${names.join(', ')}`);
  }
}

function functions(options: HubOptions): void {
  for (const name of ['identify', 'rights', 'onError'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function') throw badOption(name, 'a function');
  }
}

function flag(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'boolean') throw badOption(name, 'true or false');
}

function whole(value: number | undefined, name: string, otherwise: number, least: number): number {
  if (value === undefined) return otherwise;
  if (Number.isInteger(value) && value >= least && value <= MOST) return value;
  throw badOption(name, `a whole number from ${least} to ${MOST}, not ${String(value)}`);
}

function rules(given: Readonly<Record<string, SlowRule>>): [string, string][] {
  return Object.entries(given).map(([pattern, rule]) => {
    if (!PATTERN.test(pattern)) throw badOption(`slow.rules.${pattern}`, 'the name is no type, `prefix.*` or `*`');
    if (!RULES.includes(rule)) throw badOption(`slow.rules.${pattern}`, `one of ${RULES.join(', ')}`);
    return [pattern, rule];
  });
}

function windows(given: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(given).map(([pattern, ms]) => {
    if (!PATTERN.test(pattern)) throw badOption(`coalesce.${pattern}`, 'the name is no type, `prefix.*` or `*`');
    return [pattern, whole(ms, `coalesce.${pattern}`, 0, 0)];
  });
}

function basePath(path: string): string {
  if (typeof path !== 'string' || !path.startsWith('/')) throw badOption('basePath', 'a path that begins with `/`');
  return path.replace(/\/+$/, '');
}

function origins(given: readonly string[]): readonly string[] {
  if (!Array.isArray(given)) throw badOption('cors', 'a list of origins');
  for (const origin of given) {
    const parsed = typeof origin === 'string' && URL.canParse(origin) ? new URL(origin).origin : undefined;
    if (parsed === origin) continue;
    throw badOption('cors', `${JSON.stringify(origin)} is no origin, such as "https://app.example"`);
  }
  return given;
}
