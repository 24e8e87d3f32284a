import { begin, combine, dataSeenBy, type Fixture, start as startSite } from '../support/lifecycle.js';
import { closeSites, type Handler, HOSTS, redirect } from '../support/sites.js';
import { STORES } from '../support/test-stores.js';

afterEach(closeSites);

/** Ways to end a response in one go. */
const endings: Record<string, Handler> = {
  'end()': (_req, res) => res.end(),
  'end(text)': (_req, res) => res.end('text'),
  'Content-Length and end(text)': (_req, res) => {
    res.setHeader('Content-Length', 4);
    res.end('text');
  },
  'writeHead() and end()': (_req, res) => res.writeHead(200, { 'X-Custom': 'yes' }).end('text'),
  'a redirect': (_req, res) => redirect(res, '/elsewhere'),
};

const change: Handler = (req, _res, next) => {
  next();
  req.session.changed = 'after next()';
};

describe.each(combine(HOSTS, STORES))('%s, %s', (host, store) => {
  const start = (after: Handler[], options = {}): Promise<Fixture> =>
    startSite({ host, store, options, after });

  describe.each(Object.entries(endings))('the handler ends with %s', (name, ending) => {
    // HTTP/2's writeHead() sends the headers there and then: no cookie can follow.
    const headLeavesAtOnce = host === 'http/2' && name === 'writeHead() and end()';

    test('L1: what goes into a new session after next() is stored, and the cookie sent', async () => {
      const fixture = await start([change, ending]);
      const { setCookie } = await fixture.browser.get('/');
      expect(setCookie).toHaveLength(headLeavesAtOnce ? 0 : 1);
      await fixture.settled();
      expect(fixture.onlyData()).toEqual({ changed: 'after next()' });
      expect(await dataSeenBy(fixture.browser)).toEqual(headLeavesAtOnce ? {} : { changed: 'after next()' });
    });

    test('L1: what is changed in a stored session after next() is stored', async () => {
      const fixture = await start([change, ending]);
      await begin(fixture);
      const { setCookie } = await fixture.browser.get('/');
      expect(setCookie).toEqual([]);
      expect(await dataSeenBy(fixture.browser)).toEqual({ user: 'ada', changed: 'after next()' });
    });
  });

  test('L1: the cookie gets its new end of life when only what follows next() has changed the session', async () => {
    const fixture = await start([change, endings['end(text)']!], { cookie: { maxAge: 60_000 } });
    await begin(fixture);
    const { setCookie } = await fixture.browser.get('/');
    expect(setCookie).toHaveLength(1);
    expect(setCookie[0]).toMatch(/^connect\.sid=s%3A.*; Path=\/; Expires=.* GMT; HttpOnly$/);
  });

  test('L1: each of several middlewares may add its share after next()', async () => {
    const add =
      (name: string): Handler =>
      (req, _res, next) => {
        req.session[`${name} before`] = 1;
        next();
        req.session[`${name} after`] = Object.keys(req.session).length;
      };
    const fixture = await start([add('a'), add('b'), add('c'), endings['end(text)']!]);
    await fixture.browser.get('/');
    expect(await dataSeenBy(fixture.browser)).toEqual({
      ...{ 'a before': 1, 'b before': 1, 'c before': 1 },
      ...{ 'c after': 4, 'b after': 5, 'a after': 6 },
    });
  });

  test('L1: a session emptied after next() is stored empty', async () => {
    const empty: Handler = (req, _res, next) => {
      next();
      delete req.session.user;
    };
    const fixture = await start([empty, endings['end(text)']!]);
    await begin(fixture);
    await fixture.browser.get('/');
    expect(fixture.onlyData()).toEqual({});
  });

  test('L1: a session destroyed after next() is gone', async () => {
    const destroy: Handler = (req, _res, next) => {
      next();
      req.session.destroy();
    };
    const fixture = await start([destroy, endings['end(text)']!]);
    await begin(fixture);
    await fixture.browser.get('/');
    expect(fixture.onlyData()).toBeUndefined();
  });
});

describe.each(['express 5', 'express 4'] as const)('%s', (host) => {
  test.each<[string, Handler]>([
    ['res.send()', (_req, res) => res.send('text')],
    ['res.json()', (_req, res) => res.json({ a: 1 })],
    ['res.sendStatus()', (_req, res) => res.sendStatus(204)],
  ])('L1: after %s', async (_name, ending) => {
    const fixture = await startSite({ host, store: 'callback store', after: [change, ending] });
    const { setCookie } = await fixture.browser.get('/');
    expect(setCookie).toHaveLength(1);
    expect(fixture.onlyData()).toEqual({ changed: 'after next()' });
  });
});
