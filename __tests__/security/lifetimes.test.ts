import expressSession from 'express-session';
import session from '../../lib/index.js';
import { Browser } from '../support/http.js';
import { baseOptions, type Fixture, type Setup, start } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';
import { STORES } from '../support/test-stores.js';
import { stopClock } from './clock.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let clock: ReturnType<typeof stopClock>;
beforeEach(() => {
  clock = stopClock();
});
afterEach(async () => {
  jest.useRealTimers();
  await closeSites();
});

/** Pages that do what the tests ask of a session. */
const pages: Handler = async (req, res) => {
  const { pathname, searchParams } = new URL(req.url, 'http://localhost');
  if (pathname === '/write') req.session.n = (req.session.n ?? 0) + 1;
  if (pathname === '/save') await req.session.save();
  if (pathname === '/update') await req.session.update((data: any) => (data.n = (data.n ?? 0) + 1));
  if (pathname === '/regenerate') {
    await req.session.regenerate({ keep: true, restart: searchParams.has('restart') });
  }
  if (pathname === '/stream') res.write(' ');
  if (pathname === '/long') req.session.cookie.maxAge = 100 * HOUR;
  const { createdAt, expiresAt, user } = req.session;
  res.end(JSON.stringify({ createdAt, expiresAt, user, n: req.session.n }));
};

function open(store: Setup['store'], options: session.SessionOptions): Promise<Fixture> {
  return start({ host: 'node:http', store, options, after: [pages] });
}

async function look(browser: Browser, path = '/look'): Promise<any> {
  return JSON.parse((await browser.get(path)).body);
}

/** When the cookie of an answer ends, in milliseconds from now. */
function cookieLife(lines: string[]): number | undefined {
  const expires = /Expires=([^;]+)/.exec(lines.at(-1) ?? '')?.[1];
  return expires === undefined ? undefined : Date.parse(expires) - Date.now();
}

test('expiresAt is not told on a request that does not prolong the session, if the record tells nothing of its touches', async () => {
  const clock = stopClock();
  const { texts } = new session.MemoryStore();
  const touch = (req: any) => req.url !== '/poll';
  const later = (ms: number) => new Date(clock.now() + ms).toISOString();
  for (const [store, options, told] of [
    [{ ...texts }, {}, [undefined, undefined]],
    [{ ...texts }, { touchAfter: 1 }, [later(HOUR), later(1.5 * HOUR)]],
    [new session.MemoryStore(), { cookie: { maxAge: HOUR } }, [later(HOUR), later(1.5 * HOUR)]],
  ] as const) {
    const began = clock.now();
    const sessions = session({ ...baseOptions, ttl: HOUR, store, touch, ...options });
    const browser = new Browser(await serve('node:http', [sessions, pages]));
    await look(browser, '/write');
    await look(browser); // with touchAfter the record tells from here on
    const ends = [(await look(browser, '/poll')).expiresAt];
    clock.pass(HOUR / 2);
    await look(browser); // prolongs it
    clock.pass(HOUR / 4);
    ends.push((await look(browser, '/poll')).expiresAt);

    expect(ends).toEqual(told);
    clock.pass(began - clock.now());
  }
});

test('absoluteTimeout: a session of unknown age counts from the first request that sees it, whatever that does', async () => {
  const { texts } = new session.MemoryStore();
  const store: session.SessionStore = {
    get: (id) => texts.get(id),
    set: (id, text, how) => texts.set(id, text, how),
    touch: (id, expires) => texts.touch(id, expires),
    destroy: (id) => texts.destroy(id),
  };
  const former = session({ ...baseOptions, store });
  const dated = session({ ...baseOptions, store, absoluteTimeout: HOUR });
  const browser = new Browser(await serve('node:http', [byPath(former, dated), pages]));
  await browser.get('/write');
  expect(await look(browser)).toMatchObject({ n: 1 });
  clock.pass(40 * MINUTE);
  expect(await look(browser)).toMatchObject({ n: 1 });
  clock.pass(30 * MINUTE);

  expect(await look(browser)).toEqual({ expiresAt: expect.any(String), createdAt: expect.any(String) });
});

