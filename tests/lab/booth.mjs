// One server for one client in one scenario, at a port of its own: browsers allow six connections for each host and port.
import { once } from 'node:events';
import { createServer } from 'node:http';

const epoch = 'a1';

/** What a scenario does to one request. */
class Visit {
  /** Which request this is, from 1. */
  n;
  token;

  constructor(booth, request, response, n) {
    const { searchParams: query } = new URL(request.url, 'http://booth');
    Object.assign(this, { booth, request, response, n });
    this.token = tokenOf(request, query);
    this.native = query.get('wire') === 'native';
    this.cursor = request.headers['last-event-id'] ?? query.get('lastEventId') ?? '';
  }

  /** A stream: `hello` (with its `beat` in ms) if it speaks tinysse/1, then what the client's cursor has missed. */
  accept({ type = 'text/event-stream', beat, say = '' } = {}) {
    this.response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
    this.response.flushHeaders();
    const { booth } = this;
    this.tinysse = beat !== undefined;
    const known = this.cursor !== '';
    const after = known ? Number(this.cursor.split('.').at(-1)) : booth.seq;
    booth.begins ??= after;
    if (this.tinysse) {
      const gap = known ? 'none' : 'first';
      const data = `client=c${this.n}&after=${epoch}.${after}&head=${epoch}.${booth.seq}&beat=${beat}&gap=${gap}`;
      this.response.write(`retry: 1000\nid: ${epoch}.${after}\nevent: tinysse.hello\ndata: ${data}\n\n`);
    }
    this.response.write(say);
    for (let seq = after + 1; seq <= booth.seq; seq++) this.#send(seq);
  }

  /** Something happens, and the client is notified. */
  next() {
    this.booth.seq += 1;
    this.#send(this.booth.seq);
  }

  /** Something happens, and the client is not notified; a stream that resumes from the right id replays it. */
  miss() {
    this.booth.seq += 1;
  }

  /** Something happens, and the client receives a part of it. */
  half() {
    this.booth.seq += 1;
    const frame = this.#frame(this.booth.seq);
    this.response.write(frame.slice(0, -1)); // all but the empty line
  }

  beat() {
    this.response.write(`id: ${epoch}.${this.booth.seq}\nevent: tinysse.beat\ndata: \n\n`);
  }

  comment() {
    this.response.write(':\n\n');
  }

  #send(seq) {
    this.response.write(this.#frame(seq));
    this.booth.told = Math.max(this.booth.told, seq);
  }

  #frame(seq) {
    if (!this.tinysse) return `id: ${seq}\ndata: ${seq}\n\n`;
    const folded = this.native ? 'tinysse.update\ndata: projects' : 'projects';
    return `id: ${epoch}.${seq}\nevent: ${folded}\ndata: {"data":${seq}}\n\n`;
  }

  /**
   * Answers without a stream. `endless`: the body never ends, and is gone only when the client
   * cancels it. `cors`: whether a page of another origin may read the answer.
   */
  answer(status, { endless = false, cors = true, ...headers } = {}) {
    if (!cors) this.response.removeHeader('access-control-allow-origin');
    if (status !== 307) this.booth.refuse();
    // Browsers may keep a 404 or 410, and would answer the next request themselves.
    const usual = { connection: 'close', 'cache-control': 'no-store', 'content-type': 'text/html' };
    this.response.writeHead(status, { ...usual, ...headers });
    if (endless) this.response.write('<p>');
    else this.response.end(status === 204 ? undefined : '<p>no');
  }

  end() {
    this.response.end();
  }

  /** Cuts the connection. What was sent before has half a second to arrive: a browser discards what a page has not read yet. */
  cut() {
    const { booth, request, response } = this;
    booth.wasCut = true;
    if (response.headersSent) setTimeout(() => request.socket.destroy(), 500);
    else request.socket.destroy();
  }

  /** To `/moved`, here or at another origin. The server keeps the cursor in the address, and leaves the token out. */
  redirect(origin) {
    this.booth.hops += 1;
    const query = new URLSearchParams({ hop: this.booth.hops, ...(this.cursor && { lastEventId: this.cursor }) });
    this.answer(307, { location: `${origin}/moved?${query}` });
  }
}

