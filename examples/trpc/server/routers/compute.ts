// Compute instances, which are created, started and stopped.
import { updateService } from '../shared/UpdateService.js';
import { type Row, Table } from '../table.js';
import { publicProcedure, router, texts, userProcedure } from '../trpc.js';

interface Instance extends Row {
  readonly running: boolean;
}

const instances = new Table<Instance>([
  { id: 'w1', name: 'worker-1', running: true, by: '', at: 0 },
  { id: 'w2', name: 'worker-2', running: false, by: '', at: 0 },
]);

export const computeRouter = router({
  getAll: publicProcedure.query(() => instances.all()),
  create: userProcedure.input(texts('name')).mutation(({ ctx, input }) => {
    instances.add({ name: input.name, running: false, by: ctx.user });
    updateService.notify('compute', { origin: ctx.origin });
  }),
  turn: userProcedure.input(texts('id', 'to')).mutation(({ ctx, input }) => {
    instances.set(input.id, { running: input.to === 'on', by: ctx.user });
    updateService.notify('compute', { origin: ctx.origin });
  }),
});
