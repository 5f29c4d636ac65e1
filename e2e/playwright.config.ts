import { defineConfig } from '@playwright/test'
import { chromiumProgram } from './src/config.ts'

export default defineConfig({
  testDir: './test',
  testMatch: '*.test.ts',
  outputDir: './test-results',
  globalSetup: './src/global-setup.ts',
  workers: 2,
  fullyParallel: false,
  // Bounds against hanging, far above what a quiet machine needs.
  timeout: 150_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  forbidOnly: true,
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    colorScheme: 'light',
    actionTimeout: 20_000,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: chromiumProgram(),
      // Playwright starts Chromium without its own sandbox, so this works for root too.
      args: ['--disable-gpu', '--disable-background-networking', '--disable-component-update'],
      // Under the locale POSIX Chromium cannot read files with names beyond ASCII.
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    },
  },
})
