import { chromium, type Browser } from 'playwright-core'
import { demandChromium } from './config.ts'

/** A browser process of its own with an empty profile, which talks to nobody but the product. */
export function launchBrowser(options: { debuggingPort?: number } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: demandChromium(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      ...(options.debuggingPort ? [`--remote-debugging-port=${options.debuggingPort}`] : []),
    ],
  })
}
