// Projects: a list whose rows are added, renamed and removed.
import { updateService } from '../shared/UpdateService.js';
import { type Row, Table } from '../table.js';
import { publicProcedure, router, texts, userProcedure } from '../trpc.js';

const projects = new Table<Row>(
  ['Apollo', 'Gemini', 'Mercury'].map((name) => ({ id: name.toLowerCase(), name, by: '', at: 0 })),
);

export const projectsRouter = router({
  getAll: publicProcedure.query(() => projects.all()),
  create: userProcedure.input(texts('name')).mutation(({ ctx, input }) => {
    projects.add({ name: input.name, by: ctx.user });
    updateService.notify('projects', { origin: ctx.origin });
  }),
  rename: userProcedure.input(texts('id', 'name')).mutation(({ ctx, input }) => {
    projects.set(input.id, { name: input.name, by: ctx.user });
    updateService.notify('projects', { origin: ctx.origin });
  }),
  remove: userProcedure.input(texts('id')).mutation(({ ctx, input }) => {
    projects.remove(input.id);
    updateService.notify('projects', { origin: ctx.origin });
  }),
});
