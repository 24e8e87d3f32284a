import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { chromiumPath } from './servers.js';

/** No sandbox, since CI runs as root; and no traffic of Chromium's own. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The Chromium that is installed, for tests inside `describeWith('chromium', ...)`. Close it when done. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), args: ARGUMENTS });
}

export interface Visitor {
  readonly page: Page;
  /** What the browser complained of: scripts' errors, refused by the Content-Security-Policy, missing files. */
  readonly complaints: string[];
  /** Clicks what leads to another page, and waits for that page. */
  click(selector: string): Promise<void>;
  close(): Promise<void>;
}

/** A new visitor: one empty page with a cookie jar of its own. */
export async function newVisitor(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(10_000); // ms to wait for what a test names, such as an element
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return {
    page,
    complaints,
    async click(selector) {
      await Promise.all([page.waitForEvent('load'), page.click(selector)]);
    },
    close: () => context.close(),
  };
}
