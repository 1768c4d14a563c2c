// How a server can behave, and what our clients promise then.
//
// serve(visit)   what the server does with a request; see `Visit` in booth.mjs
// status         the status that the application ought to see
// wait           ms that the server asks to be left alone
// window         ms that the scenario is watched; 15 s unless given
// wanted         for each kind of our clients: `hybrid` (the browser's EventSource, which hides the
//                status of a refusal: it is asked once with `fetch`, which is a connect too),
//                `fetch`, and `class` (EventSource over fetch, which follows the standard)
//    connects    the least and the most in the window
//    events      the least that are delivered
//    over        whether it gives up, and reports it
//    code        the code of an error that is reported
//    asks        the most tokens that are asked for
//    quick       the most attempts less than 250 ms after the connect before

/** Is retried with backoff. */
const again = { connects: [2, 20] };
const hybridAgain = { ...again, quick: 3 };
/** An answer that cannot be read may be a redirect: that is looked up once, without delay. */
const looked = 1;
const everyone = (wanted) => ({ hybrid: wanted, fetch: wanted, class: wanted });
const back = { hybrid: hybridAgain, fetch: again, class: again };
const stop = { connects: [1, 1], over: true, asks: 1 };
/** Retrying does not help; on the native transport the question is the second connect. */
const final = { hybrid: { ...stop, connects: [2, 2] }, fetch: stop, class: stop };
const forEver = { ...again, over: false };
const busy = { hybrid: forEver, fetch: forEver, class: stop };
/** Two or three attempts, each 6 s and a random delay after the one before. */
const patient = {
  hybrid: { connects: [4, 6], over: false },
  fetch: { connects: [2, 3], over: false },
  class: stop,
};
/** A new token is tried: once without delay, then with backoff, eight times in all. */
const refused = { connects: [2, 8], asks: 8, quick: 1 };

const status = (name, code, wanted, more = {}) => ({
  name,
  status: code,
  serve: (visit) => visit.answer(code, headersOf(more.headers)),
  wanted,
  ...more,
});
const headersOf = (headers) => (typeof headers === 'function' ? headers() : headers);

/** One event, one more that happens while the client is away, and the end. */
const brief = (options) => (visit) => {
  visit.accept(options);
  visit.next();
  visit.miss();
  visit.end();
};

function stay(visit, options) {
  visit.accept(options);
  visit.next();
}

