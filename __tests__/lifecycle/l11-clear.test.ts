import type session from '../../lib/index.js';
import { RawClient } from '../support/http.js';
import { BEGUN, begin, combine, dataSeenBy, type Fixture, start as startSite } from '../support/lifecycle.js';
import { closeSites, type Handler, HOSTS } from '../support/sites.js';
import { STORES } from '../support/test-stores.js';

afterEach(closeSites);

const EXPIRED = 'Expires=Thu, 01 Jan 1970 00:00:00 GMT';

const clear: Handler = (req, res) => {
  req.session.clear();
  res.end('cleared');
};

describe.each(combine(HOSTS, STORES))('%s, %s', (host, store) => {
  const start = (handler: Handler, options: session.SessionOptions = {}): Promise<Fixture> =>
    startSite({ host, store, options, after: [handler] });

  test('L11: the record is deleted and the cookie expired', async () => {
    const fixture = await start(clear);
    await begin(fixture);
    expect(fixture.onlyData()).toEqual(BEGUN);
    const { body, setCookie } = await fixture.browser.get('/');
    expect(body).toBe('cleared');
    expect(setCookie).toEqual([`connect.sid=; Path=/; ${EXPIRED}; HttpOnly`]);
    expect(fixture.data()).toEqual({});
    expect(fixture.browser.cookie('connect.sid')).toBeUndefined();
    expect(await dataSeenBy(fixture.browser)).toEqual({});
  });

  test('L11: what goes in after clear(), and in a late listener, is stored', async () => {
    const fixture = await start((req, res) => {
      req.session.clear();
      req.session.user = 'bob';
      res.on('finish', () => {
        req.session.late = true;
      });
      res.end('text');
    });
    await begin(fixture);
    await fixture.browser.get('/');
    await fixture.settled();
    expect(fixture.onlyData()).toEqual({ user: 'bob', late: true });
  });

  test.each<[string, session.SessionOptions, string]>([
    [
      'a path and a domain',
      { cookie: { path: '/', domain: 'example.org' } },
      `sid=; Domain=example.org; Path=/; ${EXPIRED}; HttpOnly`,
    ],
    ['maxAge', { cookie: { maxAge: 60_000 } }, `sid=; Path=/; ${EXPIRED}; HttpOnly`],
    ['no httpOnly', { cookie: { httpOnly: false } }, `sid=; Path=/; ${EXPIRED}`],
    ['sameSite', { cookie: { sameSite: 'strict' } }, `sid=; Path=/; ${EXPIRED}; HttpOnly; SameSite=Strict`],
    [
      'secure and partitioned',
      { cookie: { secure: true, partitioned: true }, proxy: true },
      `sid=; Path=/; ${EXPIRED}; HttpOnly; Secure; Partitioned`,
    ],
    ['priority', { cookie: { priority: 'high' } }, `sid=; Path=/; ${EXPIRED}; HttpOnly; Priority=High`],
  ])(
    'L11: the cookie is expired with the attributes that it was set with: %s',
    async (_name, options, line) => {
      const fixture = await start(clear, { name: 'sid', ...options });
      const headers = { 'x-forwarded-proto': 'https' };
      await fixture.browser.get('/begin', { headers });
      const { setCookie } = await fixture.browser.get('/', { headers });
      expect(setCookie).toEqual([line]);
      expect(fixture.data()).toEqual({});
    },
  );

  test('L11: nothing of the data is left, and the cookie object is a new one', async () => {
    let seen: unknown;
    const fixture = await start((req, res) => {
      const { id, cookie } = req.session;
      const returned = req.session.clear();
      seen = {
        returned,
        keys: Object.keys(req.session),
        sameId: req.session.id === id,
        sameCookie: req.session.cookie === cookie,
        idOnRequest: req.sessionID === req.session.id,
      };
      res.end();
    });
    await begin(fixture);
    await fixture.browser.get('/');
    expect(seen).toEqual({
      returned: undefined,
      keys: ['cookie'],
      sameId: false,
      sameCookie: false,
      idOnRequest: true,
    });
  });

  test('L11: what is put in again goes under a new id, and the old record is gone', async () => {
    const fixture = await start((req, res) => {
      req.session.clear();
      req.session.theme = 'dark';
      res.end('cleared');
    });
    await begin(fixture);
    const [before] = Object.keys(fixture.data());
    const cookieBefore = fixture.browser.cookie('connect.sid');
    const { setCookie } = await fixture.browser.get('/');
    expect(setCookie).toHaveLength(1);
    expect(setCookie[0]).toMatch(/^connect\.sid=s%3A[^;]+; Path=\/; HttpOnly$/);
    expect(fixture.browser.cookie('connect.sid')).not.toBe(cookieBefore);
    const [after, ...others] = Object.keys(fixture.data());
    expect(others).toEqual([]);
    expect(after).not.toBe(before);
    expect(await dataSeenBy(fixture.browser)).toEqual({ theme: 'dark' });
  });

  test('L11: even when what is put in is what was there', async () => {
    const fixture = await start((req, res) => {
      req.session.clear();
      Object.assign(req.session, BEGUN);
      res.end('cleared');
    });
    await begin(fixture);
    const [before] = Object.keys(fixture.data());
    await fixture.browser.get('/');
    const after = Object.keys(fixture.data());
    expect(after).toHaveLength(1);
    expect(after[0]).not.toBe(before);
    expect(fixture.onlyData()).toEqual(BEGUN);
  });

  test('L11: the record is deleted even when what is put in after it can not be serialized', async () => {
    const fixture = await start((req, res) => {
      req.session.clear();
      req.session.big = 1n;
      res.end('cleared');
    });
    await begin(fixture);
    await fixture.browser.get('/');
    await fixture.settled();
    expect(fixture.data()).toEqual({});
    expect(fixture.site.errors).toMatchObject([{ message: 'Do not know how to serialize a BigInt' }]);
  });

  test('L11: cleared twice', async () => {
    const fixture = await start((req, res) => {
      req.session.clear();
      req.session.theme = 'dark';
      req.session.clear();
      res.end('cleared');
    });
    await begin(fixture);
    const { setCookie } = await fixture.browser.get('/');
    expect(setCookie).toEqual([`connect.sid=; Path=/; ${EXPIRED}; HttpOnly`]);
    expect(fixture.data()).toEqual({});
  });

  test('L11: saved, then cleared, in one request', async () => {
    const fixture = await start(async (req, res) => {
      req.session.theme = 'dark';
      await req.session.save();
      req.session.clear();
      res.end('cleared');
    });
    await fixture.browser.get('/');
    expect(fixture.data()).toEqual({});
    await begin(fixture);
    await fixture.browser.get('/');
    expect(fixture.data()).toEqual({});
  });

  test('L11: a new session, cleared, leaves neither record nor cookie', async () => {
    const fixture = await start((req, res) => {
      req.session.theme = 'dark';
      req.session.clear();
      res.end('cleared');
    });
    const { setCookie } = await fixture.browser.get('/');
    expect(setCookie).toEqual([]);
    expect(fixture.data()).toEqual({});
  });

  test('L11: cleared after the first write: the record goes, the cookie cannot', async () => {
    const fixture = await start((req, res) => {
      res.write('one');
      req.session.clear();
      res.end('two');
    });
    await begin(fixture);
    const { setCookie, body } = await fixture.browser.get('/');
    expect(body).toBe('onetwo');
    expect(setCookie).toEqual([]);
    expect(fixture.data()).toEqual({});
    expect(await dataSeenBy(fixture.browser)).toEqual({});
  });

  test('L11: a key called clear stays data, and hides the method in that session alone', async () => {
    const fixture = await start((req, res) => {
      if (req.session.clear === 'as data') delete req.session.clear;
      else req.session.clear = 'as data';
      res.end(typeof req.session.clear);
    });
    await begin(fixture);
    expect((await fixture.browser.get('/')).body).toBe('string');
    expect(await dataSeenBy(fixture.browser)).toEqual({ user: 'ada', clear: 'as data' });
    expect((await fixture.browser.get('/')).body).toBe('function');
    expect(await dataSeenBy(fixture.browser)).toEqual(BEGUN);
  });

  test.each([true, false])(
    'L11: with saveUninitialized %s, rolling and resave, it stays cleared',
    async (flag) => {
      const fixture = await start(clear, { saveUninitialized: flag, rolling: flag, resave: flag });
      await begin(fixture);
      const { setCookie } = await fixture.browser.get('/');
      expect(setCookie).toEqual([`connect.sid=; Path=/; ${EXPIRED}; HttpOnly`]);
      expect(fixture.data()).toEqual({});
    },
  );
});

