// Our clients in the failure lab: a real browser, real servers, every failure at once, and what DESIGN promises of each.
// `npm run lab` runs the others beside them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kinds, ours, runLab } from './lab.mjs';
import { faults } from './measure.mjs';
import { scenarios } from './scenarios.mjs';

// 75 s are for the comparison; a beat of 2 s shows the same in the window of the others.
const brief = scenarios.filter(({ window }) => window === undefined);
const { result } = await runLab({ clients: ours, scenarios: brief });

for (const client of ours) {
  describe(client, () => {
    for (const scenario of brief) {
      const found = result(client, scenario.name);
      if (!found) continue;
      test(scenario.name, () => {
        const { connects, gaps, asks, events, statuses, codes } = found;
        const seen = JSON.stringify({ connects, gaps, asks, events, statuses, codes });
        assert.deepEqual(faults(found, scenario, kinds[client]), [], seen);
      });
    }
  });
}
