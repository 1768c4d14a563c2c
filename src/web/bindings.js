// What the browser does for a client: streams, questions to the token provider, the life of the page, and the functions of the
// application. Nothing is decided here: whatever happens is reported by `_notify`, which ends in `input.rs`, and what is done, Rust asks for.
//
// In JavaScript, because whatever Rust calls of a browser costs the page an import, glue and a piece of wasm, and JavaScript only its
// letters. No imports of its own: wasm-bindgen takes such a file as it is.

// The words of `_notify(word, ticket, number, wait, text)`; `input.rs` has the same, and behind them the same numbers, which
// `tests/vocabulary.rs` compares.
const TICK = 0;
const FRAME = 1;
const OPENED = 2;
const LOST = 3;
const TOKEN = 4;
const NO_TOKEN = 5;
const PAUSE = 6;
const RESUME = 7;
const WAKE = 8;
const PROBED = 10;
const START = 11;
const RECONNECT = 13;
const FORGET = 14;

// What the status of an answer carries besides: the request was redirected, the server speaks tinysse, it is a stream.
const REDIRECTED = 1000;
const HUB = 2000;
const STREAM = 4000;

// How a stream was lost.
const RETRYING = 0;
const CLOSED = 2;
const FORBIDDEN = 3;
const UNUSABLE = 4;

// Functions of the application that are no subscribers, as in `driver.rs`.
const ON_RESYNC = -2;
const ON_TABS = -3;

/** The provider answered something that is no token. */
const NONSENSE = 1;

// Reasons not to be connected: the bits of `Pause` in core.
const APPLICATION = 1;
const OFFLINE = 2;
const AWAY = 4;
const HIDDEN = 8;

/** What the network and the page report. An open connection would keep a page out of the back/forward cache. */
const NEWS = {
  online: [RESUME, OFFLINE],
  offline: [PAUSE, OFFLINE],
  pagehide: [PAUSE, AWAY],
  pageshow: [RESUME, AWAY],
  freeze: [PAUSE, AWAY],
  resume: [RESUME, AWAY],
};

/** What every `EventSource` listens to: the standard's own, our control messages, and folded updates. */
const EVENTS = ['open', 'error', 'message'].concat(
  ['update', 'hello', 'beat', 'resync', 'bye'].map((name) => `tinysse.${name}`),
);

const page = globalThis;
const nothing = () => {};

/** A property of anything; what cannot be read is `undefined`. */
const peek = (object, name) => {
  try {
    return object[name];
  } catch {}
};

/** The claim `sub` of a JWT (RFC 7519 §4.1.2). Read, not verified: it only distinguishes one user from another. */
const subject = (token) => {
  try {
    const bytes = atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)))).sub;
  } catch {}
};

/** `Retry-After` is a number of seconds or a date (RFC 9110 §10.2.3), here in milliseconds; anything else counts as nothing. */
const milliseconds = (retryAfter) => {
  const seconds = Number.parseFloat(retryAfter);
  return Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.now() : seconds * 1000;
};

const isText = (value) => typeof value === 'string';
const before = (text, end) => text.split(end, 1)[0];
const lines = (text) => (text ? text.split('\n') : null);

/** Turns the listener on or off. An object of another realm is a good target too, hence no `instanceof`. */
const listen = (on, target, names, onEvent) => {
  for (const name of names) target?.[on ? 'addEventListener' : 'removeEventListener']?.(name, onEvent);
};

/** An `Error` that the facade makes an `SseError` of. */
export const failure = (code, message, retryable) =>
  Object.assign(new Error(message), { name: 'SseError', code, retryable });

export const snapshot = (
  status,
  clientId,
  lastEventId,
  attempt,
  retryAt,
  connects,
  events,
  duplicates,
  resyncs,
  bytes,
  coalesced,
  user,
) => ({
  status,
  clientId: clientId || null,
  lastEventId,
  attempt,
  retryAt: retryAt < 0 ? null : retryAt,
  connects,
  events,
  duplicates,
  resyncs,
  bytes,
  coalesced,
  user: user || null,
});

/** Texts in one, a line each (no event's type has a line's end in it); `undefined` for what is neither a text nor a list of them. */
export const texts = (value) => {
  const list = isText(value) ? [value] : value;
  return Array.isArray(list) && list.every((one) => one && isText(one)) ? list.join('\n') : undefined;
};

