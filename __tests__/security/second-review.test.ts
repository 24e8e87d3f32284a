import { tracingChannel } from 'node:diagnostics_channel';
import { expireStrays } from '../../lib/cookies/stray-cookies.js';
import session from '../../lib/index.js';
import { inspector } from '../../lib/inspector/index.js';
import { Browser, gate, turn } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';

// What the second hostile review found, each by its test.

const HOUR = 3_600_000;

type Callback = (error?: unknown, value?: any) => void;

afterEach(closeSites);

const begin: Handler = (req, res, next) => {
  if (req.url !== '/begin') return next();
  req.session.user = 'ada';
  return res.end(req.sessionID);
};

async function open(app: Handler, options: session.SessionOptions = {}, before: Handler[] = []) {
  const store = new session.MemoryStore();
  const sessions = session({ ...baseOptions, store, ...options });
  const site = await serve('node:http', [...before, sessions, begin, app]);
  const browser = new Browser(site);
  const { body: id } = await browser.get('/begin');
  return { store, sessions, site, browser, id, texts: () => store.sessions };
}

describe('a session that nobody has looked at', () => {
  test('is logged out by `delete` and `= null` together', async () => {
    const { browser, texts } = await open(
      (req, res) => {
        delete req.session;
        req.session = null;
        res.end();
      },
      { ...session.recommended },
    );
    const { setCookie } = await browser.get('/logout');

    expect(setCookie).toEqual([expect.stringContaining('Expires=Thu, 01 Jan 1970')]);
    expect(texts()).toEqual({});
  });

  test('gives way to a `req.session` that the app defines', async () => {
    const { browser, store, id } = await open((req, res) => {
      const own = Object.assign(Object.create(session.Session.prototype), {
        cookie: new session.Cookie(),
        user: 'bob',
      });
      Object.defineProperties(own, { req: { value: req }, id: { value: req.sessionID } });
      Object.defineProperty(req, 'session', { value: own, configurable: true });
      res.end();
    });
    await browser.get('/');

    expect(JSON.parse(store.sessions[id]!)).toMatchObject({ user: 'bob' });
  });

  test('keeps the id that it was made with, whatever the app makes of req.sessionID', async () => {
    const { site, texts } = await open((req, res) => {
      req.sessionID = 'chosen-by-client';
      req.session.n = 1;
      res.end();
    });
    await new Browser(site).get('/');

    expect(Object.keys(texts())).not.toContain('chosen-by-client');
  });
});

describe('clear() and `req.session = null`', () => {
  const endings: [string, (session: any) => unknown][] = [
    ['clear()', (req) => req.session.clear()],
    [
      '= null',
      (req) => {
        req.session = null;
      },
    ],
  ];

  test.each(endings)('%s: the record goes also if the client leaves before the end', async (_, act) => {
    const { browser, site, texts } = await open(
      (req, res) => {
        act(req);
        res.write('a part');
      },
      { unset: 'destroy' },
    );
    const exchange = browser.start('/');
    exchange.answer.catch(() => {});
    await exchange.head;
    exchange.leave();
    await site.settled();
    await turn();

    expect(texts()).toEqual({});
  });

  test.each(endings)('%s: the record goes also if it comes after the commit', async (_, act) => {
    const { browser, site, texts } = await open(
      (req, res) => {
        res.on('finish', () => act(req));
        res.end();
      },
      { unset: 'destroy' },
    );
    await browser.get('/');
    await site.settled();
    await turn();

    expect(texts()).toEqual({});
  });

  test('while the end is held, the cookie is expired, and no new one sent', async () => {
    const held = gate();
    const reached = gate();
    const memory = new session.MemoryStore();
    const store: session.SessionStore = {
      get: (id) => memory.get(id),
      set: (id, text, how) => memory.set(id, text, how),
      async touch(id, expires) {
        reached.open();
        await held.opened;
        return memory.touch(id, expires);
      },
      destroy: (id) => memory.destroy(id),
    };
    const { browser } = await open(
      async (req, res) => {
        const mine = req.session;
        res.end();
        await reached.opened;
        mine.clear();
        held.open();
      },
      { store },
    );
    const { setCookie } = await browser.get('/');

    expect(setCookie).toEqual([expect.stringContaining('Expires=Thu, 01 Jan 1970')]);
  });
});

test('code that has taken end() before the sessions sends a whole head while the end is held', async () => {
  const saving = gate();
  const saved = gate();
  const store: session.SessionStore = {
    get: async () => undefined,
    async set() {
      saving.open();
      await saved.opened;
      return true;
    },
    touch: async () => true,
    destroy: async () => {},
  };
  const deadline: Handler = (_req, res, next) => {
    const { end } = res;
    void saving.opened.then(() => end.call(res, 'deadline'));
    next();
  };
  const sessions = session({ ...baseOptions, store });
  const site = await serve('node:http', [
    deadline,
    sessions,
    (req, res) => {
      req.session.n = 1;
      res.end('answer');
    },
  ]);
  const { status, body } = await new Browser(site).get('/');
  saved.open();

  expect([status, body]).toEqual([200, 'deadline']);
});

