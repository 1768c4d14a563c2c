// What every router is made of: the context of a request, and procedures with and without a user.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { initTRPC, TRPCError } from '@trpc/server';
import { sessionOf, userOf } from './session.js';

/** The context of a request. `origin` is the tab that sent it, so that it recognises its own change. */
export function createContext({ req, res }: { req: IncomingMessage; res: ServerResponse }) {
  const origin = req.headers['x-tinysse-origin'];
  return {
    res,
    user: userOf(req)?.user,
    session: sessionOf(req),
    origin: typeof origin === 'string' ? origin : undefined,
  };
}

const t = initTRPC.context<typeof createContext>().create();

export const { router } = t;
export const publicProcedure = t.procedure;
export const userProcedure = t.procedure.use(({ ctx, next }) => {
  const { user, session } = ctx;
  if (user === undefined || session === undefined)
    throw new TRPCError({ code: 'UNAUTHORIZED', message: 'log in first' });
  return next({ ctx: { ...ctx, user, session } });
});

/** Reads an input: a record of short texts. */
export function texts<K extends string>(...names: K[]) {
  return (input: unknown): Record<K, string> => {
    const given = (input ?? {}) as Record<K, unknown>;
    for (const name of names) {
      const text = given[name];
      if (typeof text !== 'string' || text.trim() === '' || text.length > 80) {
        throw new TRPCError({ code: 'BAD_REQUEST', message: `${name}: a text of 1 to 80 characters` });
      }
    }
    return given as Record<K, string>;
  };
}
