// The one place that notifies: a hub in this process, or, with HUB and HUB_KEY, a `tinysse-server`.
import { createHub, createRemote, type UpdateService } from 'tinysse/server';
import { userOf } from '../session.js';
import type { AppUpdates } from './updates.js';

const { HUB, HUB_KEY = '', TINYSSE_SECRET } = process.env;

/** The routes that browsers connect to; absent where the streams are another server's. */
export const hub = HUB
  ? undefined
  : createHub<AppUpdates>({
      secret: TINYSSE_SECRET,
      identify: ({ node }) => (node && userOf(node)) ?? null,
      heartbeat: 5_000,
    });

export const remote = HUB ? { url: HUB, key: HUB_KEY } : undefined;

/** What the routers notify. They know nothing of streams. */
export const updateService: UpdateService<AppUpdates> =
  hub ?? createRemote<AppUpdates>({ url: HUB ?? '', key: HUB_KEY });
