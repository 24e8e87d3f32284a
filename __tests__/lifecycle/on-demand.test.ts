import { once } from 'node:events';
import session from '../../lib/index.js';
import { Browser, gate } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';

// `req.session` is made, and the stored data are read, when somebody first looks. Nobody must notice.

const HOUR = 3_600_000;

afterEach(async () => {
  jest.restoreAllMocks();
  await closeSites();
});

/** A site over a memory store, whose `/begin` gives the browser a session, and whose other pages are `app`. */
async function open(app: Handler, options: session.SessionOptions = {}) {
  const store = new session.MemoryStore();
  const sessions = session({ ...baseOptions, store, ...options });
  const begin: Handler = (req, res, next) => {
    if (req.url !== '/begin') return next();
    req.session.user = 'ada';
    return res.end(req.sessionID);
  };
  const site = await serve('node:http', [sessions, begin, app]);
  const browser = new Browser(site);
  const { body: id } = await browser.get('/begin');
  const stored = () => {
    const text = store.sessions[id];
    return text === undefined ? undefined : JSON.parse(text);
  };
  return { store, sessions, site, browser, id, stored };
}

const end: Handler = (_req, res) => res.end();
const dataOf = ({ cookie: _, ...data }: any) => data;

describe('a session that nobody looks at', () => {
  test('lives on: its expiry is moved, in the record too', async () => {
    const { store, browser, id, stored } = await open(end, { cookie: { maxAge: HOUR } });
    const before = Date.parse(stored().cookie.expires);
    await store.set(
      id,
      JSON.stringify({ ...stored(), cookie: { ...stored().cookie, expires: new Date(before - 1000) } }),
      {
        expires: before - 1000,
      },
    );
    await browser.get('/');

    expect(Date.parse(stored().cookie.expires)).toBeGreaterThanOrEqual(before);
    expect(stored()).toMatchObject({ user: 'ada', cookie: { originalMaxAge: HOUR } });
  });

  test('stays as it is stored, however it is written', async () => {
    const { store, browser, id } = await open(end);
    const text =
      '{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},"n":1.0,"user":"\\u0061da"}';
    await store.set(id, text, { expires: Date.now() + HOUR });
    await browser.get('/');

    expect(store.sessions[id]).toBe(text);
  });

  test('has changed nothing, if it holds no data and is read at once', async () => {
    const { store, browser, id } = await open(end, { cookie: { maxAge: HOUR }, rotateAfter: HOUR });
    const { cookie } = JSON.parse(store.sessions[id]!);
    await store.set(id, JSON.stringify({ cookie }), { expires: Date.now() + HOUR });
    const { setCookie } = await browser.get('/');

    expect(setCookie).toEqual([]);
  });

  test('is written with resave, and sent with rolling', async () => {
    const { store, browser, id } = await open(end, { resave: true, rolling: true });
    const write = jest.spyOn(store.records, 'writeCompact');
    const { setCookie } = await browser.get('/');

    expect(write).toHaveBeenCalledTimes(1);
    expect(setCookie).toEqual([expect.stringContaining(`=s%3A${id}.`)]);
  });

  test('is unset by `req.session = null`, and by `delete`', async () => {
    const unset: Handler = (req, res) => {
      if (req.url === '/null') req.session = null;
      else delete req.session;
      res.end(`${'session' in req} ${req.session}`);
    };
    const [one, other] = [await open(unset, { unset: 'destroy' }), await open(unset, { unset: 'destroy' })];

    expect((await one.browser.get('/null')).body).toBe('true null');
    expect((await other.browser.get('/delete')).body).toBe('false undefined');
    expect([one.stored(), other.stored()]).toEqual([undefined, undefined]);
  });

  test('is replaced by what the app puts in its place', async () => {
    const { browser, stored } = await open((req, res) => {
      const replaced = { cookie: { originalMaxAge: null } };
      req.session = replaced;
      res.end(String(req.session === replaced));
    });

    expect((await browser.get('/')).body).toBe('true');
    expect(stored()).toMatchObject({ user: 'ada' });
  });

  test('serves its request: a second middleware of the same kind finds it there, unread', async () => {
    const second = session({ ...baseOptions, name: 'other', store: new session.MemoryStore() });
    const { browser } = await open((req, res) =>
      second(req, res, () => res.end(JSON.stringify(dataOf(req.session)))),
    );

    expect((await browser.get('/')).body).toBe('{"user":"ada"}');
  });
});

