import session from '../../lib/index.js';
import { Browser, turn } from '../support/http.js';
import {
  baseOptions,
  begin,
  combine,
  dataSeenBy,
  type Fixture,
  start as startSite,
} from '../support/lifecycle.js';
import { closeSites, type Handler, HOSTS, redirect, serve } from '../support/sites.js';
import { makeStore, STORES } from '../support/test-stores.js';

afterEach(closeSites);

const endings: Record<string, Handler> = {
  'end(text)': (_req, res) => res.end('text'),
  'writeHead() and end()': (_req, res) => res.writeHead(200, { 'X-Custom': 'yes' }).end('text'),
  'a redirect': (_req, res) => redirect(res, '/elsewhere'),
  'end(text), async': async (_req, res) => {
    await Promise.resolve();
    res.end('text');
  },
};

const change: Handler = async (req, _res, next) => {
  await next();
  req.session.changed = 'after await next()';
};

describe.each(combine(HOSTS, STORES))('%s, %s', (host, store) => {
  const start = (after: Handler[]): Promise<Fixture> => startSite({ host, store, after });

  describe.each(Object.entries(endings))('the handler ends with %s', (name, ending) => {
    // HTTP/2's writeHead() sends the headers there and then: no cookie can follow.
    const headLeavesAtOnce = host === 'http/2' && name === 'writeHead() and end()';

    test('L2: what goes into a new session after await next() is stored, and the cookie sent', async () => {
      const fixture = await start([change, ending]);
      const { setCookie } = await fixture.browser.get('/');
      expect(setCookie).toHaveLength(headLeavesAtOnce ? 0 : 1);
      await fixture.settled();
      expect(fixture.onlyData()).toEqual({ changed: 'after await next()' });
    });

    test('L2: what is changed in a stored session after await next() is stored', async () => {
      const fixture = await start([change, ending]);
      await begin(fixture);
      await fixture.browser.get('/');
      expect(await dataSeenBy(fixture.browser)).toEqual({ user: 'ada', changed: 'after await next()' });
    });
  });

  test('L2: several nested async middlewares', async () => {
    const add =
      (name: string, hops: number): Handler =>
      async (req, _res, next) => {
        await next();
        for (let hop = 0; hop < hops; hop++) await Promise.resolve();
        req.session[name] = hops;
      };
    const fixture = await start([add('a', 0), add('b', 1), add('c', 5), add('d', 50), endings['end(text)']!]);
    const { setCookie } = await fixture.browser.get('/');
    expect(setCookie).toHaveLength(1);
    expect(fixture.onlyData()).toEqual({ a: 0, b: 1, c: 5, d: 50 });
  });

  test('L2: sync and async middlewares, mixed', async () => {
    const sync: Handler = (req, _res, next) => {
      next();
      req.session.sync = true;
    };
    const fixture = await start([change, sync, change, sync, endings['end(text), async']!]);
    await fixture.browser.get('/');
    expect(await dataSeenBy(fixture.browser)).toEqual({ changed: 'after await next()', sync: true });
  });

  test('L2: what is changed long after next() is stored when the response is over', async () => {
    const tardy: Handler = async (req, res, next) => {
      await next();
      await new Promise((resolve) => res.once('finish', resolve));
      req.session.changed = 'late';
    };
    const fixture = await start([tardy, endings['end(text)']!]);
    await begin(fixture);
    await fixture.browser.get('/');
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'ada', changed: 'late' });
  });
});

describe.each(STORES)('a chain whose next() returns the promise of what follows, %s', (storeName) => {
  test('L2: the change after await next() is stored however long the handler took', async () => {
    const stored = makeStore(storeName);
    const sessions = session({ ...baseOptions, store: stored.store });
    const handle: Handler = async (req, res) => {
      req.session.handler = 1;
      await turn();
      await turn();
      res.end('text');
    };
    const outer: Handler = async (req, res) => {
      await new Promise((resolve) => sessions(req, res, resolve));
      await handle(req, res, () => {});
      req.session.outer = 1;
    };
    const site = await serve('node:http', [outer]);
    const { setCookie } = await new Browser(site).get('/');
    expect(setCookie).toHaveLength(1);
    expect(Object.values(stored.data())).toEqual([{ handler: 1, outer: 1 }]);
  });
});
