// A real HTTP server for the browser tests: it speaks the tinysse wire, or plain SSE, and does what a test asks for.
// Each test has a run id of its own, so nothing is shared between tests.
//   GET /events?run=R        a stream; `plain=1`: no hello; `beat`, `retry`: ms in the hello; `beating=1`: it really beats
//   GET /do/WHAT?run=R&...   steers the run: see `deeds`
//   GET /stats?run=R         what it saw: { connects, probes, open, tokens, aborted, preflights }
// Run by itself (`node tests/web/server.mjs`) it serves until it is killed.
import { createServer } from 'node:http';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const usualPort = 38917;
const runs = new Map();

class Run {
  epoch = 0xa1;
  seq = 0;
  /** The updates that can be replayed: { seq, type, data }. */
  log = [];
  /** The last number that the log has lost. */
  trimmed = 0;
  /** How the next streams are answered; with none left, they are accepted. */
  answers = [];
  tokenAnswers = [];
  open = new Set();
  connects = [];
  /** How often the client asked for the status of a refused native stream. */
  probes = 0;
  /** The last native stream that was refused: its query, and the answer. */
  refused;
  tokens = 0;
  aborted = 0;
  preflights = 0;

  static of(id) {
    const known = runs.get(id);
    if (known) return known;
    const run = new Run();
    runs.set(id, run);
    return run;
  }

  id(seq = this.seq) {
    return `${this.epoch.toString(16)}.${seq}`;
  }

  /** Where a stream with this cursor begins, and what is lost to it for good. */
  resume(cursor) {
    if (!cursor) return { after: this.seq, gap: 'first' };
    const [epoch, seq] = cursor.split('.');
    if (epoch !== this.epoch.toString(16)) return { after: this.seq, gap: 'epoch' };
    if (!(Number(seq) <= this.seq)) return { after: this.seq, gap: 'unknown' };
    if (Number(seq) < this.trimmed) return { after: this.seq, gap: 'trimmed' };
    return { after: Number(seq), gap: 'none' };
  }

  send(text) {
    for (const stream of this.open) stream.response.write(text);
  }
}

/** One event; `data` may have several lines. */
function frame({ retry, id, event, data }) {
  const lines = [];
  if (retry !== undefined) lines.push(`retry: ${retry}`);
  if (id !== undefined) lines.push(`id: ${id}`);
  if (event !== undefined) lines.push(`event: ${event}`);
  if (data !== undefined)
    lines.push(
      ...String(data)
        .split('\n')
        .map((line) => `data: ${line}`),
    );
  return `${lines.join('\n')}\n\n`;
}

function updateFrame(run, stream, { seq, type, data }) {
  const id = run.id(seq);
  if (stream.wire === 'native') return frame({ id, event: 'tinysse.update', data: `${type}\n${data}` });
  return frame({ id, event: type, data });
}

function accept(run, query, request, response) {
  const stream = { response, wire: query.get('wire') ?? '' };
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform' });
  response.flushHeaders();
  run.open.add(stream);
  let beating;
  response.once('close', () => {
    run.open.delete(stream);
    clearInterval(beating);
  });
  const retry = query.get('retry') ?? '20';
  if (query.has('plain')) {
    response.write(`retry: ${retry}\n\n`);
    return;
  }
  const { after, gap } = run.resume(request.headers['last-event-id'] ?? query.get('lastEventId'));
  const beat = Number(query.get('beat') ?? 300000);
  const data = `client=c${run.connects.length}&after=${run.id(after)}&head=${run.id()}&beat=${beat}&gap=${gap}`;
  response.write(frame({ retry, id: run.id(after), event: 'tinysse.hello', data }));
  for (const update of run.log) {
    if (update.seq > after) response.write(updateFrame(run, stream, update));
  }
  if (query.has('beating')) {
    beating = setInterval(() => response.write(frame({ id: run.id(), event: 'tinysse.beat', data: '' })), beat);
  }
}

function events(run, query, request, response) {
  const { refused } = run;
  run.refused = undefined;
  if (refused?.search === query.toString()) {
    run.probes += 1;
    response.once('close', () => {
      if (!response.writableFinished) run.aborted += 1;
    });
    if (refused.answer !== 'hang') refuse(refused.answer, response);
    return;
  }
  run.connects.push({
    token: query.get('token'),
    lastEventId: query.get('lastEventId'),
    header: request.headers['last-event-id'] ?? null,
    types: query.get('types'),
    wire: query.get('wire'),
    cookie: request.headers.cookie ?? null,
    search: query.toString(),
  });
  const answer = run.answers.shift() ?? 'ok';
  if (answer === 'hang') return;
  if (answer === 'brief') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end('retry: 20\n\n');
  } else if (answer === 'ok') {
    accept(run, query, request, response);
  } else {
    const [first, second = first] = answer.split('/');
    if (query.get('wire') === 'native') run.refused = { search: query.toString(), answer: second };
    refuse(first, response);
  }
}

