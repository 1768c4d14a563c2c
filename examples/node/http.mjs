// The hub on node:http: `PORT=3000 node http.mjs`. Users log in by a header, as behind a proxy of your own.
import { createServer } from 'node:http';
import { createHub } from 'tinysse/server';

const hub = createHub({
  secret: process.env.TINYSSE_SECRET,
  identify: ({ headers }) => (headers.has('x-user') ? { user: headers.get('x-user') } : null),
});

const server = createServer((request, response) =>
  hub.node(request, response, () => {
    if (request.method === 'POST' && request.url === '/api/projects') {
      hub.notify('projects', { origin: request.headers['x-tinysse-origin'] });
      response.writeHead(201).end();
    } else response.writeHead(404).end();
  }),
);
server.listen(Number(process.env.PORT ?? 3000), () => console.log(`listening on ${server.address().port}`));

process.on('SIGTERM', async () => {
  await hub.close({ drain: 500 });
  server.close();
  server.closeIdleConnections();
});
