// A double of the wasm module.
import { idle } from '../../../js/client/snapshot.js';
import type { Wasm, WasmClient, WasmOptions, WasmSnapshot } from '../../../js/loader/wasm.js';
import type { TokenAnswer } from '../../../js/model/options.js';
import type { Gap } from '../../../js/model/snapshot.js';
import type { Update } from '../../../js/model/update.js';
import type { Inside } from '../../../js/plugins/stats.js';

/**
 * Replaces the module where the test must send what the wasm sends, or must see what it is sent.
 * Each made is in `made`.
 */
export class Double implements WasmClient {
  static made: Double[] = [];
  static get last(): Double {
    const last = Double.made.at(-1);
    if (!last) throw new Error('none was made');
    return last;
  }

  readonly given: WasmOptions;
  readonly calls: string[] = [];
  readonly subscriptions = new Map<number, (update: Update) => void>();
  raw: WasmSnapshot = { ...idle, error: null };
  detail: Inside = { connects: [], gaps: [], transitions: [] };
  status: ((snapshot: WasmSnapshot) => void) | undefined;
  resync: ((resync: { gap: Gap; types: string[] | null }) => void) | undefined;
  #ids = 0;

  constructor(options: WasmOptions) {
    this.given = { ...options };
    const user = options.user ?? options.cursorUser ?? null;
    this.raw = { ...this.raw, lastEventId: options.lastEventId ?? '', user };
    Double.made.push(this);
  }

  start = () => void this.calls.push('start');
  stop = () => void this.calls.push('stop');
  close = () => void this.calls.push('close');
  pause = () => void this.calls.push('pause');
  resume = () => void this.calls.push('resume');
  reconnect = () => void this.calls.push('reconnect');
  setUser = (user: string): void => void this.calls.push(`user ${user}`);
  forget = (): void => void this.calls.push('forget');
  free = () => void this.calls.push('free');
  subscribe = (_: string | readonly string[], fn: (update: Update) => void) => {
    this.#ids += 1;
    this.subscriptions.set(this.#ids, fn);
    return this.#ids;
  };
  unsubscribe = (id: number) => this.subscriptions.delete(id);
  onStatus = (fn: typeof this.status) => {
    this.status = fn;
  };
  onResync = (fn: typeof this.resync) => {
    this.resync = fn;
  };
  snapshot = () => this.raw;
  inspect = () => {
    const { connects, gaps, transitions } = this.detail;
    const all = 9;
    const counts = [...connects, ...Array<number>(all).fill(0)].slice(0, all).concat(gaps);
    return { counts, trace: transitions.join('\n'), inputs: [] };
  };

  say(over: Partial<WasmSnapshot>): void {
    this.raw = { ...this.raw, ...over };
    this.status?.(this.raw);
  }

  transition(line: string): void {
    const { connects, gaps, transitions } = this.detail;
    this.detail = { connects, gaps, transitions: [...transitions, line] };
  }

  update(over: Partial<Update> = {}): void {
    const update = { type: 'a', data: undefined, id: '1.1', replayed: false, ...over } as Update;
    for (const fn of this.subscriptions.values()) fn(update);
  }

  /** Asks the token provider, as the wasm would. */
  ask(
    reason: 'initial' | 'rejected' | 'expired' = 'initial',
    signal = new AbortController().signal,
  ): Promise<TokenAnswer> {
    return Promise.resolve(this.given.token?.({ reason, signal }) ?? '');
  }
}

/** What `loadWasm` gives. */
export const doubles: Wasm = { SseClient: Double };

/** A token that names its user, without a signature. */
export function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part(claims)}.c2lnbmF0dXJl`;
}