/** `html`, a status, or a status and the seconds of a `Retry-After`: `503:2`. */
function refuse(answer, response) {
  if (answer === 'html') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<p>not a stream</p>');
    return;
  }
  const [status, seconds] = answer.split(':');
  response.writeHead(Number(status), seconds === undefined ? {} : { 'retry-after': seconds }).end();
}

function token(run, response) {
  run.tokens += 1;
  response.once('close', () => {
    if (!response.writableFinished) run.aborted += 1;
  });
  const answer = run.tokenAnswers.shift() ?? 'ok';
  if (answer === 'hang') return;
  const status = answer === 'ok' ? 200 : Number(answer);
  const body = status === 200 ? { token: `t${run.tokens}`, expires_in: 60 } : { code: 'unauthenticated' };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const list = (query, name) => query.get(name)?.split(',') ?? [];

/** What a test can ask of the server. */
const deeds = {
  /**
   * How the next streams are answered: `ok`, `hang`, `brief` (accepted, and ended at once), or as {@link refuse} takes it. The question
   * for the status of a refusal is answered as the stream was, or by what follows a slash: `404/hang`.
   */
  answers: (run, query) => run.answers.push(...list(query, 'list')),
  /** How the next tokens are answered: `ok`, `hang` or a status. */
  tokens: (run, query) => run.tokenAnswers.push(...list(query, 'list')),
  /** Something changed: logged and sent. `data` is the envelope; `quiet=1`: logged only, as if the network had lost it. */
  update: (run, query) => {
    run.seq += 1;
    const update = { seq: run.seq, type: query.get('type'), data: query.get('data') ?? '{}' };
    run.log.push(update);
    if (query.has('quiet')) return;
    for (const stream of run.open) stream.response.write(updateFrame(run, stream, update));
  },
  /** The whole log once more, as a server does that replays too much. */
  again: (run) => {
    for (const stream of run.open)
      for (const update of run.log) stream.response.write(updateFrame(run, stream, update));
  },
  beat: (run) => run.send(frame({ id: run.id(), event: 'tinysse.beat', data: '' })),
  bye: (run, query) => {
    run.send(frame({ event: 'tinysse.bye', data: `reason=${query.get('reason')}&wait=${query.get('wait') ?? 0}` }));
    for (const { response } of run.open) response.end();
  },
  resync: (run, query) => {
    const types = query.has('types') ? `&types=${query.get('types')}` : '';
    run.send(frame({ id: run.id(), event: 'tinysse.resync', data: `gap=${query.get('gap')}${types}` }));
  },
  /** Any bytes at all. */
  say: (run, query) => run.send(query.get('text')),
  /** Loses the log up to its head. */
  trim: (run) => {
    run.log = [];
    run.trimmed = run.seq;
  },
  /** A new life of the log. */
  restart: (run) => {
    run.epoch += 1;
    run.seq = 0;
    run.log = [];
    run.trimmed = 0;
  },
  end: (run) => {
    for (const { response } of run.open) response.end();
  },
  cut: (run) => {
    for (const { response } of run.open) response.socket?.destroy();
  },
  cookie: (_run, _query, response) => response.setHeader('set-cookie', 'tinysse-web-test=yes; SameSite=Lax; Path=/'),
};

function handle(request, response) {
  const { pathname, searchParams: query } = new URL(request.url, 'http://localhost');
  const run = Run.of(query.get('run') ?? '');
  response.setHeader('access-control-allow-origin', request.headers.origin ?? '*');
  response.setHeader('access-control-allow-credentials', 'true');
  response.setHeader('access-control-expose-headers', 'retry-after');
  response.setHeader('vary', 'origin');
  if (request.method === 'OPTIONS') {
    run.preflights += 1;
    response.setHeader('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '');
    response.writeHead(204).end();
    return;
  }
  if (pathname.endsWith('/events')) {
    events(run, query, request, response);
  } else if (pathname === '/token') {
    token(run, response);
  } else if (pathname === '/stats') {
    const { connects, probes, open, tokens, aborted, preflights } = run;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ connects, probes, open: open.size, tokens, aborted, preflights }));
  } else if (pathname.startsWith('/do/') && Object.hasOwn(deeds, pathname.slice(4))) {
    deeds[pathname.slice(4)](run, query, response);
    response.end();
  } else {
    response.writeHead(404).end();
  }
}

/** Runs `work(url)` with the server up, and stops the server whatever becomes of it. */
export async function withServer(work, port = usualPort) {
  const server = createServer(handle);
  // Clients that go away are the subject of the tests, not a fault.
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, resolve);
  });
  try {
    return await work(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.close();
    server.closeAllConnections();
    runs.clear();
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  await withServer((url) => {
    console.log(`listening on ${url}`);
    return new Promise(() => {});
  });
}