function tokenOf(request, query) {
  return request.headers.authorization?.replace(/^bearer /i, '') ?? query.get('token') ?? '';
}

export class Booth {
  /** The number of the last event, of the last that the client was sent whole, and of the one before the first. */
  seq = 0;
  told = 0;
  begins;
  hops = 0;
  /** The last stream was cut. */
  wasCut = false;
  /**
   * Requests for a stream: when (ms), the id they gave and the one they should have given, whether
   * they came without a redirect, and whether they only ask for the status of a refusal.
   */
  connects = [];
  /** Requests at the target of a redirect to another origin that had a token. */
  leaks = 0;
  /** Answers whose body was cancelled by the client before its end. */
  cancelled = 0;
  #servers = [];
  #seen = new Set();
  /** The address of the last request at the first address. */
  #asked = '';
  /** Addresses whose last answer was a refusal, about which nobody has asked yet. */
  #refused = new Set();

  static async open(scenario) {
    const booth = new Booth();
    booth.scenario = scenario;
    const main = await booth.#listen((request, response) => booth.#take(request, response, booth.url));
    booth.url = main;
    if (scenario.elsewhere) {
      booth.other = await booth.#listen((request, response) => booth.#take(request, response, booth.other));
    }
    return booth;
  }

  async #listen(take) {
    const server = createServer(take);
    server.on('clientError', (_error, socket) => socket.destroy());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return `http://127.0.0.1:${server.address().port}`;
  }

  #take(request, response, origin) {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-expose-headers', '*');
    const { pathname, searchParams: query } = new URL(request.url, origin);
    if (request.method === 'OPTIONS') {
      // Without keep-alive: a request on a connection that was used before is sent again by the browser if that one is cut.
      const asked = request.headers['access-control-request-headers'] ?? '';
      const allowed = { 'access-control-allow-headers': asked, 'access-control-max-age': '600', connection: 'close' };
      response.writeHead(204, allowed).end();
    } else if (pathname === '/ping') {
      response.writeHead(200, { connection: 'close' }).end('pong');
    } else if (pathname === '/events' || pathname === '/moved') {
      this.#visit(request, response, { origin, query, moved: pathname === '/moved' });
    } else {
      response.writeHead(404, { connection: 'close' }).end();
    }
  }

  /** Notes that the last request is refused. */
  refuse() {
    this.#refused.add(this.#asked);
  }

  /**
   * Returns whether a request asks for the status of a refusal.
   *
   * A native stream hides it, so our client fetches the same address once. On the wire that request
   * looks like any other, but no attempt follows a refusal without one.
   */
  #isQuestion({ native, request }) {
    return this.#refused.delete(request.url) && native;
  }

  #visit(request, response, { origin, query, moved }) {
    response.once('close', () => {
      if (!response.writableEnded) this.cancelled += 1;
    });
    if (origin !== this.url && tokenOf(request, query)) this.leaks += 1;
    const hop = query.get('hop');
    const direct = moved && this.#seen.has(hop);
    if (moved) this.#seen.add(hop);
    const visit = new Visit(this, request, response, this.connects.length + (moved && !direct ? 0 : 1));
    const question = !moved && this.#isQuestion(visit);
    if (!moved && !question) this.#asked = request.url;
    else if (question) this.#asked = '';
    if (!moved || direct) {
      const { cursor, token } = visit;
      const id = Number(cursor.split('.').at(-1));
      // Never beyond what was sent, and not behind it either, unless the end of it may have been cut off.
      const right = id === this.told || (this.wasCut && id < this.told);
      this.connects.push({ at: performance.now(), id, right, told: this.told, token, direct, question });
      this.wasCut = false;
    }
    if (moved) this.scenario.moved(visit);
    else this.scenario.serve(visit);
  }

  async close() {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}
