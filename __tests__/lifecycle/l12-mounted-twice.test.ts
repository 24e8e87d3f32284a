import express from 'express';
import session from '../../lib/index.js';
import { Browser } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { closeSites, type Handler, HOSTS, type HostName, type Site, serve } from '../support/sites.js';
import { makeStore, STORES, type StoreName, type TestStore } from '../support/test-stores.js';

afterEach(closeSites);

interface Two {
  site: Site;
  browser: Browser;
  first: TestStore;
  second: TestStore;
}

type Arrange = (first: Handler, second: Handler) => Handler[];

/** A site with two session middlewares of different names, stores and secrets. */
async function startTwo(
  host: HostName,
  store: StoreName,
  arrange: Arrange,
  options: {
    both?: session.SessionOptions;
    first?: session.SessionOptions;
    second?: session.SessionOptions;
  } = {},
): Promise<Two> {
  const stores = [makeStore(store), makeStore(store)] as const;
  const both = { ...baseOptions, ...options.both };
  const first = session({ ...both, name: 'one', secret: 'one', store: stores[0].store, ...options.first });
  const second = session({ ...both, name: 'two', secret: 'two', store: stores[1].store, ...options.second });
  const site = await serve(host, arrange(first as Handler, second as Handler));
  return { site, browser: new Browser(site), first: stores[0], second: stores[1] };
}

const dataOf = ({ data }: TestStore): unknown[] => Object.values(data());

const nameOf = (line: string): string => line.split('=')[0]!;

const count: Handler = (req, res) => {
  req.session.count = (req.session.count ?? 0) + 1;
  res.end(String(req.session.count));
};

