// Our clients in the failure lab: a real browser, real servers, every failure at once, and what is
// promised for each. `npm run lab` runs other clients beside them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kinds, ours, runLab } from './lab.mjs';
import { cell, faults } from './measure.mjs';
import { scenarios } from './scenarios.mjs';

// A heartbeat of 2 s shows within the usual window what takes 75 s elsewhere.
const brief = scenarios.filter(({ window = 0 }) => window < 60_000);
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

test('the table shows no status that is not reported, and no attempt before Retry-After', () => {
  const marked = [];
  for (const client of ours) {
    for (const scenario of brief) {
      const text = cell(result(client, scenario.name), scenario);
      if (/\*\*.*\b[ue]\b/.test(text)) marked.push(`${client}, ${scenario.name}: ${text}`);
    }
  }
  assert.deepEqual(marked, []);
});