/** As before an app had the option, for one page, and as it is now. */
function byPath(former: Handler, now: Handler): Handler {
  return (req, res, next) => (req.url === '/write' ? former : now)(req, res, next);
}

test.each<[string, session.SessionOptions]>([
  ['ttl', { ttl: 1000.5 }],
  ['absoluteTimeout', { absoluteTimeout: 1000.5 }],
  ['maxAge', { cookie: { maxAge: 1000.5 } }],
])('stores are given whole milliseconds, whatever %s is', async (_name, options) => {
  const given: number[] = [];
  const { texts } = new session.MemoryStore();
  const store: session.SessionStore = {
    get: (id) => texts.get(id),
    set: (id, text, how) => {
      given.push(how.expires);
      return texts.set(id, text, how);
    },
    touch: (id, expires) => {
      given.push(expires);
      return texts.touch(id, expires);
    },
    destroy: (id) => texts.destroy(id),
  };
  const handler = session({ ...baseOptions, store, ...options });
  const browser = new Browser(await serve('node:http', [handler, pages]));
  await browser.get('/write');
  await browser.get('/look');
  expect(given).toEqual([Date.now() + 1000, Date.now() + 1000]);
});

describe.each(STORES)('%s', (store) => {
  describe('absoluteTimeout', () => {
    const options = { absoluteTimeout: 2 * HOUR, rolling: true, cookie: { maxAge: HOUR } };

    test('ends a session that is in use all the time', async () => {
      const { browser, settled } = await open(store, options);
      await browser.get('/begin');
      for (let passed = 0; passed < 90; passed += 30) {
        clock.pass(30 * MINUTE);
        expect((await look(browser)).user).toBe('ada');
      }
      clock.pass(30 * MINUTE - 1);
      expect((await look(browser)).user).toBe('ada');
      await settled();
      clock.pass(1);
      expect((await look(browser)).user).toBe(undefined);
    });

    test('the idle time still counts', async () => {
      const { browser } = await open(store, options);
      await browser.get('/begin');
      clock.pass(HOUR - 1);
      expect((await look(browser)).user).toBe('ada');
      clock.pass(HOUR - 1);
      expect((await look(browser)).user).toBe('ada');
    });

    test('the cookie of a response that streams gets its new end all the same', async () => {
      const { browser } = await open(store, options);
      await browser.get('/begin');
      clock.pass(30 * MINUTE);
      expect(cookieLife((await browser.get('/stream')).setCookie)).toBe(HOUR);
    });

    test('caps the cookie, also one that the app prolongs', async () => {
      const { browser } = await open(store, options);
      expect(cookieLife((await browser.get('/begin')).setCookie)).toBe(HOUR);
      clock.pass(45 * MINUTE);
      expect(cookieLife((await browser.get('/look')).setCookie)).toBe(HOUR);
      clock.pass(45 * MINUTE);
      expect(cookieLife((await browser.get('/write')).setCookie)).toBe(30 * MINUTE);
      expect(cookieLife((await browser.get('/long')).setCookie)).toBe(30 * MINUTE);
      clock.pass(30 * MINUTE);
      expect((await look(browser)).user).toBe(undefined);
    });

    test('survives save, update and regenerate; restart: true begins anew', async () => {
      const { browser, settled } = await open(store, options);
      await browser.get('/begin');
      const began = new Date(clock.now()).toISOString();
      for (const path of ['/save', '/update', '/regenerate', '/write']) {
        clock.pass(10 * MINUTE);
        expect((await look(browser, path)).createdAt).toBe(began);
        await settled();
      }
      expect((await look(browser)).createdAt).toBe(began);
      const restarted = new Date(clock.now()).toISOString();
      expect((await look(browser, '/regenerate?restart')).createdAt).toBe(restarted);
      clock.pass(50 * MINUTE);
      expect(await look(browser)).toMatchObject({ createdAt: restarted, user: 'ada' });
      clock.pass(50 * MINUTE);
      expect((await look(browser)).user).toBe('ada');
    });

    test('a session that express-session began counts from its first request here', async () => {
      const fixture = await open(store, baseOptions);
      await fixture.browser.get('/begin');
      const handler = session({
        ...baseOptions,
        store: fixture.store,
        absoluteTimeout: 2 * HOUR,
        ...{ cookie: { maxAge: HOUR } },
      });
      const site = await serve('node:http', [handler, pages]);
      const browser = new Browser(site);
      const headers = { cookie: fixture.browser.cookieHeader('/') };
      const ask = async () => JSON.parse((await browser.get('/look', { headers })).body);
      const began = new Date(clock.now() + HOUR).toISOString();
      clock.pass(HOUR);
      expect(await ask()).toMatchObject({ createdAt: began, user: 'ada' });
      await site.settled();
      clock.pass(23 * HOUR - MINUTE);
      expect((await ask()).user).toBe(undefined);
    });
  });

  test('an explicit save and an update prolong a session whose record still tells an older end', async () => {
    const { browser, settled } = await open(store, { cookie: { maxAge: HOUR } });
    await browser.get('/begin');
    for (let round = 0; round < 3; round++) {
      clock.pass(40 * MINUTE);
      await look(browser); // a touch: most stores leave the record as it is
      await settled();
    }
    clock.pass(40 * MINUTE);
    expect(await look(browser, '/update')).toMatchObject({ n: 1, user: 'ada' });
    await settled();
    expect(await look(browser, '/save')).toMatchObject({ n: 1, user: 'ada' });
    expect(await look(browser)).toMatchObject({ n: 1, user: 'ada' });
  });

  describe('createdAt and expiresAt', () => {
    test('tell when the session began and when it will end', async () => {
      const { browser } = await open(store, { absoluteTimeout: 2 * HOUR, cookie: { maxAge: HOUR } });
      const began = clock.now();
      expect(await look(browser)).toMatchObject({
        createdAt: new Date(began).toISOString(),
        expiresAt: new Date(began + HOUR).toISOString(),
      });
    });

    test('expiresAt counts from a request that prolongs the session', async () => {
      const { browser, settled } = await open(store, {
        rolling: true,
        ttl: HOUR,
        cookie: { maxAge: 2 * HOUR },
      });
      await browser.get('/write');
      await settled();
      clock.pass(30 * MINUTE);
      expect(await look(browser)).toMatchObject({
        expiresAt: new Date(clock.now() + 2 * HOUR).toISOString(),
      });
    });

    test.each([{}, { cookie: { maxAge: HOUR } }])(
      'expiresAt stays as it was in a request that comes too soon to prolong the session, %j',
      async (options) => {
        const { browser, settled } = await open(store, { touchAfter: 40 * MINUTE, ttl: HOUR, ...options });
        await browser.get('/write');
        await settled();
        const expiresAt = new Date(clock.now() + HOUR).toISOString();
        clock.pass(30 * MINUTE);
        expect(await look(browser)).toMatchObject({ expiresAt });
        clock.pass(20 * MINUTE);
        expect(await look(browser)).toMatchObject({ expiresAt: new Date(clock.now() + HOUR).toISOString() });
      },
    );

    test('expiresAt of a session that has changed, and so will be stored, counts from now', async () => {
      const { browser, settled } = await open(store, { touchAfter: 40 * MINUTE, ttl: HOUR });
      await browser.get('/write');
      await settled();
      clock.pass(30 * MINUTE);
      expect(await look(browser, '/write')).toMatchObject({
        expiresAt: new Date(clock.now() + HOUR).toISOString(),
      });
    });

    test('expiresAt does not fix what the option touch says', async () => {
      const touch = jest.fn((req: any) => !req.background);
      const { browser, settled, traffic } = await start({
        host: 'node:http',
        store,
        options: { touch, ttl: HOUR },
        after: [
          (req, res) => {
            if (req.url === '/begin-it') req.session.n = 1;
            else expect(req.session.expiresAt).toEqual(new Date(clock.now() + HOUR));
            req.background = req.url === '/poll';
            res.end();
          },
        ],
      });
      await browser.get('/begin-it');
      await settled();
      await browser.get('/poll');
      await settled();
      expect(traffic.count('touch')).toBe(0);
    });

    test('expiresAt of a session that has been prolonged is never later than its absolute end', async () => {
      const { browser, settled } = await open(store, { absoluteTimeout: HOUR, ttl: HOUR });
      await browser.get('/write');
      await settled();
      const expiresAt = new Date(clock.now() + HOUR).toISOString();
      clock.pass(30 * MINUTE);
      expect(await look(browser)).toMatchObject({ expiresAt });
    });

    test('expiresAt after the session has been prolonged, in a listener of the response', async () => {
      const { browser, settled } = await start({
        host: 'node:http',
        store,
        options: { ttl: HOUR, cookie: { maxAge: HOUR } },
        after: [
          (req, res) => {
            req.session.n = 1;
            res.on('finish', () => ends.push(req.session.expiresAt.getTime() - clock.now()));
            res.end();
          },
        ],
      });
      const ends: number[] = [];
      await browser.get('/');
      await settled();
      expect(ends).toEqual([HOUR]);
    });

    test('are not there for an app that has no option but those of express-session', async () => {
      const names: Handler = (req, res) => {
        const { createdAt, expiresAt } = req.session;
        res.end(JSON.stringify([String(createdAt), String(expiresAt)]));
      };
      const { browser } = await start({
        host: 'node:http',
        store,
        options: { cookie: { maxAge: HOUR } },
        after: [names],
      });

      expect((await browser.get('/')).body).toBe('["undefined","undefined"]');
    });

    test('stay usable as data of the app', async () => {
      const own: Handler = (req, res) => {
        if (req.url === '/set') Object.assign(req.session, { createdAt: 'mine', expiresAt: 5 });
        const { createdAt, expiresAt } = req.session;
        res.end(JSON.stringify([createdAt, expiresAt, Object.keys(req.session)]));
      };
      const { browser, onlyData } = await start({
        host: 'node:http',
        store,
        options: { absoluteTimeout: HOUR },
        after: [own],
      });
      await browser.get('/set');
      expect(JSON.parse((await browser.get('/')).body)).toEqual([
        'mine',
        5,
        ['cookie', 'createdAt', 'expiresAt'],
      ]);
      expect(onlyData()).toEqual({ createdAt: 'mine', expiresAt: 5 });
    });

    test('without an option that needs it, nothing is noted', async () => {
      const { browser } = await open(store, {});
      expect((await look(browser)).createdAt).toBe(undefined);
    });
  });
});

