import session from '../../lib/index.js';
import { type Answer, Browser } from '../support/http.js';
import { baseOptions, type Fixture, type Setup, start } from '../support/lifecycle.js';
import { sign } from '../support/sign.js';
import { closeSites, type Handler } from '../support/sites.js';
import { STORES } from '../support/test-stores.js';

afterEach(closeSites);

const SECRET = 'keyboard cat';
const cookieOf = (id: string, secret = SECRET, name = 'connect.sid') =>
  `${name}=${encodeURIComponent(`s:${sign(id, secret)}`)}`;

const pages: Handler = async (req, res) => {
  if (req.url === '/logout') await req.session.destroy();
  if (req.url === '/clear') req.session.clear();
  res.end(JSON.stringify({ id: req.sessionID, user: req.session?.user }));
};

function open(options: session.SessionOptions = {}, store: Setup['store'] = 'text store'): Promise<Fixture> {
  return start({ host: 'node:http', store, options, after: [pages] });
}

/** Gives a browser a session, and tells its cookie. */
async function login({ site, settled, traffic }: Fixture): Promise<string> {
  const browser = new Browser(site);
  await browser.get('/begin');
  await settled();
  traffic.calls.length = 0;
  return browser.cookieHeader('/');
}

function send({ site }: Fixture, cookie: string, path = '/', headers = {}): Promise<Answer> {
  return new Browser(site).get(path, { headers: { cookie, ...headers } });
}

const userOf = ({ body }: Answer): unknown => JSON.parse(body).user;

test('forged cookies do not crowd out the genuine one behind them', async () => {
  const fixture = await open();
  const genuine = await login(fixture);
  const forged = Array.from({ length: 40 }, (_, n) => cookieOf(`forged${n}`, 'another secret'));
  expect(userOf(await send(fixture, [...forged, genuine].join('; ')))).toBe('ada');
  expect(fixture.traffic.calls).toEqual(['get', 'touch']);
});

describe('names that promise something are held to it at start', () => {
  const make = (name: string, cookie: session.CookieOptions) => () =>
    session({ ...baseOptions, name, cookie });

  test.each([
    ['__Host-id', { secure: true }],
    ['__Host-id', { secure: true, path: '/' }],
    ['__Host-id', { secure: 'auto' }],
    ['__Secure-id', { secure: true, path: '/app', domain: 'example.com' }],
    ['Host-id', {}],
    ['id__Host-', {}],
  ] as [string, session.CookieOptions][])('%s with %j will do', (name, cookie) => {
    expect(make(name, cookie)()).toBeInstanceOf(Function);
  });

  test.each([
    ['__Host-id', {}, 'cookie.secure'],
    ['__Host-id', { secure: false }, 'cookie.secure'],
    ['__host-id', {}, 'cookie.secure'],
    ['__Secure-id', {}, 'cookie.secure'],
    ['__SECURE-id', {}, 'cookie.secure'],
    ['__Host-id', { secure: true, path: '/app' }, 'cookie.path'],
    ['__Host-id', { secure: true, domain: 'example.com' }, 'cookie.domain'],
  ] as [string, session.CookieOptions, string][])(
    '%s with %j is refused, naming %s',
    (name, cookie, option) => {
      expect(make(name, cookie)).toThrow(TypeError);
      expect(make(name, cookie)).toThrow(option);
      expect(make(name, cookie)).toThrow(name);
    },
  );
});

describe('several cookies of our name', () => {
  test.each(STORES)('%s: the first live session wins, whichever cookie it is', async (store) => {
    const fixture = await open({}, store);
    const [mine, dead] = [await login(fixture), cookieOf('dead')];
    for (const header of [
      `${mine}; ${dead}`,
      `${dead}; ${mine}`,
      `${dead}; ${cookieOf('dead too')}; ${cookieOf('forged', 'other secret')}; ${mine}`,
      `connect.sid=garbage; ${mine}`,
    ]) {
      expect(userOf(await send(fixture, header))).toBe('ada');
    }
  });

  test('each is asked of the store once, in the browser’s order, and none after the first live one', async () => {
    const fixture = await open();
    const mine = await login(fixture);
    const dead = cookieOf('dead');
    await send(fixture, `${dead}; ${dead}; ${mine}; ${cookieOf('never asked')}`);
    await fixture.settled();
    expect(fixture.traffic.calls).toEqual(['get', 'get', 'touch']);
  });

  test('the fifth and later ones are not looked at', async () => {
    const fixture = await open();
    const mine = await login(fixture);
    const dead = [1, 2, 3, 4].map((n) => cookieOf(`dead ${n}`));
    expect(userOf(await send(fixture, [...dead.slice(1), mine].join('; ')))).toBe('ada');
    await fixture.settled();
    fixture.traffic.calls.length = 0;
    expect(userOf(await send(fixture, [...dead, mine].join('; ')))).toBe(undefined);
    await fixture.settled();
    expect(fixture.traffic.calls).toEqual(['get', 'get', 'get', 'get']);
  });

  test('when none is live, the session is new and has an id of its own', async () => {
    const fixture = await open();
    const { body } = await send(fixture, `${cookieOf('dead')}; ${cookieOf('dead too')}`);
    expect(JSON.parse(body).id).toMatch(/^[\w-]{32}$/);
  });
});

