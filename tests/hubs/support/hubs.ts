// The suite for every hub: the same tests, each with hubs of its own.
import { describe, onTestFinished, test } from 'vitest';
import { HubClient } from './client.js';
import { node, web } from './node-target.js';
import { rust } from './rust-target.js';
import type { Settings, Target } from './target.js';

/** All hubs. */
export const TARGETS: readonly Target[] = [rust, node, web];

/** What a group of tests works with. */
export interface Suite {
  readonly target: Target;
  /** Starts a hub for the test that runs, and ends it with that. */
  start(settings?: Settings): Promise<HubClient>;
}

/** Defines tests for every hub that can be started here. */
export function forEachHub(define: (suite: Suite) => void): void {
  for (const target of TARGETS) {
    describe(target.name, () => {
      if (target.missing === undefined) define({ target, start: (settings) => start(target, settings) });
      else missing(target.missing);
    });
  }
}

/** In CI a hub that was not built is a failure. */
function missing(why: string): void {
  test('the hub can be started', ({ skip }) => {
    if (process.env.CI) throw new Error(why);
    console.warn(`the tests of this hub are skipped: ${why}`);
    skip(why);
  });
}

async function start(target: Target, settings: Settings = {}): Promise<HubClient> {
  const client = new HubClient(target, await target.start(settings));
  onTestFinished(() => client.end());
  return client;
}