describe('a new session that nobody looks at', () => {
  test('has an id, and leaves no trace', async () => {
    const { site, store } = await open((req, res) => res.end(req.sessionID));
    const { body, setCookie } = await new Browser(site).get('/');

    expect(body).toMatch(/^[\w-]{32}$/);
    expect(setCookie).toEqual([]);
    expect(Object.keys(store.sessions)).not.toContain(body);
  });

  test('keeps its id when somebody looks', async () => {
    const { site } = await open((req, res) => {
      const before = req.sessionID;
      res.end(
        JSON.stringify([req.session.id === before, req.sessionID === before, Object.keys(req.session)]),
      );
    });

    expect((await new Browser(site).get('/')).body).toBe('[true,true,["cookie"]]');
  });

  test('is stored with saveUninitialized', async () => {
    const { site, store } = await open((req, res) => res.end(req.sessionID), { saveUninitialized: true });
    const { body, setCookie } = await new Browser(site).get('/');

    expect(setCookie).toEqual([expect.stringContaining(body)]);
    expect(dataOf(JSON.parse(store.sessions[body]!))).toEqual({});
  });

  test.each<[string, session.SessionOptions, string]>([
    ['genid', { genid: () => 'given' }, 'given'],
    ['cookie, as a function', { cookie: () => ({ path: '/' }) }, ''],
  ])('is made at once for an app that takes part by %s', async (_, options, id) => {
    const given = jest.fn(Object.values(options)[0] as () => any);
    const { site } = await open((req, res) => res.end(req.sessionID), { [Object.keys(options)[0]!]: given });
    const before = given.mock.calls.length;
    const { body } = await new Browser(site).get('/');

    expect(given.mock.calls.length).toBeGreaterThan(before);
    expect(body).toMatch(id);
  });

  test('is made at once by a generate() of the app', async () => {
    const store = new session.MemoryStore();
    const sessions = session({ ...baseOptions, store });
    const { generate } = store;
    store.generate = (req) => {
      generate(req);
      Object.assign(req.session!, { generated: true });
    };
    const site = await serve('node:http', [
      sessions,
      (req, res) => res.end(JSON.stringify(dataOf(req.session))),
    ]);

    expect((await new Browser(site).get('/')).body).toBe('{"generated":true}');
  });
});

describe('who first looks late', () => {
  test.each(['finish', 'close'])('in a %s listener changes what is stored', async (event) => {
    const { browser, site, stored } = await open((req, res) => {
      res.on(event, () => {
        req.session.late = true;
      });
      res.end();
    });
    await browser.get('/');
    await site.settled();

    expect(dataOf(stored())).toEqual({ user: 'ada', late: true });
  });

  test('after the response is over changes what is stored', async () => {
    const over = gate();
    const done = gate();
    const { browser, site, stored } = await open(async (req, res) => {
      res.end();
      await once(res, 'close');
      await over.opened;
      req.session.late = true;
      done.open();
    });
    await browser.get('/');
    await site.settled();
    over.open();
    await done.opened;
    await site.settled();
    await new Promise(setImmediate);

    expect(dataOf(stored())).toEqual({ user: 'ada', late: true });
  });
});

describe('an accessor of the app in front of it', () => {
  const theirs = require('express-session') as typeof session;

  /** What the accessor gives, given a session; `keep` puts a value in its place. */
  const wrappers: Record<string, (given: any, keep: (value: unknown) => void) => unknown> = {
    'gives what it is given': (given) => given,
    'gives a proxy': (given) => new Proxy(given, {}),
    'writes to what it is given': (given) => Object.assign(given, { seen: true }),
    'keeps what it is given': (given, keep) => {
      keep(given);
      return given;
    },
    'has something else where there is none': (given, keep) => {
      if (!given) keep({ none: true });
      return given ?? { none: true };
    },
  };
  const layer =
    (wrapper: (typeof wrappers)[string]): Handler =>
    (req, _res, next) => {
      const inner = Object.getOwnPropertyDescriptor(req, 'session')!;
      Object.defineProperty(req, 'session', {
        configurable: true,
        enumerable: true,
        get() {
          const given = inner.get ? inner.get.call(this) : inner.value;
          return wrapper(given, (value) => {
            Object.defineProperty(this, 'session', {
              value,
              configurable: true,
              enumerable: true,
              writable: true,
            });
          });
        },
      });
      next();
    };
  const pages: Handler = (req, res) => {
    if (req.url.startsWith('/stream')) res.write('first ');
    if (req.url.endsWith('look')) req.session.looked = true;
    res.end('text');
  };

  /** What comes of a request of a known session and of one without, and what is stored then. */
  async function outcome(make: typeof session, wrapper: (typeof wrappers)[string], url: string) {
    const store = new make.MemoryStore();
    const sessions = make({ ...baseOptions, store });
    const begin: Handler = (req, res, next) => {
      if (req.url !== '/begin') return next();
      req.session.user = 'ada';
      return res.end();
    };
    const site = await serve('node:http', [sessions, begin, layer(wrapper), sessions, pages]);
    const known = new Browser(site);
    await known.get('/begin');
    const answers = [await known.get(url), await new Browser(site).get(url)];
    await site.settled();
    return {
      answers: answers.map(({ status, body, setCookie }) => ({ status, body, cookies: setCookie.length })),
      stored: Object.values(store.sessions)
        .map((text) => JSON.stringify(dataOf(JSON.parse(text))))
        .sort(),
      errors: site.errors.map(String),
    };
  }

  test.each(Object.entries(wrappers))('%s, as in front of express-session', async (_, wrapper) => {
    for (const url of ['/', '/stream', '/look', '/stream-look'])
      expect([url, await outcome(session, wrapper, url)]).toEqual([url, await outcome(theirs, wrapper, url)]);
  });
});