describe('expireStrays', () => {
  const EXPIRED = 'Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly';

  test('every place that a cookie can have come from is expired but ours, and ours is sent again', async () => {
    const fixture = await open({ expireStrays: true });
    const mine = await login(fixture);
    const { setCookie } = await send(fixture, `${cookieOf('dead')}; ${mine}`, '/a/b?c', {
      host: 'www.example.com:8080',
    });
    expect(setCookie).toEqual([
      `connect.sid=; Domain=www.example.com; Path=/; ${EXPIRED}`,
      `connect.sid=; Domain=example.com; Path=/; ${EXPIRED}`,
      `connect.sid=; Path=/a; ${EXPIRED}`,
      `connect.sid=; Path=/a/b; ${EXPIRED}`,
      `${mine}; Path=/; HttpOnly`,
    ]);
  });

  test('with a domain of our own, the cookie of the host alone is a stray', async () => {
    const fixture = await open({ expireStrays: true, cookie: { domain: '.Example.com' } });
    const mine = await login(fixture);
    const { setCookie } = await send(fixture, `${mine}; ${cookieOf('dead')}`, '/', {
      host: 'www.example.com',
    });
    expect(setCookie).toEqual([
      `connect.sid=; Domain=www.example.com; Path=/; ${EXPIRED}`,
      `connect.sid=; Path=/; ${EXPIRED}`,
      `${mine}; Domain=.Example.com; Path=/; HttpOnly`,
    ]);
  });

  test.each(['127.0.0.1:80', 'localhost', '[::1]:80', '<script>', 'a..b'])(
    'no domain is made of the host %s',
    async (host) => {
      const fixture = await open({ expireStrays: true });
      const mine = await login(fixture);
      const { setCookie } = await send(fixture, `${cookieOf('dead')}; ${mine}`, '/', { host });
      expect(setCookie).toEqual([`${mine}; Path=/; HttpOnly`]);
    },
  );

  test('a path that no cookie can name is left out, and there are at most eight lines besides ours', async () => {
    const fixture = await open({ expireStrays: true });
    const mine = await login(fixture);
    const answer = await send(fixture, `${cookieOf('dead')}; ${mine}`, '/a;b/c', { host: 'localhost' });
    expect(answer.setCookie).toEqual([`${mine}; Path=/; HttpOnly`]);
    const deep = await send(fixture, `${cookieOf('dead')}; ${mine}`, '/1/2/3/4/5/6/7/8/9/10', {
      host: 'a.b.c',
    });
    expect(deep.setCookie).toHaveLength(9);
  });

  test.each([
    ['one cookie only', (mine: string) => mine],
    ['two of the same session', (mine: string) => `${mine}; ${mine}`],
    ['one that is forged', (mine: string) => `${cookieOf('x', 'other')}; ${mine}`],
  ])('%s: nothing is expired', async (_, header) => {
    const fixture = await open({ expireStrays: true });
    const mine = await login(fixture);
    expect((await send(fixture, header(mine))).setCookie).toEqual([]);
  });

  test.each(['/logout', '/clear'])(
    '%s expires ours and the strays, so that no other session comes up',
    async (path) => {
      const fixture = await open({ expireStrays: true, clearCookie: true });
      const [mine, other] = [await login(fixture), await login(fixture)];
      const { setCookie } = await send(fixture, `${mine}; ${other}`, path, { host: 'www.example.com' });
      expect(setCookie).toContain(`connect.sid=; Path=/; ${EXPIRED}`);
      expect(setCookie).toContain(`connect.sid=; Domain=example.com; Path=/; ${EXPIRED}`);
      expect(setCookie.filter((line) => !line.startsWith('connect.sid=;'))).toEqual([]);
    },
  );

  test('where our own cookie is withheld, the strays stay too', async () => {
    const fixture = await open({ expireStrays: true, cookie: { secure: true } });
    await (fixture.store as session.SessionStore).set('id', '{"cookie":{"secure":true},"user":"ada"}', {
      expires: Date.now() + 60_000,
    });
    const answer = await send(fixture, `${cookieOf('dead')}; ${cookieOf('id')}`, '/', {
      host: 'www.example.com',
    });
    expect([userOf(answer), answer.setCookie]).toEqual(['ada', []]);
  });

  test('off by default', async () => {
    const fixture = await open();
    const mine = await login(fixture);
    expect((await send(fixture, `${cookieOf('dead')}; ${mine}`)).setCookie).toEqual([]);
  });

  test('a cookie called __Host- can have no strays', async () => {
    const fixture = await open({
      expireStrays: true,
      name: '__Host-id',
      proxy: true,
      cookie: { secure: true },
    });
    const id = 'live';
    await (fixture.store as session.SessionStore).set(
      id,
      '{"cookie":{"secure":true,"path":"/"},"user":"ada"}',
      { expires: Date.now() + 60_000 },
    );
    const header = `${cookieOf('dead', SECRET, '__Host-id')}; ${cookieOf(id, SECRET, '__Host-id')}`;
    const { setCookie } = await send(fixture, header, '/a', {
      host: 'www.example.com',
      'x-forwarded-proto': 'https',
    });
    expect(setCookie).toEqual([`${cookieOf(id, SECRET, '__Host-id')}; Path=/; HttpOnly; Secure`]);
  });
});