/** Everything that a client holds in the browser. */
export class Page {
  constructor(options) {
    this._options = options;
    /** The last inputs: see `_record`. */
    this._inputs = [];
    this._counts = [];
    /** By ticket: what ends a stream or a question. */
    this._ends = new Map();
    /** By subscriber: the function and the types that it names. */
    this._callbacks = new Map();
    this._slept = 0;
    /** Whether an unanswered request was looked at for a redirect since the last one that was answered. */
    this._redirectChecked = false;
    this._skew = Date.now() - performance.now();
  }

  /** `onBytes(ticket, bytes)` takes what a stream of the transport `fetch` brings. */
  _connect(notify, onBytes) {
    this._notify = (word, ticket = 0, number = 0, wait = 0, text = '') => {
      this._record(word, ticket, number, wait, text);
      notify(word, ticket, number, wait, text);
    };
    this._onBytes = onBytes;
  }

  /**
   * Keeps the last inputs, of events of one type that follow one another the last: what a bug report needs. Nothing secret is kept: no
   * token, no user, and of data only that of control messages, or the type that a folded update has there.
   */
  _record(word, ticket, number, wait, text) {
    const [type, id, line] = word === FRAME ? text.split('\n', 3) : [];
    const { _inputs: inputs } = this;
    if (type && inputs.at(-1)?.[5] === type) inputs.pop();
    inputs.push([this._now(), word, ticket, number, wait, type, id, type?.startsWith('tinysse.') && line]);
    if (inputs.length > 64) inputs.shift();
  }

  /** Reports what the application asks for; a client that wants a connection listens to the page from then on. */
  _command(word, text) {
    if (this._notify === nothing) return;
    if (word === START || word === RECONNECT || word === FORGET) this._watch();
    this._notify(word, 0, APPLICATION, 0, text);
  }

  _count(count) {
    this._counts.push(count);
  }

  _inspect(trace) {
    const { _counts: counts, _inputs: inputs } = this;
    this._counts = [];
    return { counts, trace, inputs };
  }

  /** Ends everything; nobody is called any more. */
  _close() {
    this._notify = this._onBytes = this._listen = nothing;
    this._callbacks.clear();
    this._sleep(-1);
    this._unwatch?.();
    // The provider's code may run here, and find us closed.
    for (const ticket of this._ends.keys()) this._end(ticket);
  }

  _end(ticket) {
    const end = this._ends.get(ticket);
    this._ends.delete(ticket);
    end?.();
  }

  /**
   * Milliseconds that never go back. `performance.now()` may stop while the machine sleeps (W3C High Resolution Time leaves that
   * to the platform), `Date.now()` counts sleep but may be set back: so the first is trusted, and leaps of the second are added to it.
   * Less than a second is noise, or a user who sets the clock.
   */
  _now() {
    const monotonic = performance.now();
    const skew = Date.now() - monotonic;
    if (skew - this._skew > 1000) this._slept += skew - this._skew;
    this._skew = skew;
    return monotonic + this._slept;
  }

  /** Rings in this many milliseconds and not before; below 0, never. Browsers keep 31 bits of a delay (HTML §8.6); core looks again. */
  _sleep(ms) {
    clearTimeout(this._timer);
    this._timer = ms < 0 ? 0 : setTimeout(() => this._notify(TICK), Math.min(ms, 2 ** 31 - 1));
  }

  /** Listens to the network and the page, once. Workers have no document, and only learn of the network. */
  _watch() {
    if (this._unwatch) return;
    const { document, navigator } = page;
    const look = () => {
      const hidden = document?.visibilityState === 'hidden';
      if (this._options.pauseWhenHidden) this._notify(hidden ? PAUSE : RESUME, 0, HIDDEN);
      return hidden;
    };
    const onEvent = ({ type }) => {
      const news = NEWS[type];
      if (news) this._notify(news[0], 0, news[1]);
      else if (!look()) this._notify(WAKE);
    };
    const turn = (on) => {
      listen(on, page, ['online', 'offline', 'pagehide', 'pageshow'], onEvent);
      listen(on, document, ['visibilitychange', 'freeze', 'resume'], onEvent);
    };
    this._unwatch = () => turn(false);
    if (navigator?.onLine === false) this._notify(PAUSE, 0, OFFLINE);
    look();
    turn(true);
  }

  /** The stream's URL with these parameters besides the types; one without a value is left out. */
  _address(parameters) {
    const url = before(this._options.url, '#');
    const query = Object.entries({ types: this._options.types?.join(), ...parameters })
      .filter(([, value]) => value)
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    return query.length > 0 ? `${url}${url.includes('?') ? '&' : '?'}${query.join('&')}` : url;
  }