describe('touch', () => {
  test.each(['text store', 'MemoryStore'] as const)(
    '%s: requests that it turns down do not prolong the session, nor send its cookie',
    async (store) => {
      const { browser, settled } = await open(store, {
        cookie: { maxAge: HOUR },
        rolling: true,
        touch: (req) => req.url !== '/poll',
      });
      await browser.get('/begin');
      clock.pass(40 * MINUTE);
      const poll = await browser.get('/poll');
      expect([poll.setCookie, JSON.parse(poll.body).user]).toEqual([[], 'ada']);
      await settled();
      clock.pass(20 * MINUTE);
      expect(JSON.parse((await browser.get('/poll')).body).user).toBe(undefined);
    },
  );

  test('the end of a request asks once', async () => {
    let asked = 0;
    const touch = () => asked++ % 2 === 1; // a second question would be answered otherwise
    const { browser, traffic, settled } = await start({
      host: 'node:http',
      store: 'callback store',
      options: { touch },
      after: [(_req, res) => res.end()],
    });
    await browser.get('/begin');
    await settled();
    asked = 0;
    traffic.calls.length = 0;
    const { setCookie } = await browser.get('/poll');
    await settled();
    expect([asked, setCookie, traffic.calls]).toEqual([1, [], ['get']]);
  });

  test('callback store: the store is only read', async () => {
    const { browser, settled, traffic } = await open('callback store', {
      touch: (req) => req.url !== '/poll',
    });
    await browser.get('/begin');
    await settled();
    traffic.calls.length = 0;
    await browser.get('/poll');
    await settled();
    expect(traffic.calls).toEqual(['get']);
  });
});

