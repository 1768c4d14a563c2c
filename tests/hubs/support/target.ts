// What a hub is to the suite: settings in, an address out. Nothing else of it is used.

/** What the hub asks about rights, and what it is answered. */
export interface Rights {
  readonly role?: string | undefined;
  readonly channels?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
}

/** Returns what a user may see now, or `null` for nothing any more. May fail. */
export type RightsOf = (user: string) => Rights | null;

/** The rules for slow readers. */
export type SlowRule = 'deliver' | 'coalesce' | 'resync' | 'disconnect';

/** The settings that both hubs have. Durations are in milliseconds. */
export interface Settings {
  readonly maxCount?: number;
  readonly maxBytes?: number;
  readonly heartbeat?: number;
  readonly retry?: number;
  readonly linger?: number;
  readonly tokenTtl?: number;
  readonly singleUse?: boolean;
  readonly endWithToken?: boolean;
  readonly streams?: number;
  readonly streamsPerUser?: number;
  /** In a minute. */
  readonly tokensPerUser?: number;
  /** In a minute; an address is the one that a trusted proxy names. */
  readonly tokensPerAddress?: number;
  readonly streamAge?: number;
  readonly stallTimeout?: number;
  readonly spread?: number;
  readonly cors?: readonly string[];
  readonly slowLag?: number;
  readonly slowRules?: Readonly<Record<string, SlowRule>>;
  readonly coalesce?: Readonly<Record<string, number>>;
  readonly rights?: RightsOf;
}

/** What every target has unless a test sets it. */
export const USUAL = {
  maxCount: 10_000,
  maxBytes: 16 << 20,
  heartbeat: 15_000,
  retry: 2_500,
  linger: 50,
  tokenTtl: 60_000,
  streams: 10_000,
  streamsPerUser: 100,
  streamAge: 3_600_000,
  stallTimeout: 30_000,
  spread: 500,
  slowLag: 100,
} as const satisfies Settings;

/** Signs the tokens of every target (HS256). */
export const SECRET = 'the-secret-of-the-suite-for-both-hubs';
/** What services authenticate with at every target. */
export const PUBLISH_KEY = 'the-publish-key-of-the-suite';

/** A running hub. */
export interface RunningHub {
  /** Scheme, host and port. */
  readonly url: string;
  /** Logs a user in. Returns the headers by which the user's requests are known. */
  logIn(user: string, role?: string, channels?: readonly string[]): Promise<Record<string, string>>;
  /** The metrics in the text format of Prometheus. */
  metrics(): Promise<string>;
  /** Begins to shut down. Resolves when the hub has ended by itself. */
  drain(): Promise<void>;
  /** Ends it, however. */
  stop(): Promise<void>;
  /** Publishes as code inside the process does; absent where none of it is inside. */
  readonly notify?: ((type: string, data: unknown) => void) | undefined;
}

/** A hub that can be started. */
export interface Target {
  readonly name: 'tinysse-server' | 'hub.node' | 'hub.fetch';
  /** Why it cannot be started here; `undefined` if it can. */
  readonly missing?: string | undefined;
  start(settings: Settings): Promise<RunningHub>;
}