describe.each<['regenerate' | 'clear']>([['regenerate'], ['clear']])(
  '%s(), then a save() that nobody looks at',
  (leave) => {
    test.each(['error', 'pass'] as const)(
      "saveFailure: '%s': the record that could not be destroyed is destroyed at the end",
      async (saveFailure) => {
        const fixture: Fixture = await startSite({
          host: 'node:http',
          store: 'text store',
          options: { saveFailure },
          after: [
            async (req, res) => {
              await req.session[leave]();
              req.session.user = 'grace';
              fixture.traffic.fail('destroy', new Error('away'));
              await req.session.save().catch(() => {});
              fixture.traffic.repair('destroy');
              res.end();
            },
          ],
        });
        await begin(fixture);
        await fixture.browser.get('/');
        await fixture.settled();
        expect(Object.values(fixture.data())).toEqual([{ user: 'grace' }]);
      },
    );
  },
);

test('L11: a secure cookie is not expired over a connection that could not have set it', async () => {
  const fixture = await startSite({
    host: 'node:http',
    store: 'callback store',
    options: { cookie: { secure: true }, proxy: true },
    after: [clear],
  });
  await fixture.browser.get('/begin', { headers: { 'x-forwarded-proto': 'https' } });
  const cookie = fixture.browser.cookieHeader('/');
  const received = await new RawClient(fixture.site.port).get('/', { Cookie: cookie }).closed;
  expect(received).toMatch(/\r\n\r\ncleared$/);
  expect(received).not.toContain('Set-Cookie');
  expect(fixture.data()).toEqual({});
});

test("L11: with clearCookie: true, the app's own res.clearCookie() says it a second time, and harms nothing", async () => {
  const logout: Handler = async (req, res) => {
    await req.session.destroy();
    res.clearCookie('connect.sid').send('bye');
  };
  const options = { clearCookie: true };
  const fixture = await startSite({ host: 'express 5', store: 'text store', options, after: [logout] });
  await begin(fixture);
  const { setCookie } = await fixture.browser.get('/');
  expect(setCookie).toEqual([
    `connect.sid=; Path=/; ${EXPIRED}`,
    `connect.sid=; Path=/; ${EXPIRED}; HttpOnly`,
  ]);
  expect(fixture.browser.cookie('connect.sid')).toBeUndefined();
  expect(fixture.data()).toEqual({});
});
