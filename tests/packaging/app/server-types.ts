// Compiled without the DOM, as a server is: what the types of `tinysse/server` promise and refuse.
import { createServer } from 'node:http';
import { type Audience, createHub, type UpdateService } from 'tinysse/server';

interface AppUpdates {
  projects: undefined;
  progress: { percent: number };
}

const hub = createHub<AppUpdates>({
  identify: ({ node, headers }) => node?.session?.user ?? { user: headers.get('x') ?? '' },
});
createServer(hub.node);

export const service: UpdateService<AppUpdates> = hub;
service.notify('projects');
service.notify('progress', { data: { percent: 40 }, to: ['user:ada', 'role:admin'] satisfies Audience[] });
// @ts-expect-error no such update
service.notify('project');
// @ts-expect-error progress carries a number
service.notify('progress', { data: { percent: '40' } });
// @ts-expect-error an audience has a kind
service.notify('projects', { to: 'ada' });
service.subscribe((update) => update.type === 'progress' && update.data?.percent);
// @ts-expect-error a misspelt option
createHub({ secrets: 'x' });

export const answer: Promise<Response> = hub.fetch(new Request('http://127.0.0.1/events'));
