import session from '../../lib/index.js';
import { Browser } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';

// What the third hostile review found, each by its test.

afterEach(async () => {
  jest.useRealTimers();
  await closeSites();
});

async function open(app: Handler) {
  const store = new session.MemoryStore();
  const sessions = session({ ...baseOptions, store });
  const browser = new Browser(await serve('node:http', [sessions, app]));
  const stored = () => Object.values(store.sessions).map((text) => JSON.parse(text));
  return { sessions, browser, stored };
}

test('faked timers and ticks hold up no response, neither then nor later', async () => {
  const { browser, stored } = await open((req, res) => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.end('done');
  });
  jest.useFakeTimers();
  expect((await browser.get('/')).body).toBe('done');
  jest.useRealTimers();
  for (let visit = 2; visit < 5; visit++) expect((await browser.get('/')).body).toBe('done');

  expect(stored()).toMatchObject([{ views: 4 }]);
});