export const scenarios = [
  { name: 'one event, then closed', serve: brief(), wanted: back },
  {
    name: 'socket destroyed',
    serve: (visit) => visit.cut(),
    wanted: { ...everyone(again), fetch: { ...again, quick: looked } },
  },
  {
    name: 'cut in mid-event',
    serve(visit) {
      if (visit.n > 1) return stay(visit);
      visit.accept();
      visit.next();
      visit.half();
      visit.cut();
    },
    wanted: everyone({ connects: [2, 2], events: 3 }),
  },
  status('500', 500, busy),
  status('503, Retry-After: 6', 503, patient, { wait: 6000, headers: { 'retry-after': '6' } }),
  status('429, Retry-After: 6', 429, patient, { wait: 6000, headers: { 'retry-after': '6' } }),
  status('503, Retry-After: a date', 503, patient, {
    wait: 6000,
    // In whole seconds, so that it lies six to seven of them ahead.
    headers: () => ({ 'retry-after': new Date(Date.now() + 7000).toUTCString() }),
  }),
  {
    name: '502 for 8 s',
    status: 502,
    // The delay before the attempt that succeeds is up to 30 s.
    window: 45_000,
    serve(visit) {
      visit.booth.begun ??= performance.now();
      if (performance.now() - visit.booth.begun < 8000) visit.answer(502);
      else stay(visit);
    },
    wanted: {
      hybrid: { connects: [3, 60], events: 1, over: false },
      fetch: { connects: [2, 60], events: 1, over: false },
      class: stop,
    },
  },
  {
    name: '403 without CORS',
    // It looks like a lost network. The window is that of eight attempts and more.
    window: 45_000,
    serve: (visit) => visit.answer(403, { cors: false }),
    wanted: {
      hybrid: { connects: [4, 60], over: false, quick: 1 + looked },
      fetch: { connects: [2, 60], over: false, quick: looked },
      class: { connects: [2, 60] },
    },
  },
  status('401 for ever', 401, { hybrid: { ...refused, connects: [4, 16] }, fetch: refused, class: refused }),
  {
    name: '401 once',
    serve: (visit) => (visit.token === 't1' ? visit.answer(401) : stay(visit)),
    wanted: {
      ...everyone({ connects: [2, 2], events: 1, asks: 2, quick: 1 }),
      hybrid: { connects: [3, 3], events: 1, asks: 2, quick: 1 },
    },
  },
  {
    name: '401 on resume',
    serve(visit) {
      const used = visit.booth.connects.filter(({ token }) => token === visit.token).length > 1;
      if (visit.n === 1) brief({ say: 'retry: 500\n\n' })(visit);
      else if (used) visit.answer(401);
      else stay(visit);
    },
    wanted: {
      hybrid: { connects: [4, 4], events: 3, asks: 2, quick: 1 },
      fetch: { connects: [3, 3], events: 3, asks: 2, quick: 1 },
      class: { connects: [2, 2], events: 3, asks: 2 },
    },
  },
  status('204', 204, final),
  status('403', 403, final),
  status('404', 404, final),
  status('410', 410, final),
  status('200 text/html', 200, final),
  {
    name: 'Text/Event-Stream;Charset=UTF-8',
    serve: (visit) => stay(visit, { type: 'Text/Event-Stream;Charset=UTF-8' }),
    wanted: everyone({ connects: [1, 1], events: 1 }),
  },
  { name: 'retry: 0', serve: brief({ say: 'retry: 0\n\n' }), wanted: back },
  { name: 'retry: 100', serve: brief({ say: 'retry: 100\n\n' }), wanted: back },
  {
    name: 'huge retry',
    serve: brief({ say: 'retry: 99999999999999\n\n' }),
    wanted: everyone({ connects: [1, 20], events: 1 }),
  },
  {
    name: 'redirect',
    serve: (visit) => visit.redirect(visit.booth.url),
    moved: brief(),
    wanted: { hybrid: hybridAgain, fetch: { ...again, direct: 0 }, class: { ...again, direct: 0 } },
  },
  {
    name: 'redirect to another origin',
    elsewhere: true,
    serve: (visit) => visit.redirect(visit.booth.other),
    moved: brief(),
    wanted: { hybrid: hybridAgain, fetch: { ...again, direct: 0 }, class: { ...again, direct: 0 } },
  },
  {
    name: 'redirect to a login page',
    serve: (visit) => visit.redirect(visit.booth.url),
    moved: (visit) => visit.answer(200),
    wanted: {
      hybrid: { connects: [2, 16], code: 'unauthorized', quick: 1 },
      fetch: { connects: [1, 8], code: 'unauthorized', quick: 1 },
      class: stop,
    },
  },
  {
    name: 'redirect to a login page of another origin',
    elsewhere: true,
    serve: (visit) => visit.redirect(visit.booth.other),
    // Without CORS it looks like a lost network, but `redirect: 'manual'` shows the redirect.
    moved: (visit) => visit.answer(200, { cors: false }),
    wanted: {
      hybrid: { ...again, code: 'unauthorized', quick: 1 + looked },
      fetch: { ...again, code: 'unauthorized', quick: 1 + looked },
      class: again,
    },
  },
  {
    name: 'tinysse/1, cut',
    speaks: 'tinysse',
    serve(visit) {
      visit.accept({ beat: 15_000 });
      visit.next();
      visit.next();
      visit.miss();
      visit.cut();
    },
    wanted: { hybrid: hybridAgain, fetch: again },
  },
  {
    name: 'tinysse/1, half-open, beat 2 s',
    speaks: 'tinysse',
    serve(visit) {
      visit.accept({ beat: 2000 });
      visit.next();
      const beats = setInterval(() => visit.beat(), 2000);
      // From here on nothing arrives, and events are not sent.
      setTimeout(() => {
        clearInterval(beats);
        if (visit.n === 1) visit.miss();
      }, 3000);
    },
    wanted: { hybrid: { connects: [2, 4], events: 3 }, fetch: { connects: [2, 4], events: 3 } },
  },
  {
    name: 'half-open, 75 s',
    window: 75_000,
    serve(visit) {
      stay(visit);
      if (visit.n === 1) visit.miss();
    },
    // The server announced no heartbeat, so silence means nothing.
    wanted: everyone({ connects: [1, 1], events: 1 }),
  },
  {
    name: 'half-open, 75 s, comments before',
    window: 75_000,
    serve(visit) {
      stay(visit);
      const comments = setInterval(() => visit.comment(), 5000);
      setTimeout(() => {
        clearInterval(comments);
        if (visit.n === 1) visit.miss();
      }, 16_000);
    },
    // 45 s after the third comment. The browser's EventSource hides comments.
    wanted: { ...everyone({ connects: [1, 1], events: 1 }), fetch: { connects: [2, 2], events: 3 } },
  },
  {
    name: 'nine answers without an end',
    copies: 9,
    // After the others: it needs many connections, and a browser has 256.
    late: true,
    status: 200,
    serve: (visit) => visit.answer(200, { endless: true }),
    wanted: {
      hybrid: { connects: [18, 18], over: true, ping: true },
      fetch: { connects: [9, 9], over: true, ping: true },
      class: { connects: [9, 9], over: true, ping: true },
    },
  },
];
