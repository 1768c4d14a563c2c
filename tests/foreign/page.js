// The page of the matrix: one client for each cell, and a log of what its application receives.
import { createClient } from '/pkg/index.js';

const cells = new Map();

globalThis.foreign = {
  open(name, url, options) {
    const log = [];
    const client = createClient({ url, ...options });
    client.subscribe(['message', 'tick'], ({ data }) => log.push(data));
    client.onResync(({ gap }) => log.push(gap));
    client.acquire();
    cells.set(name, { client, log });
  },

  /** Calls `pause` or `resume` of every client. */
  all(method) {
    for (const { client } of cells.values()) client[method]();
  },

  /** Marks the start of the disturbance in every log. */
  mark() {
    for (const { log } of cells.values()) log.push('|');
  },

  look: () =>
    [...cells].map(([name, { client, log }]) => {
      const { status, bytes, connects } = client.getSnapshot();
      return { name, log: log.join(' '), status, bytes, connects };
    }),
};

addEventListener('pageshow', ({ persisted }) => {
  globalThis.persisted = persisted;
});