test('who traces the store is not given what it holds', async () => {
  const { browser } = await open((req, res) => res.end(JSON.stringify(req.session.user)));
  const messages: object[] = [];
  const channel = tracingChannel('steady-session:load');
  const subscribers = { asyncEnd: (message: object) => messages.push({ ...message }) } as any;
  channel.subscribe(subscribers);
  await browser.get('/');
  channel.unsubscribe(subscribers);

  expect(messages).toHaveLength(1);
  expect(JSON.stringify(messages[0], ['session', 'duration', 'result', 'error'])).not.toContain('ada');
  expect((messages[0] as any).result).toBe(undefined);
});

test('a damaged record makes no record for each visit', async () => {
  const { browser, store, id } = await open((req, res) => res.end(JSON.stringify(Object.keys(req.session))));
  const damaged = '{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},"user":}';
  await store.set(id, damaged, { expires: Date.now() + HOUR });
  for (let n = 0; n < 3; n++) expect((await browser.get('/')).body).toBe('["cookie"]');

  expect(Object.keys(store.sessions)).toEqual([id]);
});

test('a cookie with methods of its own is not taken for the next one', async () => {
  const { site, store } = await open((req, res) => {
    req.session.url = req.url;
    if (req.url === '/own') {
      const { cookie } = req.session;
      cookie.toJSON = () => ({ ...cookie.data, marker: 'mine' });
      Object.defineProperty(cookie, 'data', { value: { ...cookie.data, path: '/poisoned' } });
    }
    res.end();
  });
  const lines = [];
  for (const url of ['/own', '/plain']) lines.push(...(await new Browser(site).get(url)).setCookie);
  const plain = Object.values(store.sessions).find((text) => text.includes('"/plain"'));

  expect(lines.map((line) => /Path=([^;]*)/.exec(line)?.[1])).toEqual(['/poisoned', '/']);
  expect(plain).not.toContain('marker');
});

test('expireStrays passes over a path that no cookie can have', () => {
  const lines = expireStrays('sid', new session.Cookie(), 'example.com', '/a<b/c');

  expect(lines.length).toBeGreaterThan(0);
  expect(lines.filter((line) => line.includes('<'))).toEqual([]);
});

describe('the inspector', () => {
  test('stores nothing of its viewer when a stream ends', async () => {
    const records = new Map<string, string>();
    class Plain extends session.Store {
      get(id: string, callback: Callback): void {
        setImmediate(callback, null, records.has(id) ? JSON.parse(records.get(id)!) : undefined);
      }
      set(id: string, data: object, callback: Callback): void {
        records.set(id, JSON.stringify(data));
        setImmediate(callback);
      }
      destroy(id: string, callback: Callback): void {
        records.delete(id);
        setImmediate(callback);
      }
    }
    const sessions = session({ ...baseOptions, resave: true, store: new Plain() });
    const inspect = inspector(sessions, { guard: (req: any) => req.session?.user === 'ada' });
    const site = await serve('node:http', [
      sessions,
      begin,
      (req, res, next) => (req.url.startsWith('/?') || req.url === '/' ? inspect(req, res, next) : next()),
    ]);
    const browser = new Browser(site);
    const { body: id } = await browser.get('/begin');
    const stream = browser.start('/?stream');
    stream.answer.catch(() => {});
    expect((await stream.head).status).toBe(200);
    records.clear(); // a logout elsewhere
    inspect.close();
    await site.settled();
    await turn();

    expect([...records.keys()]).toEqual([]);
    expect(id).toMatch(/^[\w-]{32}$/);
  });

  test.each([
    ['an error without a name', Object.assign(new Error('no'), { name: undefined })],
    ['an error that is none', null],
  ])('is not brought down by %s', async (_, error) => {
    const store: session.SessionStore = {
      get: async () => undefined,
      set: () => Promise.reject(error),
      touch: async () => true,
      destroy: async () => {},
    };
    const sessions = session({ ...baseOptions, store, saveFailure: 'error' });
    const inspect = inspector(sessions, { guard: () => true });
    const site = await serve('node:http', [
      sessions,
      (req, res) => {
        req.session.n = 1;
        res.end();
      },
    ]);

    expect((await new Browser(site).get('/')).status).toBe(500);
    inspect.close();
  });

  test('doesn’t fail a request whose sessionID the app has deleted', async () => {
    const { sessions, site } = await open((req, res) => {
      void req.session;
      delete req.sessionID;
      res.end('fine');
    });
    const inspect = inspector(sessions, { guard: () => true });

    expect(await new Browser(site).get('/')).toMatchObject({ status: 200, body: 'fine' });
    inspect.close();
  });
});
