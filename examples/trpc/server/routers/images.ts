// Images, which take a moment to build: the server notifies when one is requested and when it is ready.
import { updateService } from '../shared/UpdateService.js';
import { type Row, Table } from '../table.js';
import { publicProcedure, router, texts, userProcedure } from '../trpc.js';

interface Image extends Row {
  readonly ready: boolean;
}

/** How long a build takes, in milliseconds. */
const BUILD = Number(process.env.IMAGE_BUILD ?? 2_000);

const images = new Table<Image>([{ id: 'base', name: 'base', ready: true, by: '', at: 0 }]);

export const imagesRouter = router({
  getAll: publicProcedure.query(() => images.all()),
  build: userProcedure.input(texts('name')).mutation(({ ctx, input }) => {
    const { id } = images.add({ name: input.name, ready: false, by: ctx.user });
    updateService.notify('images', { origin: ctx.origin });
    setTimeout(() => {
      // Nobody asked for it: the server itself made this change.
      if (images.set(id, { ready: true })) updateService.notify('images');
    }, BUILD);
  }),
});
