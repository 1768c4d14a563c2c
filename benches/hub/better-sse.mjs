// better-sse as its own documentation sets it up: one channel, a session a request. `node better-sse.mjs PORT MODULE`
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [, , port, module] = process.argv;
const { createChannel, createSession } = await import(pathToFileURL(module).href);
const channel = createChannel();

const server = createServer(async (request, response) => {
  if (request.method === 'GET') {
    channel.register(await createSession(request, response));
    return;
  }
  let body = '';
  request.setEncoding('utf8');
  for await (const chunk of request) body += chunk;
  channel.broadcast(body, 'bench');
  response.writeHead(200, { 'content-length': 0 }).end();
});
server.keepAliveTimeout = 3_600_000;
server.listen(Number(port), '127.0.0.1', 8_192, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