describe('resign', () => {
  const secret = ['new secret', SECRET];

  test('a cookie of an old secret is signed with the new one at once', async () => {
    const fixture = await open({ secret, resign: true });
    await fixture.browser.get('/begin');
    await fixture.settled();
    const id = Object.keys(fixture.data())[0] as string;
    const answer = await send(fixture, cookieOf(id));
    expect(userOf(answer)).toBe('ada');
    expect(answer.setCookie).toEqual([`${cookieOf(id, 'new secret')}; Path=/; HttpOnly`]);
    expect((await send(fixture, cookieOf(id, 'new secret'))).setCookie).toEqual([]);
  });

  test('by default it is accepted as it is; one of a secret that is gone is not', async () => {
    const fixture = await open({ secret });
    await fixture.browser.get('/begin');
    await fixture.settled();
    const id = Object.keys(fixture.data())[0] as string;
    const answer = await send(fixture, cookieOf(id));
    expect([userOf(answer), answer.setCookie]).toEqual(['ada', []]);
    expect(userOf(await send(fixture, cookieOf(id, 'older secret')))).toBe(undefined);
  });
});

describe('cachePrivate', () => {
  const answering =
    (headers: Record<string, string>, viaHead = false): Handler =>
    (req, res) => {
      if (req.url === '/set') req.session.n = 1;
      if (viaHead) return res.writeHead(200, headers).end('ok');
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
      res.end('ok');
    };
  const caching = async (
    handler: Handler,
    path: string,
    options: session.SessionOptions = { cachePrivate: true },
  ) => {
    const { browser } = await start({ host: 'node:http', store: 'MemoryStore', options, after: [handler] });
    return (await browser.get(path)).headers['cache-control'];
  };

  test('is said where the cookie leaves and the app says nothing', async () => {
    expect(await caching(answering({}), '/set')).toBe('private');
    expect(await caching(answering({ 'content-type': 'text/plain' }, true), '/set')).toBe('private');
    expect(await caching(answering({}), '/')).toBe(undefined);
    expect(await caching(answering({}), '/set', {})).toBe(undefined);
  });

  test.each([
    ['Cache-Control', 'no-store', 'no-store'],
    ['cache-control', 'public, max-age=60', 'public, max-age=60'],
    ['Expires', '0', undefined],
    ['Pragma', 'no-cache', undefined],
  ])('what the app says by %s stays', async (name, value, found) => {
    expect(await caching(answering({ [name]: value }), '/set')).toBe(found);
    expect(await caching(answering({ [name]: value }, true), '/set')).toBe(found);
  });
});

describe('cookies that are not ours cost nothing', () => {
  test.each([
    ['unsigned', 'connect.sid=an-id'],
    ['empty', 'connect.sid='],
    ['signed by nobody', 'connect.sid=s:id'],
    ['with an empty signature', 'connect.sid=s:id.'],
    ['with an empty id', cookieOf('')],
    ['of another secret', cookieOf('id', 'other')],
    ['with a signature that is cut', cookieOf('id').slice(0, -3)],
    ['with another id', cookieOf('id').replace('s%3Aid', 's%3Aie')],
    ['of another name', cookieOf('id', SECRET, 'connect.sid2')],
    [
      'a thousand of them',
      Array.from({ length: 1000 }, (_, n) => cookieOf(`${n}`, 'x'))
        .join('; ')
        .slice(0, 15_000),
    ],
  ])('%s: no store access, and the session is new', async (_, cookie) => {
    const fixture = await open();
    const answer = await send(fixture, cookie);
    await fixture.settled();
    expect([answer.status, userOf(answer), fixture.traffic.calls]).toEqual([200, undefined, []]);
  });
});
