// The fetch transport: the token in a header, statuses to be seen, and bytes that core decodes. A part of `bindings.js` that only those
// load who use it, and no more than that decides anything.

// As in `bindings.js`.
const LOST = 3;
const ANSWER = 9;

const DROPPED = 1;
const UNUSABLE = 4;

/** Bytes that go on together, at most. */
const ROOM = 4096;
/** Bytes that core takes at a time. */
const PIECE = 2 ** 16;

/**
 * An address as `fetch` takes it, without user name and password. The browser sends those of the page by itself; others it does not
 * send for scripts.
 */
const bare = (url, base) => {
  if (url.username || url.password) {
    if (new URL('/', url).href !== new URL('/', base).href)
      throw new TypeError('the URL holds a user name or a password');
    url.username = url.password = '';
  }
  return url.href;
};

/** A header is made of bytes, and JavaScript wants each as a character (Web IDL, `ByteString`): sent as UTF-8. */
const bytesAsText = (text) => String.fromCharCode(...new TextEncoder().encode(text));

/** Copies bytes to where core reads them. */
export const fill = (room, bytes) => {
  room.set(bytes);
  return bytes.length;
};

/**
 * Reads a stream piece by piece. Small ones that are there already go on together, since each that crosses the border costs more than its
 * bytes; what comes alone waits for no more than microtasks. Nothing else piles up here: a page that cannot follow slows the server down.
 */
async function read(page, ticket, reader) {
  const room = new Uint8Array(ROOM);
  let used = 0;
  let gathering = false;
  const feed = () => {
    const bytes = room.subarray(0, used);
    used = 0;
    if (bytes.length > 0) page._onBytes(ticket, bytes);
  };
  const gather = async () => {
    gathering = true;
    // One for the next read to be asked for, then one for each that is answered at once.
    await null;
    for (let seen = 0; seen !== used; await null) seen = used;
    feed();
    gathering = false;
  };
  try {
    while (page._ends.has(ticket)) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value.length > ROOM - used) feed();
      if (value.length <= ROOM) {
        room.set(value, used);
        used += value.length;
        if (!gathering) gather();
        continue;
      }
      // A page that was busy finds half a megabyte here, and wasm gives no memory back. Core looks at no more at once.
      for (let at = 0; at < value.length; at += PIECE) page._onBytes(ticket, value.subarray(at, at + PIECE));
    }
  } finally {
    feed();
  }
}

/**
 * Asks for a stream, and reads it. Aborted when it ends, answered or not, so that no body that nobody reads keeps one of
 * the browser's few connections.
 */
export async function open(page, ticket, cursor, token) {
  if (page._options.transport !== 'fetch') return page._openEventSource(ticket, cursor, token);
  const { document, location } = globalThis;
  const headers = { Accept: 'text/event-stream' };
  if (cursor) headers['Last-Event-ID'] = bytesAsText(cursor);
  // Sent to our origin only: a redirect to another one loses this header (Fetch, "HTTP-redirect fetch", step 13).
  if (token) headers.Authorization = `Bearer ${token}`;
  let url;
  try {
    const base = document?.baseURI ?? location?.href;
    url = bare(new URL(page._address(), base), base);
  } catch (thrown) {
    page._cause = thrown;
    return page._notify(LOST, ticket, UNUSABLE);
  }
  const controller = new AbortController();
  const { signal } = controller;
  let answered = false;
  page._track(ticket, url, headers, () => controller.abort());
  try {
    const response = await page._request(signal);
    answered = true;
    page._reportHead(ANSWER, ticket, response);
    // The receiver may have ended it: then it was aborted, and reading fails unnoticed.
    await read(page, ticket, response.body.getReader());
  } catch (thrown) {
    // What is thrown by the wasm is a bug of tinysse, and not to be taken for a network's.
    if (thrown instanceof WebAssembly.RuntimeError) throw thrown;
    if (page._ends.has(ticket)) page._cause = thrown;
    if (!answered && page._ends.has(ticket) && (await page._isRedirected(signal))) page._notify(ANSWER, ticket, 1302);
  }
  if (page._ends.has(ticket)) page._notify(LOST, ticket, DROPPED);
}
