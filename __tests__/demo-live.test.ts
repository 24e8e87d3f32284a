import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { createApp } from '../examples/demo/app.js';
import { serveLive } from '../examples/demo/live.js';
import session from '../lib/index.js';
import { launchBrowser, newVisitor, type Visitor } from './support/browser.js';
import { describeWith } from './support/servers.js';

jest.setTimeout(60_000);

describeWith('chromium', 'the live page, in two windows of one session', () => {
  let browser: Browser;
  let server: Server;
  let url: string;
  let visitor: Visitor;
  let other: Page;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    const app = createApp({ session, secret: 'a secret for the live page, 32 bytes or more' });
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    serveLive(app.get('sessions'), server);
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    visitor = await newVisitor(browser);
    await visitor.page.goto(url);
    await visitor.page.fill('#name', 'Ada');
    await visitor.click('form[action="/login"] button');
    await visitor.page.goto(`${url}/live`);
    await shows(visitor.page, '#live-status', 'Connected.');
    other = await visitor.page.context().newPage();
    await other.goto(`${url}/live`);
    await shows(other, '#live-windows', '2');
  });
  afterEach(async () => {
    await visitor.close();
    server.closeAllConnections();
    server.close();
  });

  async function shows(page: Page, selector: string, text: string): Promise<void> {
    await page.waitForFunction(
      ([where, expected]) => document.querySelector(where!)?.textContent === expected,
      [selector, text],
    );
  }

  test('both are connected, and each counts the other', async () => {
    await shows(visitor.page, '#live-windows', '2');
    await other.close();
    await shows(visitor.page, '#live-windows', '1');

    expect(visitor.complaints).toEqual([]);
  });

  test("signing out in one closes the other's socket, which says so", async () => {
    await visitor.click('form[action="/logout"] button');

    await shows(other, '#live-status', 'Closed by the server: session renewed. Reload the page to go on.');
    await shows(other, '#live-windows', '0');
    await other.reload();
    await shows(other, '#live-status', 'Connected.');
    expect(await other.locator('.user').count()).toBe(0);
  });

  test("clearing the session in one closes the other's socket, which says so", async () => {
    await visitor.click('form[action="/clear"] button');

    await shows(other, '#live-status', 'Closed by the server: session ended. Reload the page to go on.');
  });

  test('another visitor is not concerned', async () => {
    const stranger = await newVisitor(browser);
    await stranger.page.goto(`${url}/live`);
    await shows(stranger.page, '#live-windows', '1');
    await visitor.click('form[action="/logout"] button');
    await shows(other, '#live-status', 'Closed by the server: session renewed. Reload the page to go on.');

    expect(await stranger.page.textContent('#live-status')).toBe('Connected.');
    expect(stranger.complaints).toEqual([]);
    await stranger.close();
  });
});
