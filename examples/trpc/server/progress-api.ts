// The API that is polled, a process of its own: a job that advances. `POST /fail` breaks it for a while.
import { createServer } from 'node:http';

const EVERY = Number(process.env.STEP ?? 2_000);
const PARTS = ['fetching', 'unpacking', 'compiling', 'linking', 'checking'];
const STEPS = 25;

let begun = Date.now();
let failsUntil = 0;

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api');
  if (request.method === 'POST' && pathname === '/restart') {
    begun = Date.now();
    response.writeHead(204).end();
  } else if (request.method === 'POST' && pathname === '/fail') {
    failsUntil = Date.now() + Number(searchParams.get('ms') ?? 5_000);
    response.writeHead(204).end();
  } else if (Date.now() < failsUntil) {
    response.writeHead(500).end('{"error":"out of order, as asked for"}');
  } else {
    const step = Math.floor((Date.now() - begun) / EVERY) % STEPS;
    const label = PARTS[Math.floor((step * PARTS.length) / STEPS)];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ step, percent: Math.round((step * 100) / (STEPS - 1)), label }));
  }
});

server.listen(Number(process.env.PORT ?? 3001), '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`);
});
process.once('SIGTERM', () => server.close());