describe('touchAfter', () => {
  test.each([
    ['text store', ['get'], ['get', 'set']],
    ['callback store', ['get'], ['get', 'get', 'get', 'set']], // looks again, not to undo another request's change
  ] as const)('%s: only one read until it is due', async (store, read, due) => {
    const { browser, traffic, settled } = await open(store, {
      touchAfter: 10 * MINUTE,
      cookie: { maxAge: HOUR },
    });
    await browser.get('/begin');
    await settled();
    traffic.calls.length = 0;
    clock.pass(10 * MINUTE - 1);
    await look(browser);
    await settled();
    expect(traffic.calls.splice(0)).toEqual(read);
    clock.pass(1);
    await look(browser);
    await settled();
    expect(traffic.calls.splice(0)).toEqual(due);
    clock.pass(9 * MINUTE);
    await look(browser);
    await settled();
    expect(traffic.calls.splice(0)).toEqual(read);
    clock.pass(51 * MINUTE - 1); // an hour less one after the touch
    expect((await look(browser)).user).toBe('ada');
  });

  test('MemoryStore: the record changes only when it is due', async () => {
    const fixture = await open('MemoryStore', { touchAfter: 10 * MINUTE, cookie: { maxAge: HOUR } });
    const { browser, settled } = fixture;
    const { sessions } = fixture.store as unknown as { sessions: Record<string, string> };
    expect(sessions).toEqual({});
    await browser.get('/begin');
    const text = () => Object.values((fixture.store as any).sessions)[0];
    const first = text();
    clock.pass(10 * MINUTE - 1);
    await look(browser);
    await settled();
    expect(text()).toBe(first);
    clock.pass(1);
    await look(browser);
    await settled();
    expect(JSON.parse(text() as string).cookie.expires).toBe(new Date(clock.now() + HOUR).toISOString());
  });

  test.each(STORES)('%s: the cookie rolls just when the session is touched', async (store) => {
    const { browser } = await open(store, {
      touchAfter: 10 * MINUTE,
      rolling: true,
      cookie: { maxAge: HOUR },
    });
    await browser.get('/begin');
    clock.pass(9 * MINUTE);
    expect((await browser.get('/look')).setCookie).toEqual([]);
    clock.pass(MINUTE);
    expect(cookieLife((await browser.get('/look')).setCookie)).toBe(HOUR);
    clock.pass(MINUTE);
    expect((await browser.get('/look')).setCookie).toEqual([]);
  });
});

