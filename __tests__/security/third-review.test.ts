import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
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

test('a getter of the app on `req.session` that serves another request meanwhile does not make the session seem looked at', async () => {
  const { browser, sessions, stored } = await open((req, res) => {
    const { get, set } = Object.getOwnPropertyDescriptor(req, 'session')!;
    let isInside = false;
    Object.defineProperty(req, 'session', {
      configurable: true,
      set: set!,
      get() {
        if (!isInside) {
          isInside = true;
          const other = Object.assign(new IncomingMessage(new Socket()), { url: '/', method: 'GET' });
          const answer = new ServerResponse(other);
          sessions(other, answer, () => sessions(other, answer, () => {})); // which asks whether it is served already
          isInside = false;
        }
        const seen = get!.call(req);
        if (seen instanceof session.Session) Object.assign(seen, { touched: true });
        return seen;
      },
    });
    res.end();
  });

  expect((await browser.get('/')).setCookie).toEqual([]);
  expect(stored()).toEqual([]);
});