describe('cookies that are stored alike', () => {
  const STORED = [
    '"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"',
    '"originalMaxAge":null,"expires":null,"secure":false,"httpOnly":false,"path":"/x"',
    '"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/","sameSite":"lax"',
    '"originalMaxAge":null,"expires":null,"secure":true,"httpOnly":true,"path":"/","sameSite":"strict"',
    '"originalMaxAge":null,"expires":null,"httpOnly":true,"domain":"example.com","path":"/"',
    '"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/","mine":1',
    '"originalMaxAge":3600000,"expires":null,"httpOnly":true,"path":"/"',
    '"originalMaxAge":3600000,"expires":"2126-01-01T00:00:00.000Z","httpOnly":true,"path":"/"',
    '"expires":null,"httpOnly":true,"path":"/"',
    '"path":"/"',
    '',
  ];
  const look = (cookie: any) => JSON.stringify([Object.entries(cookie), Object.keys(cookie.data), cookie]);
  const expected = (text: string) => {
    const { Cookie, MemoryStore } = require('express-session');
    const req = { sessionID: 'id' };
    const { cookie } = new MemoryStore().createSession(req, { cookie: JSON.parse(`{${text}}`) });
    return JSON.stringify([Object.entries(cookie), Object.keys(new Cookie().data), cookie]);
  };

  test.each(STORED)("{%s}: each request has one of its own, as express-session's", async (text) => {
    const { store, browser, id } = await open((req, res) => {
      const before = look(req.session.cookie);
      Object.assign(req.session.cookie, {
        path: '/changed',
        httpOnly: 'changed',
        secure: 'x',
        sameSite: 'y',
      });
      req.session.cookie.originalMaxAge = 7;
      res.end(before);
    });
    for (let turn = 0; turn < 3; turn++) {
      await store.set(id, `{"cookie":{${text}},"user":"ada"}`, { expires: Date.now() + HOUR });
      expect((await browser.get('/')).body).toBe(expected(text));
    }
  });
});

describe('what is stored is not trusted', () => {
  const COOKIE = '"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}';
  const show: Handler = (req, res) =>
    res.end(JSON.stringify([req.sessionID, dataOf(req.session), req.sessionID]));

  test('data that are none give a fresh session, when somebody looks', async () => {
    const { store, sessions, browser, id } = await open(show);
    const errors: unknown[] = [];
    sessions.on('error', ({ error }) => errors.push(error));
    await store.set(id, `{${COOKIE},"user":}`, { expires: Date.now() + HOUR });
    const [before, data, after] = JSON.parse((await browser.get('/')).body);

    expect([before, data]).toEqual([id, {}]);
    expect(after).toMatch(/^[\w-]{32}$/);
    expect(after).not.toBe(id);
    expect(errors).toMatchObject([{ code: 'ERR_SESSION_RECORD' }]);
  });

  test.each([
    ['a second cookie', '"cookie":{"path":"/evil"},"user":"ada"', { user: 'ada' }],
    ['names of methods', '"save":1,"touch":2,"req":3,"id":4,"user":"ada"', { user: 'ada' }],
    [
      'a prototype',
      '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"user":"ada"',
      { user: 'ada' },
    ],
  ])('%s in the data is left out', async (_, data, expected) => {
    const { store, browser, id } = await open((req, res) => {
      res.end(
        JSON.stringify([dataOf(req.session), req.session.cookie.path, (req.session as any).polluted ?? null]),
      );
    });
    for (const padding of ['', `,"long":"${'x'.repeat(5000)}"`]) {
      await store.set(id, `{${COOKIE},${data}${padding}}`, { expires: Date.now() + HOUR });
      const [found, path, polluted] = JSON.parse((await browser.get('/')).body);
      delete found.long;
      expect([found, path, polluted]).toEqual([expected, '/', null]);
    }
  });

  test.each([
    ['is not first', `{"user":"ada",${COOKIE}}`, { user: 'ada' }],
    [
      'comes after an object under a name as long as its own',
      `{"basket":{"path":"/"},${COOKIE},"user":"ada"}`,
      { basket: { path: '/' }, user: 'ada' },
    ],
    ['is followed by a space', `{${COOKIE} ,"user":"ada"}`, { user: 'ada' }],
    [
      'holds an object',
      '{"cookie":{"originalMaxAge":null,"expires":null,"x":{"y":"}"},"path":"/"},"user":"ada"}',
      { user: 'ada' },
    ],
    [
      'holds a brace',
      '{"cookie":{"originalMaxAge":null,"expires":null,"path":"/}"},"user":"ada"}',
      { user: 'ada' },
    ],
    ['is all there is', `{${COOKIE}}`, {}],
  ])('a cookie that %s is read all the same', async (_, text, expected) => {
    const { store, browser, id } = await open((req, res) => res.end(JSON.stringify(dataOf(req.session))));
    await store.set(id, text, { expires: Date.now() + HOUR });

    expect(JSON.parse((await browser.get('/')).body)).toEqual(expected);
  });
});

