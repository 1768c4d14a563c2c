// The hub in a Fastify server: `PORT=3000 node fastify.mjs`. Users log in by a header, as behind a proxy of your own.
import fastify from 'fastify';
import { createHub } from 'tinysse/server';

const hub = createHub({
  secret: process.env.TINYSSE_SECRET,
  identify: ({ headers }) => (headers.has('x-user') ? { user: headers.get('x-user') } : null),
});

const app = fastify();
for (const url of ['/events', '/auth/sse-token']) {
  app.all(url, (request, reply) => {
    // From here on the response is the hub's.
    reply.hijack();
    hub.node(request.raw, reply.raw);
  });
}
app.post('/api/projects', (request, reply) => {
  hub.notify('projects', { origin: request.headers['x-tinysse-origin'] });
  return reply.code(201).send();
});
await app.listen({ port: Number(process.env.PORT ?? 3000) });
console.log(`listening on ${app.server.address().port}`);

process.on('SIGTERM', async () => {
  await hub.close({ drain: 500 });
  await app.close();
});
