// The differences between the Rust server and the hub in Node: what only one of them has. They are
// listed in docs/server.md, in the same order. Every flag and option is one of both hubs, or here.
import type { Target } from './target.js';

/** What belongs to a difference. */
interface Difference {
  /** Flags of the server without an option that does the same. */
  readonly flags?: readonly string[];
  /** Options of `createHub` without a flag that does the same. */
  readonly options?: readonly string[];
  /** Requests that only the server answers otherwise than with 404. */
  readonly requests?: readonly string[];
}

/** The differences, by the names that docs/server.md gives them. */
export const DIFFERENCES = {
  Configuration: { flags: ['config', 'listen', 'reload-every', 'clock-skew'], options: ['basePath', 'onError'] },
  'Stored log': { flags: ['data', 'memory', 'durability', 'revocations'] },
  'Several nodes': { flags: ['redis', 'redis-prefix', 'redis-ca'] },
  HTTPS: { flags: ['tls-cert', 'tls-key'] },
  Pages: { flags: ['pages'] },
  Sessions: {
    flags: [
      ...['session-ttl', 'session-jwks', 'session-issuer', 'session-audience', 'session-cookie', 'directory-ttl'],
    ],
    requests: ['GET /auth/me', 'POST /auth/logout'],
  },
  Pollers: { flags: ['poll', 'poll-every', 'poll-timeout', 'poll-lease'] },
  Operation: {
    flags: ['admin-key', 'metrics', 'otlp', 'log'],
    requests: ['GET /healthz', 'GET /readyz', 'GET /metrics'],
  },
  Development: { flags: ['dev'], requests: ['POST /auth/login', 'POST /dev/notify'] },
  Addresses: {
    flags: ['connect-rate-address', 'max-streams-address', 'max-connections', 'max-connections-address'],
  },
  Requests: { flags: ['head-timeout', 'request-timeout'], options: ['limits.bodySize'] },
  'Full logs': { flags: ['publish-waiting', 'publish-waiting-bytes'] },
  Windows: {},
  Shutdown: { flags: ['drain-window'] },
  Methods: {},
  'Body parsers': {},
} as const satisfies Record<string, Difference>;

/** On which side of a difference a target is. */
export function sideOf(_difference: keyof typeof DIFFERENCES, target: Target): 'server' | 'node' {
  return target.name === 'tinysse-server' ? 'server' : 'node';
}

/** Flags of the server, with the options of `createHub` that do the same. */
export const SAME: Readonly<Record<string, string>> = {
  secret: 'secret',
  'previous-secret': 'secret',
  'token-key': 'keys',
  'publish-key': 'publishKey',
  issuer: 'issuer',
  'token-ttl': 'tokenTtl',
  'single-use': 'singleUse',
  'end-with-token': 'endWithToken',
  directory: 'rights',
  'directory-key': 'rights',
  'session-secret': 'identify',
  beat: 'heartbeat',
  retry: 'retry',
  linger: 'linger',
  'max-stream-age': 'limits.streamAge',
  'log-max-count': 'log.maxCount',
  'log-max-age': 'log.maxAge',
  'log-max-bytes': 'log.maxBytes',
  'cors-origin': 'cors',
  batch: 'coalesce',
  slow: 'slow.rules',
  'slow-lag': 'slow.lag',
  'spread-rate': 'spread',
  'max-streams': 'limits.streams',
  'max-streams-user': 'limits.streamsPerUser',
  'stall-timeout': 'limits.stallTimeout',
  'token-rate': 'limits.tokensPerUser',
  'token-rate-address': 'limits.tokensPerAddress',
  'trusted-proxy': 'trustProxy',
};
