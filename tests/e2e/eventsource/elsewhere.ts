// The EventSource of tinysse in a browser that Playwright does not drive, with
// `npm test -- --only firefox,webkit`.
import { expect, test } from '@playwright/test';
import { Driver } from './driver';
import type { Place } from './kit';
import type { Result } from './runner';
import { Origin } from './server';

const { TINYSSE_ENGINE: engine = '', TINYSSE_DRIVER = '[]', TINYSSE_CAPABILITIES = '{}' } = process.env;

/** What fails for a fault of the browser's own fetch, which no class can work around. */
const faults: Record<string, RegExp> = {
  // An aborted request that was redirected stays connected until more bytes come (153 ESR). These
  // would take all six connections.
  firefox: /^redirect/,
  // A header's characters above ASCII are sent as UTF-8, not as bytes (WebKitGTK 2.50).
  webkit: /^id: sent as UTF-8/,
};

const load = `
  const [place, except, done] = arguments;
  const script = (src) => new Promise((onload, onerror) => {
    document.head.append(Object.assign(document.createElement('script'), { src, onload, onerror }));
  });
  script('/pkg/eventsource/classic.js')
    .then(() => script('/runner.js'))
    .then(() => runCases(place, except))
    .then(done, (error) => done([{ name: 'the runner', error: String(error) }]));
`;

test(`in ${engine}`, async () => {
  test.setTimeout(180_000);
  const [here, there] = await Promise.all([Origin.start(), Origin.start()]);
  const driver = await Driver.start(JSON.parse(TINYSSE_DRIVER), JSON.parse(TINYSSE_CAPABILITIES));
  try {
    await driver.open(here.url);
    const place: Place = { origin: here.url, other: there.url, context: 'window', native: false };
    const results = await driver.run<Result[]>(load, place, faults[engine]?.source ?? '');
    const failed = results.filter(({ error }) => error);
    console.log(`  tinysse, ${engine}: ${results.length - failed.length} of ${results.length} passed`);
    expect(failed).toEqual([]);
    expect(results.length).toBeGreaterThan(100);
  } finally {
    await driver.end();
    here.end();
    there.end();
  }
});
