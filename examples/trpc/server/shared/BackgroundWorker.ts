// Polls the API of the job, and notifies `progress` when its answer changed.
import { BackgroundWorker } from 'tinysse/server';
import { updateService } from './UpdateService.js';

/** What the polled API answers. */
export interface Progress {
  step: number;
  percent: number;
  label: string;
}

export const progressApi = process.env.PROGRESS_API ?? 'http://127.0.0.1:3001';

export const worker = new BackgroundWorker(updateService);
worker.poll({ type: 'progress', url: `${progressApi}/state`, every: 2_000 });