  /**
   * Keeps what ends the stream, which ends too when a policy forbids it: of that only the document is notified (CSP3 §5.3). `url` and
   * `headers` make the same request again.
   */
  _track(ticket, url, headers, end) {
    // The browser sends the user name and password of a page by itself, and `fetch` takes no address with them.
    this._lastRequest = [url.replace(/\/\/[^/?#]*@/, '//'), headers];
    // Without its fragment, and in some browsers without its query.
    const onEvent = ({ effectiveDirective, blockedURI }) => {
      if (effectiveDirective !== 'connect-src' || !isText(blockedURI)) return;
      if (before(blockedURI, '?') === before(before(url, '#'), '?')) this._notify(LOST, ticket, FORBIDDEN);
    };
    const { document } = page;
    listen(true, document, ['securitypolicyviolation'], onEvent);
    this._ends.set(ticket, () => {
      listen(false, document, ['securitypolicyviolation'], onEvent);
      end();
    });
  }

  /** The hybrid transport: the browser's own class, which retries glitches by itself. It sends no headers, so all is in the query. */
  _openEventSource(ticket, lastEventId, token) {
    let source;
    try {
      source = new EventSource(this._address({ wire: 'native', lastEventId, token }), {
        withCredentials: !!this._options.withCredentials,
      });
    } catch (thrown) {
      // The standard knows one error here, for the URL; WebKit throws what a policy forbids too, in place of an event.
      this._cause = thrown;
      return this._notify(LOST, ticket, peek(thrown, 'name') === 'SecurityError' ? FORBIDDEN : UNUSABLE);
    }
    const onEvent = ({ type, lastEventId, data }) => {
      // A message may be named `open` or `error`; only its fields distinguish it from the stream's own news.
      // No type and no id has a line's end in it.
      if (isText(lastEventId)) this._notify(FRAME, ticket, 0, 0, `${type}\n${lastEventId}\n${data}`);
      else if (type === 'open') this._notify(OPENED, ticket);
      else this._notify(LOST, ticket, source.readyState === 0 ? RETRYING : CLOSED);
    };
    // A server that does not know us does not fold: types that are asked for by name are listened to by name. Twice does no harm
    // (DOM, "add an event listener").
    this._listen = (names) => listen(true, source, names, onEvent);
    this._listen(EVENTS);
    for (const [, names] of this._callbacks.values()) this._listen(names);
    this._track(ticket, peek(source, 'url') ?? '', { Accept: 'text/event-stream' }, () => source.close());
  }

  /** Makes the request for the last stream, with `fetch`. */
  _request(signal, redirect) {
    const [url, headers] = this._lastRequest;
    const credentials = this._options.withCredentials ? 'include' : 'same-origin';
    return fetch(url, { headers, signal, redirect, cache: 'no-store', credentials });
  }

  /** Reports the head of an answer. */
  _reportHead(word, ticket, { status, redirected, headers }) {
    this._redirectChecked = false;
    const header = (name) => headers.get(name) ?? '';
    // The essence of a MIME type is without parameters, whatever the case (WHATWG MIME Sniffing §4).
    const stream = /^\s*text\/event-stream\s*(;|$)/i.test(header('content-type'));
    const more = Number(redirected) * REDIRECTED + Number(headers.has('tinysse-wire')) * HUB + Number(stream) * STREAM;
    this._notify(word, ticket, status + more, milliseconds(header('retry-after')));
  }

  /**
   * True if a request that was not answered is redirected to where `fetch` may not follow, most likely to a login page. Looked for once
   * after each answer.
   */
  async _isRedirected(signal) {
    // What was given up is not asked for again.
    if (this._redirectChecked || signal.aborted) return false;
    this._redirectChecked = true;
    try {
      return (await this._request(signal, 'manual')).type === 'opaqueredirect';
    } catch {}
  }

  /** Asks for a stream once more, and reports only the head of the answer: of a refusal, `EventSource` hides it. */
  async _probe(ticket) {
    const controller = new AbortController();
    const { signal } = controller;
    const end = this._ends.get(ticket);
    this._ends.set(ticket, () => {
      controller.abort();
      end?.();
    });
    // A page that is left loses its streams before it is put away, and asks nothing any more.
    await new Promise((go) => setTimeout(go, 99));
    if (signal.aborted) return;
    try {
      this._reportHead(PROBED, ticket, await this._request(signal));
    } catch (thrown) {
      const moved = await this._isRedirected(signal);
      if (this._ends.has(ticket)) this._cause = thrown;
      this._notify(PROBED, ticket, moved ? 302 + REDIRECTED : 0);
    }
    controller.abort();
  }

  /**
   * Asks the provider. Whatever it does (return, promise, throw, reject, nonsense), the answer comes later and with its ticket; if it does
   * nothing at all, core's patience ends the question.
   */
  _fetchToken(ticket, reason) {
    const { token } = this._options;
    const controller = page.AbortController && new AbortController();
    this._ends.set(ticket, () => {
      this._cause = undefined;
      controller?.abort();
    });
    const settle = (report) => (value) => {
      if (this._ends.delete(ticket)) report(value);
    };
    let answer;
    try {
      answer = token(controller ? { reason, signal: controller.signal } : { reason });
    } catch (thrown) {
      answer = Promise.reject(thrown);
    }
    Promise.resolve(answer).then(
      settle((value) => {
        this._cause = value instanceof TypeError ? value : undefined; // it describes what was received
        this._grant(ticket, value);
      }),
      settle((thrown) => {
        this._cause = thrown;
        // 401 and 403 are refusals; everything else may pass.
        this._notify(
          NO_TOKEN,
          ticket,
          [401, 403].find((status) => status === peek(thrown, 'status')),
        );
      }),
    );
  }

  /** `'token'`, or `{ token: 'token', expires_in?: seconds, user?: 'name' }`, as the token endpoint answers. */
  _grant(ticket, value) {
    const token = isText(value) ? value : peek(value, 'token');
    const seconds = peek(value, 'expires_in') ?? undefined;
    const user = [peek(value, 'user'), subject(token)].find((name) => name && isText(name)) ?? '';
    // No token has a line's end in it (RFC 6750 §2.1), which parts it from the user here.
    if (
      !isText(token) ||
      token.includes('\n') ||
      !(seconds === undefined || (typeof seconds === 'number' && seconds > 0))
    ) {
      return this._notify(NO_TOKEN, ticket, NONSENSE);
    }
    this._notify(TOKEN, ticket, seconds === undefined ? -1 : seconds * 1000, 0, `${token}\n${user}`);
  }

  /** Gives a number a function to call, in place of the one before. */
  _register(number, call, types) {
    const names = lines(types)?.filter((type) => !type.endsWith('*')) ?? [];
    if (call && this._notify !== nothing) this._callbacks.set(number, [call, names]);
    else this._callbacks.delete(number);
    this._listen?.(names);
  }

  /** What it throws is reported the way browsers do it, and breaks nothing else. */
  _call(number, value) {
    try {
      this._callbacks.get(number)?.[0](value);
    } catch (thrown) {
      (page.reportError ?? console.error)(thrown);
    }
  }

  /**
   * Gives the subscriber `{ type, data, id, replayed, key?, origin?, spread?, at? }`, and back for others who want the same. Its type,
   * id and data are a part of `text`. `data` of our hub is an envelope, of others JSON if it parses, and text if not.
   */
  _deliver(start, typeEnds, idEnds, end, replayed, envelope, subscriber) {
    const { _text: text } = this;
    /** @type {any} */
    let data = text.slice(idEnds, end);
    let more;
    try {
      data = JSON.parse(data);
      if (envelope && data && typeof data === 'object' && !Array.isArray(data)) {
        more = data;
        data = more.data;
      }
    } catch {}
    if (end > text.length) this._text = ''; // of the last one nothing is kept here
    const update = { type: text.slice(start, typeEnds), data, id: text.slice(typeEnds, idEnds), replayed };
    if (more) {
      const { key, origin, spread, at } = more;
      if (key !== undefined) update.key = key;
      if (origin !== undefined) update.origin = origin;
      if (spread !== undefined) update.spread = spread;
      if (at !== undefined) update.at = at;
    }
    this._call(subscriber, update);
    return update;
  }

  _resync(gap, types) {
    this._call(ON_RESYNC, { gap, types: lines(types) });
  }

  _follow(ticket, cursor, user) {
    this._call(ON_TABS, [ticket, cursor, user]);
  }

  _relay(event, id, data) {
    this._call(ON_TABS, [event, id, data]);
  }

  /** Adds the failure to a snapshot, if there is one. */
  _addError(snapshot, code, message, status, retryable) {
    const more = { ...(status && { status }), ...(this._cause !== undefined && { cause: this._cause }) };
    snapshot.error = code ? Object.assign(failure(code, message, retryable), more) : null;
  }
}