test('an object that inherits from the request can have a session of its own', async () => {
  const { browser, stored } = await open((req, res) => {
    const heir = Object.create(req);
    heir.session = { own: true };
    heir.session.more = 1;
    res.end(JSON.stringify([heir.session, dataOf(req.session)]));
  });

  expect(JSON.parse((await browser.get('/')).body)).toEqual([{ own: true, more: 1 }, { user: 'ada' }]);
  expect(dataOf(stored())).toEqual({ user: 'ada' });
});

test('sessions whose cookies differ keep each their own', async () => {
  const { site, store } = await open(
    (req, res) => {
      if (req.url !== '/') {
        req.session.cookie.path = '/';
        req.session.cookie.domain = req.url.slice(1);
        req.session.domain = req.session.cookie.domain;
      } else req.session.n = (req.session.n ?? 0) + 1;
      res.end();
    },
    { rolling: true },
  );
  const browsers = ['a.example', 'b.example', 'a.example'].map((domain) => ({
    domain,
    browser: new Browser(site),
  }));
  const lines: string[] = [];
  for (const { domain, browser } of browsers) lines.push(...(await browser.get(`/${domain}`)).setCookie);

  expect(lines.map((line) => /Domain=([^;]*)/.exec(line)?.[1])).toEqual([
    'a.example',
    'b.example',
    'a.example',
  ]);
  const stored = Object.values(store.sessions).map((text) => JSON.parse(text));
  expect(
    stored
      .filter(({ domain }) => domain)
      .map(({ domain, cookie }) => [domain, cookie.domain])
      .sort(),
  ).toEqual([
    ['a.example', 'a.example'],
    ['a.example', 'a.example'],
    ['b.example', 'b.example'],
  ]);
});

test('a session that the app has frozen is stored as it is', async () => {
  const { browser, stored } = await open((req, res) => {
    req.session.frozen = true;
    Object.freeze(req.session);
    res.end();
  });
  await browser.get('/');

  expect(dataOf(stored())).toEqual({ user: 'ada', frozen: true });
});

test.each([
  [true, 'is stored and sent', 'Path=/app'],
  [false, 'comes along with the touch, and is not sent', undefined],
])('with trackCookie: %s, a change of the cookie alone %s', async (trackCookie, _, sent) => {
  const { browser, stored } = await open(
    (req, res) => {
      req.session.cookie.path = '/app';
      res.end();
    },
    { trackCookie, saveUninitialized: true },
  );
  const { setCookie } = await browser.get('/');

  expect(setCookie).toEqual(sent ? [expect.stringContaining(sent)] : []);
  expect(stored().cookie.path).toBe('/app');
});

describe('verified cookies are remembered', () => {
  test('not longer than their secret is one, if the app changes its secrets while it runs', async () => {
    const secrets = ['the first secret of the app'];
    const { browser } = await open((req, res) => res.end(JSON.stringify(dataOf(req.session))), {
      secret: secrets,
    });
    const look = async () => JSON.parse((await browser.get('/')).body);

    expect(await look()).toEqual({ user: 'ada' });
    secrets.unshift('another one');
    expect(await look()).toEqual({ user: 'ada' });
    secrets.pop();
    expect(await look()).toEqual({});
  });

  test('not beyond the end of their session', async () => {
    const { browser, store, id } = await open((req, res) => res.end(JSON.stringify(dataOf(req.session))));
    await browser.get('/');
    await store.destroy(id);

    expect((await browser.get('/')).body).toBe('{}');
  });
});
