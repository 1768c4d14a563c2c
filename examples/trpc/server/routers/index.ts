// The API of the application.
import { router } from '../trpc.js';
import { authenticationRouter } from './authentication.js';
import { computeRouter } from './compute.js';
import { gardenerRouter } from './gardener.js';
import { imagesRouter } from './images.js';
import { progressRouter } from './progress.js';
import { projectsRouter } from './projects.js';

export const appRouter = router({
  authentication: authenticationRouter,
  compute: computeRouter,
  gardener: gardenerRouter,
  images: imagesRouter,
  progress: progressRouter,
  projects: projectsRouter,
});

export type AppRouter = typeof appRouter;
