import { defineConfig } from '@playwright/test';

/** Runs against the server at `LIVELOOM_URL`, which `tests/it/pages.rs` starts. */
export default defineConfig({
  testDir: '.',
  outputDir: process.env.LIVELOOM_E2E_OUTPUT ?? '../test-results',
  // A browser beside other tests on two cores takes its time.
  timeout: 240_000,
  expect: { timeout: 30_000 },
  workers: 1,
  retries: 0,
  forbidOnly: true,
  reporter: [['list']],
  use: {
    baseURL: process.env.LIVELOOM_URL ?? 'http://127.0.0.1:8099',
    locale: 'en-US',
    timezoneId: 'UTC',
    viewport: { width: 1280, height: 800 },
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        // Without these Chromium looks for its maker's servers.
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-quic',
        '--no-first-run',
        '--disable-gpu',
        '--no-sandbox',
        '--autoplay-policy=no-user-gesture-required',
      ],
    },
  },
});
