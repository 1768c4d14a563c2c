// Ports of this machine that are free now.
import { createServer } from 'node:net';

const free = (port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const found = server.address().port;
      server.close(() => resolve(found));
    });
  });

/** The wanted port on 127.0.0.1, one of the ten after it, or else any. */
export async function freePort(wanted) {
  for (let port = wanted; port <= wanted + 10; port++) {
    if (await free(port)) return port;
  }
  return await anyPort();
}

/** Returns a free port on 127.0.0.1 that the system chooses. */
export const anyPort = () => free(0);