describe.each(combineAll())('%s, %s', (host, store) => {
  test('L12: a session that the app has deleted from the request leaves it to that of the other one', async () => {
    const leave: Handler = (req, _res, next) => {
      delete req.session;
      next();
    };
    const act: Handler = (req, res) => {
      const { session: own } = req;
      if (req.url === '/end') delete req.session;
      else own.user = 'ada';
      if (req.url === '/define') Object.defineProperty(req, 'session', { value: own });
      res.end();
    };
    const options = { both: { unset: 'destroy' } } as const;
    const { browser, first, second } = await startTwo(
      host,
      store,
      (one, two) => [one, leave, two, act],
      options,
    );
    await browser.get('/define');
    await second.traffic.idle();
    expect([dataOf(first), dataOf(second)]).toEqual([[], [{ user: 'ada' }]]);
    await browser.get('/end');
    await second.traffic.idle();

    expect([dataOf(first), dataOf(second)]).toEqual([[], []]);
  });

  test('L12: the same one twice is like once', async () => {
    const stored = makeStore(store);
    const sessions = session({ ...baseOptions, store: stored.store }) as Handler;
    const site = await serve(host, [sessions, sessions, count]);
    const browser = new Browser(site);
    const first = await browser.get('/');
    expect(first.setCookie).toHaveLength(1);
    expect(first.body).toBe('1');
    expect((await browser.get('/')).body).toBe('2');
    expect(dataOf(stored)).toEqual([{ count: 2 }]);
    if (store !== 'MemoryStore') expect(stored.traffic.calls).toEqual(['set', 'get', 'set']);
  });

  test('L12: two on one path: the first one serves, the second is not there', async () => {
    const { browser, first, second } = await startTwo(host, store, (one, two) => [one, two, count]);
    const answer = await browser.get('/');
    expect(answer.setCookie.map(nameOf)).toEqual(['one']);
    expect((await browser.get('/')).body).toBe('2');
    expect(dataOf(first)).toEqual([{ count: 2 }]);
    expect(dataOf(second)).toEqual([]);
  });

  test('L12: two on different paths serve one browser', async () => {
    const onPath =
      (path: string, handler: Handler): Handler =>
      (req, res, next) =>
        req.url.startsWith(path) ? handler(req, res, next) : next();
    const { browser, first, second } = await startTwo(host, store, (one, two) => [
      onPath('/a', one),
      onPath('/b', two),
      count,
    ]);
    expect((await browser.get('/a')).setCookie.map(nameOf)).toEqual(['one']);
    expect((await browser.get('/b')).setCookie.map(nameOf)).toEqual(['two']);
    expect((await browser.get('/a/x')).body).toBe('2');
    expect((await browser.get('/a')).body).toBe('3');
    expect((await browser.get('/b')).body).toBe('2');
    expect(dataOf(first)).toEqual([{ count: 3 }]);
    expect(dataOf(second)).toEqual([{ count: 2 }]);
  });

  test('L12: two with cookies of different paths serve one browser', async () => {
    const { browser, first, second } = await startTwo(host, store, (one, two) => [one, two, count], {
      first: { cookie: { path: '/a' } },
      second: { cookie: { path: '/b' } },
    });
    expect((await browser.get('/a')).setCookie.map(nameOf)).toEqual(['one']);
    expect((await browser.get('/b')).setCookie.map(nameOf)).toEqual(['two']);
    expect((await browser.get('/a')).body).toBe('2');
    expect((await browser.get('/b')).body).toBe('2');
    expect(dataOf(first)).toEqual([{ count: 2 }]);
    expect(dataOf(second)).toEqual([{ count: 2 }]);
  });

  /** Takes the first session away, so that the second middleware makes its own. */
  const giveUp: Handler = (req, _res, next) => {
    req.session = null;
    next();
  };
  const useFirst: Handler = (req, _res, next) => {
    req.session.first = true;
    next();
  };
  const exceptGiveUp =
    (handler: Handler): Handler =>
    (req, res, next) =>
      req.url === '/give-up' ? handler(req, res, next) : next();

  test("L12: the first one's session unset and the second mounted: the second serves", async () => {
    const { browser, first, second } = await startTwo(host, store, (one, two) => [
      one,
      useFirst,
      exceptGiveUp(giveUp),
      two,
      count,
    ]);
    const before = await browser.get('/');
    expect(before.setCookie.map(nameOf)).toEqual(['one']);
    const after = await browser.get('/give-up');
    expect(after.setCookie.map(nameOf)).toEqual(['two']);
    expect((await browser.get('/give-up')).body).toBe('2');
    expect(dataOf(first)).toEqual([{ first: true, count: 1 }]);
    expect(dataOf(second)).toEqual([{ count: 2 }]);
  });

  test("L12: with unset: 'destroy', the record of the first one goes, and that of the second stays", async () => {
    const { browser, first, second } = await startTwo(
      host,
      store,
      (one, two) => [one, useFirst, exceptGiveUp(giveUp), two, count],
      { both: { unset: 'destroy', clearCookie: true } },
    );
    await browser.get('/');
    expect(dataOf(first)).toEqual([{ first: true, count: 1 }]);
    const { setCookie } = await browser.get('/give-up');
    expect(setCookie.map((line) => line.slice(0, 6))).toEqual(['one=; ', 'two=s%']);
    expect(dataOf(first)).toEqual([]);
    expect(dataOf(second)).toEqual([{ count: 1 }]);
    expect(browser.cookie('one')).toBeUndefined();
    expect((await browser.get('/give-up')).body).toBe('2');
    expect(dataOf(first)).toEqual([]);
    expect(dataOf(second)).toEqual([{ count: 2 }]);
  });

  test.each(['first', 'second'] as const)(
    'L12: cachePrivate of the %s holds for the response',
    async (which) => {
      const { browser } = await startTwo(host, store, (one, two) => [one, useFirst, giveUp, two, count], {
        [which]: { cachePrivate: true },
      });
      const { setCookie, headers } = await browser.get('/');
      expect(setCookie.map(nameOf)).toEqual(['two']);
      expect(headers['cache-control']).toBe('private');
    },
  );

  test('L12: the second one destroys its session: the first keeps its own', async () => {
    const { browser, first, second } = await startTwo(host, store, (one, two) => [
      one,
      useFirst,
      exceptGiveUp(giveUp),
      two,
      async (req, res) => {
        if (req.url === '/give-up') {
          req.session.second = true;
          await req.session.save();
          await req.session.destroy();
        }
        res.end('text');
      },
    ]);
    await browser.get('/');
    await browser.get('/give-up');
    expect(dataOf(first)).toEqual([{ first: true }]);
    expect(dataOf(second)).toEqual([]);
  });
});

