// Runs clients through scenarios, all at once, and answers what servers and applications saw.
import { setTimeout as sleep } from 'node:timers/promises';
import { Booth } from './booth.mjs';
import { measure } from './measure.mjs';
import { beside, openPage } from './site.mjs';

/** The clients of tinysse by kind, which determines what is required of them. */
export const kinds = { 'ours-eventsource': 'hybrid', 'ours-fetch': 'fetch', 'ours-class': 'class' };
export const ours = Object.keys(kinds);
export const others = ['native', 'eventsource', 'fetch-event-source', 'event-source-polyfill'];

const usualWindow = 15_000;

/** Whether a scenario is for a client: only our main client knows tinysse/1. */
const concerns = (scenario, client) =>
  scenario.speaks !== 'tinysse' || client === 'ours-eventsource' || client === 'ours-fetch';

/** Answers `result(client, scenario name)`, which is undefined where a scenario does not concern a client. */
export async function runLab({ clients, scenarios }) {
  const site = await openPage(beside('page.ts'));
  const results = new Map();
  try {
    const many = clients.length > ours.length;
    await Promise.all(
      scenarios.map(async (scenario) => {
        if (scenario.late && many) await sleep(usualWindow + 2000);
        const concerned = clients.filter((client) => concerns(scenario, client));
        const found = await Promise.all(concerned.map((client) => runOne(site.page, client, scenario)));
        for (const [index, client] of concerned.entries()) results.set(`${client}\n${scenario.name}`, found[index]);
      }),
    );
  } finally {
    await site.close();
  }
  return { result: (client, name) => results.get(`${client}\n${name}`) };
}

async function runOne(page, client, scenario) {
  const booth = await Booth.open(scenario);
  const { window = usualWindow, copies = 1 } = scenario;
  const key = `${client}\n${scenario.name}`;
  try {
    const open = (args) => globalThis.lab.open(...args);
    await page.evaluate(open, [key, client, `${booth.url}/events`, copies]);
    let ping;
    if (copies > 1) {
      await sleep(8000);
      ping = await page.evaluate((url) => globalThis.lab.ping(url), `${booth.url}/ping`);
      await sleep(window - 8000);
    } else {
      await sleep(window);
    }
    const seen = await page.evaluate((name) => globalThis.lab.close(name), key);
    return measure({ scenario, booth, seen, ping, window });
  } finally {
    await booth.close();
  }
}
