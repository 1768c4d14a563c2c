// An app as a stranger writes it: one client, typed updates, nothing configured.
import { type ClientOptions, createClient } from 'tinysse';

declare module 'tinysse' {
  interface Register {
    updates: { projects: { id: number } };
  }
}

export function open(options: ClientOptions): void {
  const client = createClient(options);
  const seen = document.createElement('output');
  seen.textContent = client.getSnapshot().status;
  document.body.append(seen);
  client.subscribe('projects', (update) => {
    seen.textContent = `${update.type} ${update.data.id}`;
  });
  client.acquire();
}
