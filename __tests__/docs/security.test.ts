/** What docs/security.md claims and no other test shows. */
import { createHash } from 'node:crypto';
import type session from '../../lib/index.js';
import { passTime, useFrozenClock } from '../differential/clock.js';
import { BEGUN, baseOptions, begin, dataSeenBy, type Fixture, start } from '../support/lifecycle.js';
import { sign } from '../support/sign.js';
import { closeSites, type Handler } from '../support/sites.js';
import type { StoreName } from '../support/test-stores.js';

const SECOND = 1000;
const SECRET = baseOptions.secret as string;

useFrozenClock();
afterEach(closeSites);

const showId: Handler = (req, res) => res.end(req.session.id);

function site(
  options: session.SessionOptions,
  handler: Handler = showId,
  store: StoreName = 'text store',
): Promise<Fixture> {
  return start({ host: 'node:http', store, options, after: [handler] });
}

/** A Cookie header with a genuine signature of ours. */
function cookieFor(...ids: string[]): string {
  return ids.map((id) => `connect.sid=s%3A${encodeURIComponent(sign(id, SECRET))}`).join('; ');
}

/** What somebody gets who has a copy of a cookie, whatever became of it in the browser. */
async function idSeenWith({ browser }: Fixture, cookie: string): Promise<string> {
  return (await browser.get('/id', { headers: { cookie } })).body;
}

const idOf = ({ data }: Fixture): string => Object.keys(data())[0]!;

function recorded({ sessions }: Fixture, ...names: session.SessionEventName[]): [string, string][] {
  const events: [string, string][] = [];
  for (const name of names) sessions.on(name, (event) => events.push([name, event.session]));
  return events;
}

const hashOf = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, 12);

describe('ids', () => {
  test('have 192 random bits', async () => {
    const fixture = await site({});
    const ids: string[] = [];
    for (let request = 0; request < 200; request++) ids.push(await idSeenWith(fixture, 'none=1'));
    for (const id of ids) expect(id).toMatch(/^[\w-]{32}$/);
    const bytes = ids.map((id) => [...Buffer.from(id, 'base64url')]);
    expect(new Set(ids).size).toBe(200);
    // Every bit is set in some and not in others: it would be the same in all 200 once in 2^199 times.
    const bits = (combine: (a: number, b: number) => number) =>
      bytes.reduce((all, each) => all.map((byte, at) => combine(byte, each[at]!)));
    expect(bits((a, b) => a | b)).toEqual(Array(24).fill(0xff));
    expect(bits((a, b) => a & b)).toEqual(Array(24).fill(0));
  });

  test('count in the cookie, and nowhere else', async () => {
    const fixture = await site({});
    await begin(fixture);
    const id = idOf(fixture);
    const genuine = sign(id, SECRET);
    const places: [string, Record<string, string>][] = [
      [`/?connect.sid=s:${genuine}`, {}],
      [`/;connect.sid=s:${genuine}`, {}],
      ['/', { 'connect.sid': `s:${genuine}` }],
      ['/', { authorization: `Bearer s:${genuine}` }],
      ['/', { cookie: `other=1; x-connect.sid=s:${genuine}` }],
    ];
    for (const [path, headers] of places) {
      const { body } = await fixture.browser.get(path, { headers: { cookie: 'other=1', ...headers } });
      expect(body).not.toBe(id);
    }
    expect(fixture.traffic.calls).toEqual([]);
  });

  test('forged ones cost no look into the store', async () => {
    const fixture = await site({});
    await begin(fixture);
    const id = idOf(fixture);
    const genuine = sign(id, SECRET);
    const forged = [
      id,
      `s:${id}`,
      `s:${id}.`,
      `s:${genuine.slice(0, -1)}`,
      `s:${genuine}=`,
      `s:${sign(id, 'another secret')}`,
      `s:${id}x${genuine.slice(id.length)}`,
      genuine,
    ];
    for (const value of forged) {
      const seen = await idSeenWith(fixture, `connect.sid=${encodeURIComponent(value)}`);
      expect(seen).toMatch(/^[\w-]{32}$/);
      expect(seen).not.toBe(id);
    }
    expect(fixture.traffic.calls).toEqual([]);
  });

  test('that we signed and that are not stored any more are not adopted, and an event tells of them', async () => {
    const handler: Handler = (req, res) => {
      req.session.color = 'red';
      res.end(req.session.id);
    };
    const fixture = await site({}, handler);
    const events = recorded(fixture, 'expire');
    const old = 'an-id-that-is-not-stored';
    const seen = await idSeenWith(fixture, cookieFor(old));
    expect(seen).not.toBe(old);
    expect(Object.keys(fixture.data())).toEqual([seen]);
    expect(events).toEqual([['expire', hashOf(old)]]);
  });
});

