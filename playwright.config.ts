// The end-to-end tests: the built page in Chromium against the built server. `npm test` builds both first (scripts/e2e.mjs).
import { defineConfig } from '@playwright/test';
import { findChromium } from './scripts/lib/browser.mjs';

const { browser } = findChromium();

export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'target/e2e',
  // Each file to a worker; inside a file one after the other.
  workers: 2,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    ...(browser && { launchOptions: launch(browser) }),
    trace: { mode: 'retain-on-failure', screenshots: false, snapshots: true, sources: false },
    colorScheme: 'light',
  },
  projects: [
    { name: 'chromium', testMatch: '*.spec.ts' },
    { name: 'elsewhere', testMatch: 'elsewhere.ts' },
    { name: 'screenshots', testMatch: 'screenshots.ts' },
    { name: 'foreign', testDir: 'tests/foreign', fullyParallel: true, timeout: 120_000 },
    { name: 'soak', testDir: 'tests/soak' },
  ],
});

function launch(executablePath: string) {
  return {
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-quic',
      '--disable-sync',
      '--no-first-run',
    ],
    // Playwright turns the back/forward cache off; here it is under test.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  };
}
