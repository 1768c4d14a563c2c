// The hub of `tinysse/server` in a process of Node, for the benchmark. `node node-hub.mjs PORT MODULE`
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [, , port, module] = process.argv;
const { createHub } = await import(pathToFileURL(module).href);
const hub = createHub({
  secret: '0123456789abcdef0123456789abcdef',
  tokenTtl: 3_600_000,
  limits: { streams: 20_000, streamsPerUser: 20_000 },
});

const server = createServer(async (request, response) => {
  if (request.url.startsWith('/events')) return hub.node(request, response);
  if (request.url === '/token') {
    const token = await hub.issueToken({ user: 'ada', role: 'admin', channels: ['ops'] });
    response.end(token);
    return;
  }
  let body = '';
  request.setEncoding('utf8');
  for await (const chunk of request) body += chunk;
  hub.notify('bench', { data: body });
  response.writeHead(200, { 'content-length': 0 }).end();
});
server.keepAliveTimeout = 3_600_000;
server.listen(Number(port), '127.0.0.1', 8_192, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