describe('idle timeout', () => {
  test('maxAge and rolling: each request prolongs it, on both sides; a cookie that was kept does not help', async () => {
    const fixture = await site({ rolling: true, cookie: { maxAge: 60 * SECOND } });
    await begin(fixture);
    const id = idOf(fixture);
    for (let request = 0; request < 3; request++) {
      passTime(59 * SECOND);
      const { body, setCookie } = await fixture.browser.get('/');
      expect(body).toBe(id);
      const expires = new Date(Date.now() + 60 * SECOND).toUTCString();
      expect(setCookie).toEqual([expect.stringContaining(`; Expires=${expires};`)]);
      await fixture.settled();
    }
    passTime(60 * SECOND);
    expect(await idSeenWith(fixture, cookieFor(id))).not.toBe(id);
  });

  test('ttl: a session whose cookie ends with the browser', async () => {
    const fixture = await site({ ttl: 60 * SECOND });
    await begin(fixture);
    const id = idOf(fixture);
    passTime(59 * SECOND);
    expect(await idSeenWith(fixture, cookieFor(id))).toBe(id);
    await fixture.settled();
    passTime(60 * SECOND);
    expect(await idSeenWith(fixture, cookieFor(id))).not.toBe(id);
  });

  test('touch: requests that it says no to do not prolong it', async () => {
    const touch = (req: { url?: string | undefined }) => req.url !== '/poll';
    const fixture = await site({ ttl: 60 * SECOND, touch });
    await begin(fixture);
    const id = idOf(fixture);
    passTime(40 * SECOND);
    expect((await fixture.browser.get('/poll')).body).toBe(id);
    await fixture.settled();
    passTime(20 * SECOND);
    expect((await fixture.browser.get('/poll')).body).not.toBe(id);
  });

  test('touchAfter: within it, reading writes nothing', async () => {
    const fixture = await site({ ttl: 60 * SECOND, touchAfter: 10 * SECOND });
    await begin(fixture);
    const calls: unknown[] = [];
    for (let request = 0; request < 2; request++) {
      passTime(5 * SECOND);
      await fixture.browser.get('/');
      await fixture.settled();
      calls.push(fixture.traffic.calls.splice(0));
    }
    expect(calls).toEqual([['get'], ['get', 'set']]);
  });
});

describe('absolute timeout', () => {
  const options: session.SessionOptions = {
    absoluteTimeout: 100 * SECOND,
    rolling: true,
    cookie: { maxAge: 60 * SECOND },
  };

  test('ends a session however busy it is, in the store and in the browser', async () => {
    const fixture = await site(options);
    await begin(fixture);
    const [id, end] = [idOf(fixture), Date.now() + 100 * SECOND];
    const events = recorded(fixture, 'expire');
    passTime(50 * SECOND);
    expect((await fixture.browser.get('/')).body).toBe(id);
    passTime(49 * SECOND);
    const { body, setCookie } = await fixture.browser.get('/');
    expect(body).toBe(id);
    expect(setCookie).toEqual([expect.stringContaining(`; Expires=${new Date(end).toUTCString()};`)]);
    await fixture.settled();
    passTime(SECOND);
    expect(await idSeenWith(fixture, cookieFor(id))).not.toBe(id);
    expect(events).toEqual([['expire', hashOf(id)]]);
  });

  test('of a record that the store still gives, since it was stored without one', async () => {
    const fixture = await site(options, showId, 'callback store');
    await begin(fixture);
    const id = idOf(fixture);
    passTime(100 * SECOND);
    expect(await idSeenWith(fixture, cookieFor(id))).not.toBe(id);
    expect(fixture.data()).toEqual({});
  });

  test.each([
    [{ keep: true }, 100],
    [{ keep: true, restart: true }, 150],
  ])('regenerate(%j) ends it %d s after the first login', async (how, seconds) => {
    const handler: Handler = async (req, res) => {
      if (req.url === '/regenerate') await req.session.regenerate(how);
      res.end(String((req.session.createdAt.getTime() + 100 * SECOND - began) / SECOND));
    };
    const fixture = await site(options, handler);
    await begin(fixture);
    const began = Date.now();
    passTime(50 * SECOND);
    expect((await fixture.browser.get('/regenerate')).body).toBe(String(seconds));
  });
});