describe.each(['express 5', 'express 4'] as const)('%s', (host) => {
  const framework = host === 'express 4' ? (require('express4') as typeof express) : express;

  test.each(STORES)('L12: in a nested app: the outer one serves, %s', async (store) => {
    const outer = makeStore(store);
    const inner = makeStore(store);
    const nested = framework();
    nested.use(session({ ...baseOptions, name: 'inner', store: inner.store }));
    nested.use(count as never);
    const app = framework();
    app.use(session({ ...baseOptions, name: 'outer', store: outer.store }));
    app.use('/nested', nested);
    const browser = new Browser(await serve('node:http', [(req, res) => app(req, res)]));
    const answer = await browser.get('/nested/page');
    expect(answer.setCookie.map(nameOf)).toEqual(['outer']);
    expect((await browser.get('/nested/page')).body).toBe('2');
    expect(dataOf(outer)).toEqual([{ count: 2 }]);
    expect(dataOf(inner)).toEqual([]);
  });

  test.each(STORES)(
    'L12: in a nested app alone: its cookie path is that of the whole site, %s',
    async (store) => {
      const inner = makeStore(store);
      const nested = framework();
      nested.use(session({ ...baseOptions, store: inner.store, cookie: { path: '/nested' } }));
      nested.use(count as never);
      const app = framework();
      app.use('/nested', nested);
      app.use(((_req, res) => res.end('outside')) as Handler as never);
      const browser = new Browser(await serve('node:http', [(req, res) => app(req, res)]));
      expect((await browser.get('/nested/page')).setCookie).toHaveLength(1);
      expect((await browser.get('/nested/page')).body).toBe('2');
      expect((await browser.get('/')).body).toBe('outside');
      expect(dataOf(inner)).toEqual([{ count: 2 }]);
    },
  );

  test('L12: one middleware on two routers of one app', async () => {
    const stored = makeStore('callback store');
    const sessions = session({ ...baseOptions, store: stored.store });
    const app = framework();
    for (const path of ['/a', '/b']) app.use(path, framework.Router().use(sessions, count as never));
    const browser = new Browser(await serve('node:http', [(req, res) => app(req, res)]));
    await browser.get('/a');
    expect((await browser.get('/b')).body).toBe('2');
    expect(dataOf(stored)).toEqual([{ count: 2 }]);
  });
});

test('L12: a store that two of them share: each keeps to its own cookie and ids', async () => {
  const stored = makeStore('callback store');
  const options = { ...baseOptions, store: stored.store };
  const first = session({
    ...options,
    name: 'one',
    cookie: { path: '/a', maxAge: 1_000_000 },
    genid: () => 'of-one',
  });
  const second = session({ ...options, name: 'two', cookie: { path: '/b' }, genid: () => 'of-two' });
  const regenerate: Handler = async (req, res) => {
    await req.session.regenerate();
    req.session.regenerated = true;
    res.end(req.sessionID);
  };
  const site = await serve('node:http', [first as Handler, second as Handler, regenerate]);
  const browser = new Browser(site);
  const one = await browser.get('/a');
  const two = await browser.get('/b');
  expect([one.body, two.body]).toEqual(['of-one', 'of-two']);
  expect(one.setCookie).toEqual([
    expect.stringMatching(/^one=s%3Aof-one\.[^;]+; Path=\/a; Expires=[^;]+; HttpOnly$/),
  ]);
  expect(two.setCookie).toEqual([expect.stringMatching(/^two=s%3Aof-two\.[^;]+; Path=\/b; HttpOnly$/)]);
});

function combineAll(): [HostName, StoreName][] {
  return HOSTS.flatMap((host) => STORES.map((store): [HostName, StoreName] => [host, store]));
}
