// The polled job: its last value, with its age, and a button to disturb its API.
import { type Progress, progressApi, worker } from '../shared/BackgroundWorker.js';
import { publicProcedure, router, userProcedure } from '../trpc.js';

export const progressRouter = router({
  get: publicProcedure.query(() => {
    const known = worker.value('progress');
    return { value: (known?.data as Progress | undefined) ?? null, age: known?.age ?? 0, stale: known?.stale ?? false };
  }),
  restart: userProcedure.mutation(async () => {
    await fetch(`${progressApi}/restart`, { method: 'POST' });
    // Not in two seconds: the user waits for it.
    await worker.refresh('progress');
  }),
});