describe('renewal timeout', () => {
  const options: session.SessionOptions = {
    rotateAfter: 60 * SECOND,
    rotateGrace: 10 * SECOND,
    ttl: 1000 * SECOND,
    concurrency: 'merge',
  };

  test('after rotateAfter there is a new id; the old one serves for rotateGrace, and then no more', async () => {
    const fixture = await site(options);
    await begin(fixture);
    const old = idOf(fixture);
    const events = recorded(fixture, 'rotate', 'reuse');
    passTime(59 * SECOND);
    expect(fixture.browser.cookieHeader('/')).toBe(cookieFor(old));
    await fixture.browser.get('/');
    expect(fixture.browser.cookieHeader('/')).toBe(cookieFor(old));
    passTime(SECOND);
    await fixture.browser.get('/');
    const renewed = await idSeenWith(fixture, fixture.browser.cookieHeader('/'));
    expect(fixture.browser.cookieHeader('/')).toBe(cookieFor(renewed));
    expect(renewed).not.toBe(old);
    expect(await dataSeenBy(fixture.browser)).toEqual(BEGUN);
    passTime(10 * SECOND);
    expect(await idSeenWith(fixture, cookieFor(old))).toBe(renewed);
    expect(events).toEqual([['rotate', hashOf(old)]]);
    passTime(1);
    expect([old, renewed]).not.toContain(await idSeenWith(fixture, cookieFor(old)));
    expect(events.slice(1)).toEqual([['reuse', hashOf(old)]]);
    expect(await dataSeenBy(fixture.browser)).toEqual(BEGUN);
  });

  test("onReuse: 'revoke': who comes with the old id ends the session", async () => {
    const fixture = await site({ ...options, onReuse: 'revoke' });
    await begin(fixture);
    const old = idOf(fixture);
    passTime(60 * SECOND);
    await fixture.browser.get('/');
    passTime(10 * SECOND + 1);
    expect(await dataSeenBy(fixture.browser)).toEqual(BEGUN);
    await idSeenWith(fixture, cookieFor(old));
    expect(await dataSeenBy(fixture.browser)).toEqual({});
  });
});

describe('cookies', () => {
  test('resign: a cookie of an old secret is replaced at once', async () => {
    const options = { secret: ['new', SECRET] };
    for (const [resign, lines] of [
      [true, 1],
      [false, 0],
    ] as const) {
      const fixture = await site({ ...options, resign });
      await fixture.browser.get('/begin');
      const id = idOf(fixture);
      const { body, setCookie } = await fixture.browser.get('/', { headers: { cookie: cookieFor(id) } });
      expect(body).toBe(id);
      expect(setCookie).toHaveLength(lines);
      if (resign) expect(setCookie[0]).toContain(encodeURIComponent(sign(id, 'new')));
    }
  });

  test('expireStrays: of several sessions, the browser drops what is not in use', async () => {
    const fixture = await site({ expireStrays: true });
    await begin(fixture);
    const id = idOf(fixture);
    const cookie = cookieFor('of-an-older-path', id);
    const { body, setCookie } = await fixture.browser.get('/shop/cart', {
      headers: { cookie, host: 'www.example.org' },
    });
    expect(body).toBe(id);
    const gone = 'Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly';
    expect(setCookie).toEqual([
      `connect.sid=; Domain=www.example.org; Path=/; ${gone}`,
      `connect.sid=; Domain=example.org; Path=/; ${gone}`,
      `connect.sid=; Path=/shop; ${gone}`,
      `connect.sid=; Path=/shop/cart; ${gone}`,
      expect.stringMatching(new RegExp(`^connect\\.sid=s%3A${id}\\.[^;]+; Path=/; HttpOnly$`)),
    ]);
  });

  test.each<[string, Handler, string | undefined]>([
    ['says nothing', (_req, res) => res.end(), 'private'],
    ['says Cache-Control', (_req, res) => res.setHeader('Cache-Control', 'no-store').end(), 'no-store'],
    ['says Expires', (_req, res) => res.setHeader('Expires', '0').end(), undefined],
    ['says it in writeHead', (_req, res) => res.writeHead(200, { Pragma: 'no-cache' }).end(), undefined],
  ])('cachePrivate: where the cookie is sent and the app %s', async (_, end, value) => {
    const handler: Handler = (req, res) => {
      if (req.url === '/new') req.session.color = 'red';
      end(req, res, () => {});
    };
    const fixture = await site({ cachePrivate: true }, handler);
    expect((await fixture.browser.get('/new')).headers['cache-control']).toBe(value);
    const without = await fixture.browser.get('/');
    expect(without.headers['cache-control']).toBe(value === 'private' ? undefined : value);
  });

  test.each<[string, session.SessionOptions, Record<string, string>, number]>([
    ['over plain HTTP it is withheld', {}, {}, 0],
    ['a header that anybody can send changes nothing', {}, { 'x-forwarded-proto': 'https' }, 0],
    ['behind a proxy that is trusted it is sent', { proxy: true }, { 'x-forwarded-proto': 'https' }, 1],
    ['also after several proxies', { proxy: true }, { 'x-forwarded-proto': 'https, http' }, 1],
    ['the first proxy saw plain HTTP', { proxy: true }, { 'x-forwarded-proto': 'http, https' }, 0],
  ])('secure: %s', async (_, options, headers, lines) => {
    const warned = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const fixture = await site({ ...options, cookie: { secure: true } });
    expect((await fixture.browser.get('/begin', { headers })).setCookie).toHaveLength(lines);
    for (const call of warned.mock.calls)
      expect(call[1]).toEqual({ type: 'SteadySessionWarning', code: 'WARN_SESSION_INSECURE_REQUEST' });
    warned.mockRestore();
  });

  test('skip: requests that have no business with sessions', async () => {
    const handler: Handler = (req, res) => res.end(String(req.session === undefined));
    const skip = (req: { url?: string | undefined }) => req.url === '/health';
    const fixture = await site({ skip, resave: true, saveUninitialized: true }, handler);
    const { body, setCookie } = await fixture.browser.get('/health');
    expect({ body, setCookie, calls: fixture.traffic.calls }).toEqual({
      body: 'true',
      setCookie: [],
      calls: [],
    });
  });
});

