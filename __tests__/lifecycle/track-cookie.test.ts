import { begin, combine, type Fixture, start as startSite } from '../support/lifecycle.js';
import { closeSites, type Handler, type HostName } from '../support/sites.js';
import { GATED_STORES, STORES, type StoreName } from '../support/test-stores.js';

afterEach(closeSites);

const MONTH = 30 * 86_400_000;

function setup(store: StoreName, host: HostName = 'node:http') {
  return { host, store, options: { trackCookie: true, cookie: { maxAge: 60_000 } } };
}

/** What an app does to a session's cookie, and what the next request is to find of it. */
const changes: [name: string, found: object, change: Handler][] = [
  ['maxAge', { originalMaxAge: MONTH }, (req) => (req.session.cookie.maxAge = MONTH)],
  ['sameSite', { sameSite: 'strict' }, (req) => (req.session.cookie.sameSite = 'strict')],
  ['originalMaxAge', { originalMaxAge: MONTH }, (req) => (req.session.cookie.originalMaxAge = MONTH)],
];

describe.each(combine(['node:http', 'express 5'] as const, STORES))('trackCookie, %s, %s', (host, store) => {
  const start = (...after: Handler[]): Promise<Fixture> => startSite({ ...setup(store, host), after });

  test.each(changes)('a change of cookie.%s alone is stored', async (_name, found, change) => {
    const fixture = await start((req, res, next) => {
      if (req.url !== '/change') return void next();
      change(req, res, next);
      res.end();
    }, showCookie);
    await begin(fixture);
    expect((await fixture.browser.get('/change')).setCookie).toHaveLength(1);
    await fixture.settled();
    expect(JSON.parse((await fixture.browser.get('/')).body)).toMatchObject(found);
  });

  test('one after the app has saved the session is stored', async () => {
    const fixture = await start(async (req, res, next) => {
      if (req.url !== '/change') return void next();
      await req.session.save();
      req.session.cookie.maxAge = MONTH;
      res.end();
    }, showCookie);
    await begin(fixture);
    await fixture.browser.get('/change');
    await fixture.settled();
    expect(JSON.parse((await fixture.browser.get('/')).body)).toMatchObject({ originalMaxAge: MONTH });
  });

  test('a cookie that merely ages is no change', async () => {
    const fixture = await start(showCookie);
    await begin(fixture);
    await fixture.browser.get('/');
    await fixture.settled();
    expect(fixture.traffic.count('set')).toBe(0);
  });
});

// touching a session of the memory store is storing it
describe.each(GATED_STORES)('trackCookie, %s', (store) => {
  test('one that the app has saved itself is not stored again', async () => {
    const fixture = await startSite({
      ...setup(store),
      after: [
        async (req, res) => {
          req.session.cookie.maxAge = MONTH;
          await req.session.save();
          res.end();
        },
      ],
    });
    await begin(fixture);
    expect((await fixture.browser.get('/')).setCookie).toHaveLength(1);
    await fixture.settled();
    expect(fixture.traffic.count('set')).toBe(1);
  });
});

const showCookie: Handler = (req, res) => res.end(JSON.stringify(req.session.cookie));