describe('skip', () => {
  test('such requests have no session, no cookie and cost no store access', async () => {
    const { browser, traffic, settled } = await start({
      host: 'express 5',
      store: 'text store',
      options: { skip: (req) => req.url.startsWith('/assets/'), saveUninitialized: true },
      after: [(req, res) => res.end(String(req.session === undefined))],
    });
    await browser.get('/begin');
    await settled();
    traffic.calls.length = 0;
    const answer = await browser.get('/assets/logo.png');
    await settled();
    expect([answer.body, answer.setCookie, traffic.calls]).toEqual(['true', [], []]);
    expect((await browser.get('/')).body).toBe('false');
  });
});

describe('express-session over the same store', () => {
  test('reads a record with all our times, and keeps its data; we read what it wrote', async () => {
    const store = new session.MemoryStore();
    const options = { ...baseOptions, secret: 'keyboard cat', cookie: { maxAge: HOUR } };
    const ours = session({
      ...options,
      store,
      absoluteTimeout: 5 * HOUR,
      touchAfter: MINUTE,
      rotateAfter: 3 * HOUR,
    });
    const theirs = expressSession({
      ...options,
      secret: 'keyboard cat',
      store: store as never,
      resave: false,
      saveUninitialized: false,
    });
    const count: Handler = (req, res) => {
      req.session.n = (req.session.n ?? 0) + 1;
      res.end(JSON.stringify([req.session.n, Object.keys(req.session), req.session.cookie.maxAge]));
    };
    const here = new Browser(await serve('express 5', [ours, count]));
    const there = new Browser(await serve('express 5', [theirs as never, count]));
    await here.get('/');
    const headers = () => ({ cookie: here.cookieHeader('/') });
    clock.pass(MINUTE);
    expect(JSON.parse((await there.get('/', { headers: headers() })).body)).toEqual([
      2,
      ['cookie', 'n'],
      HOUR - MINUTE,
    ]);
    expect(JSON.parse((await here.get('/')).body)).toEqual([3, ['cookie', 'n'], HOUR]);
  });
});
