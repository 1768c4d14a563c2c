// Loaded by the first client that logs.

import type { Plugin, WasmClient, WasmOptions } from '../loader/wasm.js';
import type { Client } from '../model/client.js';
import type { SseError } from '../model/errors.js';
import type { LogEntry, TokenAnswer } from '../model/options.js';
import { redact } from '../model/redact.js';
import type { Snapshot } from '../model/snapshot.js';
import { peek, tokenOf } from '../token/answer.js';
import { inside } from './stats.js';

/**
 * Where the log goes: to a function of the app, and to the console if `debug` asks for it
 * (`verbose`: with every update).
 */
export interface LogTo {
  readonly log: ((entry: LogEntry) => void) | undefined;
  readonly debug: string | null;
  /** Takes what `log` throws. */
  readonly report: (thrown: unknown) => void;
}

/** Tokens of the past that are still looked for. */
const rememberedTokens = 8;
/** An error may have one as its cause, which may have one, and so on. */
const deepestCause = 4;

/**
 * Logs what the client does. Changes `options.token`, to see the questions and to learn which words
 * are secret.
 */
export function logging(client: Client<Record<string, unknown>>, options: WasmOptions, to: LogTo): Plugin {
  const { log, debug, report } = to;
  const tokens: string[] = [];
  const clean = (text: string) => redact(text, tokens);
  const write = (level: LogEntry['level'], what: LogEntry['what'], detail: unknown, to = log) => {
    const entry: LogEntry = Object.freeze({ at: Date.now(), level, what, detail });
    try {
      if (debug) console.debug('tinysse', level, what, detail);
      to?.(entry);
    } catch (thrown) {
      report(thrown);
    }
  };

  const provider = options.token;
  if (provider) {
    options.token = async (ask) => {
      write('debug', 'token', ask.reason);
      const answer = await provider(ask);
      learn(tokens, answer);
      return answer;
    };
  }
  let watched: WasmClient | undefined;
  let seen = '';
  /** What led to a new status. */
  const transitions = () => {
    const lines = inside(watched).transitions;
    for (const line of lines.slice(lines.lastIndexOf(seen) + 1)) write('debug', 'transition', clean(line));
    seen = lines.at(-1) ?? seen;
  };
  const status = ({ status, role, attempt, retryAt, clientId, lastEventId }: Snapshot) => {
    transitions();
    const detail = {
      status,
      role,
      attempt,
      retryAt,
      clientId: clientId && clean(clientId),
      lastEventId: clean(lastEventId),
    };
    write('info', 'status', detail);
  };
  const failure = (error: SseError) => write(error.retryable ? 'warn' : 'error', 'error', plain(error, clean));
  const now = client.getSnapshot();
  status(now);
  if (now.error) failure(now.error);
  client.onStatus(status);
  client.onError(failure);
  client.onResync(({ gap, types }) => {
    write(gap === 'first' ? 'info' : 'warn', 'resync', { gap, types: types?.map(clean) ?? null });
  });
  if (debug === 'verbose') {
    const none = () => {};
    client.subscribe('*', ({ type, id, replayed }) => write('debug', 'update', { type, id, replayed }, none));
  }
  return (wasm) => {
    watched = wasm;
    return wasm;
  };
}

function learn(tokens: string[], answer: TokenAnswer): void {
  const token = tokenOf(answer);
  // Short ones are no secret, and would black out half of every line.
  if (!token || token.length < 4 || tokens.includes(token)) return;
  tokens.push(token);
  if (tokens.length > rememberedTokens) tokens.shift();
}

/**
 * An error as plain data. Of a cause only its words are taken: it may hold a request, with all its
 * headers.
 */
function plain(error: SseError, clean: (text: string) => string): object {
  const causes: string[] = [];
  let cause = error.cause;
  while (cause !== undefined && cause !== null && causes.length < deepestCause) {
    causes.push(clean(String(peek(cause, 'message') ?? cause)));
    cause = (cause as { cause?: unknown }).cause;
  }
  const { code, status, retryable } = error;
  return { code, message: clean(error.message), status, retryable, causes };
}
