// Who is logged in. A logout ends the streams of its session at once.
import { loggedIn, logIn, logOut } from '../session.js';
import { updateService } from '../shared/UpdateService.js';
import { endStreams } from '../streams.js';
import { publicProcedure, router, texts, userProcedure } from '../trpc.js';

export const authenticationRouter = router({
  me: publicProcedure.query(({ ctx }) => ctx.user ?? null),
  online: publicProcedure.query(() => loggedIn()),
  logIn: publicProcedure.input(texts('user')).mutation(async ({ ctx, input }) => {
    if (ctx.session !== undefined) await end(ctx.res, ctx.session);
    logIn(ctx.res, input.user);
    updateService.notify('authentication', { origin: ctx.origin });
  }),
  logOut: userProcedure.mutation(async ({ ctx }) => {
    await end(ctx.res, ctx.session);
    updateService.notify('authentication', { origin: ctx.origin });
  }),
});

async function end(res: Parameters<typeof logOut>[0], session: string): Promise<void> {
  logOut(res, session);
  await endStreams(session);
}
