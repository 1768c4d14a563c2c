// The hub in a Hono server: `PORT=3000 node hono.mjs`. Users log in by a header, as behind a proxy of your own.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createHub } from 'tinysse/server';

const hub = createHub({
  secret: process.env.TINYSSE_SECRET,
  identify: ({ headers }) => (headers.has('x-user') ? { user: headers.get('x-user') } : null),
});

const app = new Hono();
app.get('/events', (context) => hub.fetch(context.req.raw));
app.post('/auth/sse-token', (context) => hub.fetch(context.req.raw));
app.post('/api/projects', (context) => {
  hub.notify('projects', { origin: context.req.header('x-tinysse-origin') });
  return context.body(null, 201);
});
const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) }, ({ port }) =>
  console.log(`listening on ${port}`),
);

process.on('SIGTERM', async () => {
  await hub.close({ drain: 500 });
  server.close();
});