describe('owner', () => {
  const handler: Handler = (req, res) => {
    req.session.userId = Number(req.url.slice(1));
    res.end(req.session.id);
  };

  async function logIn(fixture: Fixture, user: number): Promise<string> {
    return (await fixture.browser.get(`/${user}`, { headers: { cookie: 'none=1' } })).body;
  }

  async function listed({ sessions }: Fixture, user: number): Promise<session.OwnedSession[]> {
    const found: session.OwnedSession[] = [];
    for await (const each of sessions.of(user)) found.push(each);
    return found;
  }

  test('a user’s sessions can be listed, without their ids, and ended, one by one', async () => {
    const fixture = await site({ owner: 'userId', absoluteTimeout: 100 * SECOND }, handler, 'MemoryStore');
    const ids = [await logIn(fixture, 7), await logIn(fixture, 7), await logIn(fixture, 8)];
    const found = await listed(fixture, 7);
    expect(found.map(({ createdAt, data }) => ({ createdAt, data }))).toEqual(
      [0, 1].map(() => ({ createdAt: new Date(), data: { userId: 7 } })),
    );
    expect(new Set(found.map(({ handle }) => handle)).size).toBe(2);
    for (const id of ids) expect(JSON.stringify(found)).not.toContain(id);
    await found[0]!.revoke();
    expect(await listed(fixture, 7)).toHaveLength(1);
    expect(await listed(fixture, 8)).toHaveLength(1);
  });

  test('or all at once, but for the one in use', async () => {
    const fixture = await site({ owner: ({ userId }) => userId }, handler, 'MemoryStore');
    const ids = [
      await logIn(fixture, 7),
      await logIn(fixture, 7),
      await logIn(fixture, 7),
      await logIn(fixture, 8),
    ];
    expect(await fixture.sessions.revoke(7, { except: ids[1]! })).toBe(2);
    expect(Object.keys(fixture.data()).sort()).toEqual([ids[1], ids[3]].sort());
    expect(await fixture.sessions.revoke(7)).toBe(1);
    expect(Object.keys(fixture.data())).toEqual([ids[3]]);
  });

  test('needs the option, and a store that can list', async () => {
    const without = await site({}, handler, 'MemoryStore');
    await expect(without.sessions.revoke(7)).rejects.toMatchObject({ code: 'ERR_SESSION_NO_OWNER' });
    const unlisted = await site({ owner: 'userId' }, handler, 'text store');
    await expect(unlisted.sessions.revoke(7)).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_LISTABLE' });
  });
});
