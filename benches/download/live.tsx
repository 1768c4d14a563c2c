// The app with tinysse, as the README has it.
import type { Client } from 'tinysse';
import { SSEProvider, useAutoRefetch, useSSEUpdates } from 'tinysse/react';
import { List, mount, queryClient, trpc } from './app.js';

/** A token provider, as the README has it. */
export async function token({ signal }: { signal: AbortSignal }): Promise<{ token: string; expires_in: number }> {
  const response = await fetch('/auth/sse-token', { method: 'POST', signal });
  if (!response.ok) throw Object.assign(new Error('no token'), { status: response.status });
  return response.json();
}

function Projects() {
  const projects = useAutoRefetch(trpc.projects.getAll.useQuery(), 'projects');
  return <List items={projects.data} />;
}

function App({ sse }: { sse: Client }) {
  useSSEUpdates(sse);
  return (
    <SSEProvider client={sse} queryClient={queryClient}>
      <Projects />
    </SSEProvider>
  );
}

/** Renders the app, which connects by `sse`. */
export function start(sse: Client): void {
  mount(<App sse={sse} />);
}
