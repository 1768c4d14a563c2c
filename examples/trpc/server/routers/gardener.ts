// The gardener's plants, which want to be watered.
import { updateService } from '../shared/UpdateService.js';
import { type Row, Table } from '../table.js';
import { publicProcedure, router, texts, userProcedure } from '../trpc.js';

interface Plant extends Row {
  readonly watered: number;
}

const plants = new Table<Plant>([
  { id: 'fern', name: 'Fern', watered: 2, by: '', at: 0 },
  { id: 'basil', name: 'Basil', watered: 0, by: '', at: 0 },
]);

export const gardenerRouter = router({
  getAll: publicProcedure.query(() => plants.all()),
  plant: userProcedure.input(texts('name')).mutation(({ ctx, input }) => {
    plants.add({ name: input.name, watered: 0, by: ctx.user });
    updateService.notify('gardener', { origin: ctx.origin });
  }),
  water: userProcedure.input(texts('id')).mutation(({ ctx, input }) => {
    const watered = (plants.all().find(({ id }) => id === input.id)?.watered ?? 0) + 1;
    plants.set(input.id, { watered, by: ctx.user });
    updateService.notify('gardener', { origin: ctx.origin });
  }),
});
