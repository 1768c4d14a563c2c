// The hub in an Express server: `PORT=3000 node express.mjs`. Users log in by a cookie, without a password.
import express from 'express';
import { createHub } from 'tinysse/server';

const userOf = (request) => /(?:^|; )user=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
const hub = createHub({
  secret: process.env.TINYSSE_SECRET,
  identify: ({ node }) => (userOf(node) ? { user: userOf(node) } : null),
});

const app = express();
app.use(hub.node);
app.post('/login/:user', (request, response) => {
  response.cookie('user', request.params.user, { httpOnly: true, sameSite: 'lax' }).sendStatus(204);
});
app.post('/api/projects', (request, response) => {
  if (!userOf(request)) return response.sendStatus(401);
  hub.notify('projects', { origin: request.get('x-tinysse-origin') });
  return response.sendStatus(201);
});
const server = app.listen(Number(process.env.PORT ?? 3000), () => console.log(`listening on ${server.address().port}`));

process.on('SIGTERM', async () => {
  await hub.close({ drain: 500 });
  server.close();
  server.closeIdleConnections();
});
