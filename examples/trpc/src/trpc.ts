// The API of the server, typed by its router.
import { createTRPCReact, httpLink } from '@trpc/react-query';
import type { AppRouter } from '../server/routers/index';
import { sse } from './sse';

export const trpc = createTRPCReact<AppRouter>();

export const trpcClient = trpc.createClient({
  // With each request the name of this tab, so that it recognises its own changes.
  links: [httpLink({ url: '/trpc', headers: () => ({ 'x-tinysse-origin': sse.origin }) })],
});
