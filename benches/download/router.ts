// What the app of `npm run size` asks: the type of its tRPC client, and what its server runs.
import { initTRPC } from '@trpc/server';

const t = initTRPC.create();
const projects = ['Apollo'];

export const appRouter = t.router({
  projects: t.router({
    getAll: t.procedure.query(() => projects),
  }),
});

export type AppRouter = typeof appRouter;

/** Adds a project, without a word to the clients. */
export function add(name: string): void {
  projects.push(name);
}
