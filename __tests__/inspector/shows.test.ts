/** What an open page is told. */
import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { WebSocket, WebSocketServer } from 'ws';
import { toConnectStore } from '../../lib/adapters/to-connect.js';
import session from '../../lib/index.js';
import { RedisStore } from '../../lib/stores/redis.js';
import { eventually } from '../support/async.js';
import { Browser, gate } from '../support/http.js';
import { describeWith, startRedis } from '../support/servers.js';
import { type Handler, HOSTS, serve } from '../support/sites.js';
import { ADMIN, closeScenes, EventStream, hashOf, idOf, mounted, SECRET, scene } from './support.js';

let warn: jest.SpyInstance;
beforeEach(() => {
  warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterEach(async () => {
  warn.mockRestore();
  await closeScenes();
});

const HOUR = 3_600_000;
const ofSession = (hash: string) => (row: any) => row.session === hash;

/** `/put?a=1` stores; `/read` reads; `/out` clears. */
const app: Handler = (req, res) => {
  const { pathname, searchParams } = new URL(req.url, 'http://localhost');
  if (pathname === '/put') Object.assign(req.session, Object.fromEntries(searchParams));
  if (pathname === '/out') req.session.clear();
  if (pathname === '/look') void req.session.user;
  res.end();
};

async function begun(browser: Browser, query: string): Promise<string> {
  await browser.get(`/put?${query}`);
  return hashOf(idOf(browser));
}

describe.each(HOSTS)('over %s', (host) => {
  test('serves the page, and tells it of a request while it is open', async () => {
    const { ask, visitor, site } = await scene(app, { host });
    const { status, body } = await ask();
    const browser = visitor();
    const hash = await begun(browser, 'user=ada');
    if (host === 'http/2') {
      const stream = new Browser(site).start('/sessions?stream', { headers: ADMIN });
      expect(await stream.head).toMatchObject({ status: 200, headers: { 'x-accel-buffering': 'no' } });
      return stream.leave(); // our client of server-sent events speaks HTTP/1
    }
    const stream = new EventStream(site.port, '/sessions?stream', ADMIN);
    await stream.next('sessions', ({ rows }) => rows.some(ofSession(hash)));
    await browser.get('/read?token=secret');
    const { requests } = await stream.next('news', (news) => news.requests.length > 0);
    stream.leave();

    expect([status, body.slice(0, 15)]).toEqual([200, '<!doctype html>']);
    expect(requests).toEqual([
      {
        n: expect.any(Number),
        changed: expect.any(Number),
        at: expect.any(Number),
        session: hash,
        target: 'GET /read',
        state: 'unchanged',
        store: { action: 'touch', why: 'touched: unmodified and resave is false; its lifetime starts anew' },
        cookie: { action: 'nothing', why: 'no Set-Cookie: unmodified and rolling is false' },
      },
    ]);
  });

  test('leaves paths below it to others', async () => {
    const { ask } = await scene((_req, res) => res.end('the app'), { host });

    expect((await ask('/other')).body).toBe('the app');
    expect((await ask('/?query')).body.slice(0, 15)).toBe('<!doctype html>');
  });
});

test('without next(), in node:http, it answers what is not its own', async () => {
  const { inspect } = await scene(app);
  const site = await serve('node:http', [mounted('/a', (req, res) => inspect(req, res))]);
  const { status, body } = await new Browser(site).get('/a/other');

  expect([status, body]).toEqual([404, 'Not found']);
});

test('without next(), in node:http, a guard that throws is a 500', async () => {
  const { inspect } = await scene(app, { guard: () => Promise.reject(new Error('no database')) });
  const site = await serve('node:http', [mounted('/a', (req, res) => inspect(req, res))]);
  const { status, body } = await new Browser(site).get('/a');

  expect([status, body]).toEqual([500, 'Internal server error']);
});

describe('requests', () => {
  test('have their reasons when the page opens after them, even if nobody looked at the session', async () => {
    const { visitor, watch } = await scene(app);
    await visitor().get('/read');
    await visitor().get('/look');
    const { requests, counts } = await watch().next('hello');
    const told = {
      state: 'new',
      store: { action: 'nothing', why: 'not stored: unmodified and saveUninitialized is false' },
      cookie: { action: 'nothing', why: 'no Set-Cookie: unmodified and saveUninitialized is false' },
    };

    expect(requests).toMatchObject([
      { target: 'GET /read', ...told },
      { target: 'GET /look', ...told },
    ]);
    expect(counts).toEqual({ requests: 2 });
  });

  test('that clear the session name the one that was deleted', async () => {
    const { visitor, watch } = await scene(app);
    const browser = visitor();
    const hash = await begun(browser, 'user=ada');
    await browser.get('/out');
    const { requests } = await watch().next('hello');

    expect(requests[1]).toMatchObject({
      session: hash,
      target: 'GET /out',
      state: 'cleared',
      store: { action: 'delete', why: 'deleted: the app called clear()' },
      cookie: { action: 'expire', why: 'Set-Cookie that expires: the app called clear()' },
    });
  });

  test('of the inspector itself are not among them, nor what they do as all requests do', async () => {
    const { visitor, ask, watch } = await scene(app);
    const browser = visitor();
    const hash = await begun(browser, 'user=ada');
    await ask('', { headers: { ...ADMIN, cookie: browser.cookieHeader('/') } });
    const stream = watch({ ...ADMIN, cookie: browser.cookieHeader('/') });
    const { requests, events } = await stream.next('hello');

    expect(requests.map(({ target }: any) => target)).toEqual(['GET /put']);
    expect(events.map(({ name, session: of, target }: any) => [name, of, target])).toEqual([
      ['create', hash, 'GET /put'],
    ]);
  });

  test('are remembered as many as `history` says, and events too', async () => {
    const { visitor, watch } = await scene(app, { history: 2 });
    for (const name of ['/a', '/b', '/c']) await visitor().get(name);
    for (const name of ['x', 'y', 'z']) await begun(visitor(), name);
    const { requests, events, history, counts } = await watch().next('hello');

    expect(requests.map(({ target }: any) => target)).toEqual(['GET /put', 'GET /put']);
    expect(events.map(({ name }: any) => name)).toEqual(['create', 'create']);
    expect([history, counts]).toEqual([2, { requests: 6, create: 3 }]);
  });

  test('whose changes were dropped say so', async () => {
    const { opened, open } = gate();
    const reached = gate();
    const { visitor, watch } = await scene(async (req, res, next) => {
      if (req.url !== '/slow') return app(req, res, next);
      req.session.late = 1;
      reached.open();
      await opened;
      return res.end();
    });
    const browser = visitor();
    const hash = await begun(browser, 'user=ada');
    const slow = browser.get('/slow');
    await reached.opened;
    await browser.get('/out');
    open();
    await slow;
    const { requests, events } = await watch().next('hello');

    expect(requests.find(({ target }: any) => target === 'GET /slow')).toMatchObject({
      session: hash,
      state: 'interrupted',
      store: {
        action: 'nothing',
        why:
          'not stored: ERR_SESSION_INTERRUPTED: changes to a session were dropped, ' +
          'since it had been destroyed or had expired meanwhile',
      },
    });
    expect(events.filter(({ name }: any) => name === 'interrupted')).toMatchObject([
      { session: hash, target: 'GET /slow', keys: ['late'] },
    ]);
  });

  test('whose session could not be stored say so, without what the database said', async () => {
    const store = new session.MemoryStore();
    store.records.writeCompact = () => {
      throw Object.assign(new Error('password=hunter2 refused'), { code: 'ECONNREFUSED' });
    };
    const { visitor, watch } = await scene(app, { options: { store, saveFailure: 'pass' } });
    await visitor().get('/put?a=1');
    const stream = watch();
    const { requests, events } = await stream.next('hello');

    expect(requests).toMatchObject([
      { store: { action: 'nothing', why: 'not stored: ECONNREFUSED: Error' } },
    ]);
    expect(events).toMatchObject([{ name: 'error', error: 'ECONNREFUSED: Error' }]);
    expect(stream.text).not.toContain('hunter2');
  });

  test('that change the same session at the same time show as a conflict', async () => {
    const { opened, open } = gate();
    const reached = gate();
    const { visitor, watch } = await scene(async (req, res, next) => {
      if (req.url !== '/slow') return app(req, res, next);
      req.session.one = 1;
      reached.open();
      await opened;
      return res.end();
    });
    const browser = visitor();
    const hash = await begun(browser, 'user=ada');
    const slow = browser.get('/slow');
    await reached.opened;
    await browser.get('/put?two=2');
    open();
    await slow;
    const { events, counts } = await watch().next('hello');

    expect(events.filter(({ name }: any) => name === 'conflict')).toMatchObject([
      { session: hash, target: 'GET /slow', keys: ['two'] },
    ]);
    expect(counts.conflict).toBe(1);
  });
});

describe('sessions', () => {
  test('are shown with what may be known of them', async () => {
    const options = { owner: 'user', cookie: { maxAge: HOUR } };
    const { visitor, watch } = await scene(app, { options });
    const before = Date.now();
    const browser = visitor();
    const hash = await begun(browser, 'user=ada&cart=x');
    const { rows, ...listing } = await watch().next('sessions');
    const [{ createdAt, expires, size, ...row }] = rows;

    expect(listing).toEqual({ more: false, source: 'store' });
    expect(rows).toHaveLength(1);
    expect(row).toEqual({ session: hash, owner: 'ada', keys: ['user', 'cart'], keyCount: 2, lifetime: HOUR });
    expect(createdAt).toBeGreaterThanOrEqual(before);
    expect(createdAt).toBeLessThanOrEqual(Date.now());
    expect(expires).toBeGreaterThanOrEqual(before + HOUR);
    expect(expires).toBeLessThanOrEqual(Date.now() + HOUR);
    expect(size).toBeGreaterThan(20);
  });

  test('come, change and go while the page is open', async () => {
    const { visitor, watch } = await scene(app, { checkInterval: HOUR });
    const stream = watch();
    await stream.next('sessions');
    const browser = visitor();
    const hash = await begun(browser, 'a=1');
    const { rows: created } = await stream.next('rows', ({ rows }) => rows.some(ofSession(hash)));
    await browser.get('/put?b=2');
    await stream.next('rows', ({ rows }) =>
      rows.some((row: any) => row.session === hash && row.keyCount === 2),
    );
    await browser.get('/out');
    await stream.next('news', ({ gone }) => gone.includes(hash));

    expect(created.map(({ keys }: any) => keys)).toEqual([['a']]);
  });

  test('of other processes come with the next interval', async () => {
    const store = new session.MemoryStore();
    const { watch } = await scene(app, { options: { store }, checkInterval: 5 });
    const stream = watch();
    await stream.next('sessions', ({ rows }) => rows.length === 0);
    const expires = new Date(Date.now() + HOUR);
    const cookie = { originalMaxAge: 2 * HOUR, expires };
    await store.set('other', JSON.stringify({ cookie, theirs: 1 }), { expires: +expires });
    const { rows } = await stream.next('sessions', (listing) => listing.rows.length === 1);

    expect(rows).toEqual([
      {
        session: hashOf('other'),
        size: Buffer.byteLength(JSON.stringify({ cookie, theirs: 1 })),
        keys: ['theirs'],
        keyCount: 1,
        expires: +expires,
        lifetime: 2 * HOUR,
      },
    ]);
  });

  test.each([
    [1, false],
    [2, false],
    [3, true],
  ])('%i of them, where two may be listed: more exist, %p', async (count, more) => {
    const { visitor, watch } = await scene(app, { sessions: 2 });
    for (let at = 0; at < count; at++) await begun(visitor(), 'a=1');
    const listing = await watch().next('sessions');

    expect([listing.rows.length, listing.more]).toEqual([Math.min(count, 2), more]);
  });

  test('that a store cannot list are those that were seen lately', async () => {
    const { ids: _, ...texts } = methodsOf(new session.MemoryStore());
    const { visitor, watch, revoke } = await scene(app, { sessions: 2, options: { store: texts } });
    const hashes: string[] = [];
    for (const name of ['a', 'b', 'c']) hashes.push(await begun(visitor(), name));
    const { rows, more, source } = await watch().next('sessions');

    expect(rows.map((row: any) => row.session)).toEqual([hashes[2], hashes[1]]);
    expect([more, source]).toEqual([false, 'process']);
    expect((await revoke(hashes[0]!)).status).toBe(404);
    expect((await revoke(hashes[2]!)).status).toBe(200);
  });

  test("of express-session's kind of store are those that were seen lately", async () => {
    const store = toConnectStore(methodsOf(new session.MemoryStore()));
    const { visitor, watch, revoke } = await scene(app, { options: { store } });
    const browser = visitor();
    const hash = await begun(browser, 'a=1');
    const { rows, source } = await watch().next('sessions');
    const { status } = await revoke(hash);
    const before = idOf(browser);
    await browser.get('/put?a=1');

    expect([rows.map((row: any) => row.keys), source, status]).toEqual([[['a']], 'process', 200]);
    expect(idOf(browser)).not.toBe(before);
  });

  test('that cannot be read do not hide the others', async () => {
    const store = new session.MemoryStore();
    const expires = Date.now() + HOUR;
    await store.set('broken', 'no JSON', { expires });
    await store.set('null', 'null', { expires });
    await store.set('fine', JSON.stringify({ cookie: {}, a: 1 }), { expires });
    await store.set('moved', JSON.stringify({ cookie: { movedTo: 'fine', movedAt: 1 } }), { expires });
    const { watch } = await scene(app, { options: { store } });
    const { rows } = await watch().next('sessions');

    expect(rows.map((row: any) => row.session)).toEqual([hashOf('fine')]);
  });

  test('that cannot be read at all: the page says why', async () => {
    const store = new session.MemoryStore();
    store.ids = () => {
      throw new Error('hunter2');
    };
    const { watch } = await scene(app, { options: { store } });

    expect(await watch().next('sessions')).toEqual({
      rows: [],
      more: false,
      source: 'store',
      problem: 'Error',
    });
  });

  test('of a store that does not answer: the page says so when its time is over', async () => {
    const store = new session.MemoryStore();
    store.ids = () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }) as never;
    const { watch } = await scene(app, { options: { store, storeTimeout: 5 } });

    expect((await watch().next('sessions')).problem).toMatch(/^ERR_SESSION_STORE_TIMEOUT: /);
  });
});

describe('a revoked session', () => {
  test('is not brought back by a request that was under way', async () => {
    const { opened, open } = gate();
    const reached = gate();
    const store = new session.MemoryStore();
    const { visitor, watch, revoke } = await scene(
      async (req, res, next) => {
        if (req.url !== '/slow') return app(req, res, next);
        req.session.late = 1;
        reached.open();
        await opened;
        return res.end();
      },
      { options: { store } },
    );
    const browser = visitor();
    const stream = watch();
    const hash = await begun(browser, 'user=ada');
    const slow = browser.get('/slow');
    await reached.opened;
    const { status } = await revoke(hash);
    open();
    await slow;
    const { events } = await stream.next('news', (news) => news.gone.includes(hash));

    expect([status, await store.length()]).toEqual([200, 0]);
    expect(events.filter(({ name }: any) => name === 'destroy')).toMatchObject([
      { session: hash, target: 'POST /sessions', duration: expect.any(Number) },
    ]);
  });

  test('loses its sockets', async () => {
    const { sessions, visitor, revoke } = await scene(app);
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    sessions.websocket(sockets);
    const browser = visitor();
    const hash = await begun(browser, 'user=ada');
    const { port } = sockets.address() as { port: number };
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, {
      headers: { cookie: browser.cookieHeader('/') },
    });
    await new Promise((resolve) => socket.on('open', resolve));
    const closed = new Promise((resolve) =>
      socket.on('close', (code, reason) => resolve([code, reason.toString()])),
    );
    await revoke(hash);

    expect(await closed).toEqual([1008, 'session ended']);
    sockets.close();
  });

  test('may be one that no page has listed and this process has not seen', async () => {
    const store = new session.MemoryStore();
    const { revoke } = await scene(app, { options: { store } });
    const text = JSON.stringify({ cookie: {} });
    for (let at = 0; at < 2100; at++) await store.set(`id ${at}`, text, { expires: Date.now() + HOUR });

    expect((await revoke(hashOf('id 2099'))).status).toBe(200);
    expect([await store.length(), await store.get('id 2099')]).toEqual([2099, undefined]);
    expect((await revoke(hashOf('id 2099'))).body).toBe('There is no such session any more.');
  });

  test('stays where the store fails, and the page hears of it', async () => {
    const store = new session.MemoryStore();
    const { visitor, revoke, sessions } = await scene(app, { options: { store } });
    const errors: unknown[] = [];
    sessions.on('error', ({ error }) => errors.push(error));
    const hash = await begun(visitor(), 'a=1');
    store.destroy = () => Promise.reject(new Error('hunter2')) as never;
    const { status, body } = await revoke(hash);

    expect([status, body]).toEqual([500, 'Not revoked, since the session store failed. Error']);
    expect(errors).toEqual([new Error('hunter2')]);
  });
});

describeWith('redis-server', 'over Redis, by two processes', () => {
  test('the one lists and revokes what the other has stored', async () => {
    const server = await startRedis();
    const client = new Redis(server.url);
    const options = () => ({ store: new RedisStore({ client }), owner: 'user', cookie: { maxAge: HOUR } });
    const [one, other] = [await scene(app, { options: options() }), await scene(app, { options: options() })];
    const browser = other.visitor();
    const hash = await begun(browser, 'user=ada');
    const { rows, source } = await one.watch().next('sessions');
    const { status } = await one.revoke(hash);
    const before = idOf(browser);
    await browser.get('/put?user=ada');
    await closeScenes();
    client.disconnect();
    await server.stop();

    expect([source, status]).toEqual(['store', 200]);
    expect(rows).toMatchObject([{ session: hash, owner: 'ada', keys: ['user'], lifetime: HOUR }]);
    expect(idOf(browser)).not.toBe(before);
  });
});

describe('the stream', () => {
  test('is not compressed or buffered on its way, and comes again soon', async () => {
    const { site, ask, watch } = await scene(app);
    const stream = watch();
    await stream.next('hello');
    const exchange = new Browser(site).start('/sessions?stream', {
      headers: ADMIN,
    });
    const { headers } = await exchange.head;
    exchange.leave();

    expect(headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    expect(stream.text.startsWith('retry: 1000\n\nevent: hello\n')).toBe(true);
    expect((await ask()).status).toBe(200);
  });

  test('tells nothing twice to a page that comes later', async () => {
    const { visitor, watch } = await scene(app);
    const first = watch();
    await first.next('hello');
    await visitor().get('/one');
    const second = watch();
    await second.next('hello', ({ requests }) => requests.length === 1);
    await visitor().get('/two');
    const isTwo = ({ requests }: any) => requests.some(({ target }: any) => target === 'GET /two');
    const news = [await first.next('news', isTwo), await second.next('news', isTwo)];

    expect(news.map(({ requests }) => requests.map(({ target }: any) => target))).toEqual([
      ['GET /two'],
      ['GET /two'],
    ]);
  });

  test('is refused to more pages than 50, until one is closed', async () => {
    const { watch } = await scene(app);
    const open = Array.from({ length: 50 }, () => watch());
    await Promise.all(open.map((stream) => stream.next('hello')));
    const refused = await watch().status;
    open[0]!.leave();
    const admitted = await eventually(async () => ((await watch().status) === 200 ? true : undefined));

    expect([refused, admitted]).toEqual([503, true]);
  });

  test('is cut off where a page does not take what it is told', async () => {
    const store = new session.MemoryStore();
    const keys = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`${at} ${'x'.repeat(200)}`, 1]));
    const text = JSON.stringify({ cookie: {}, ...keys });
    for (let at = 0; at < 500; at++) await store.set(`id ${at}`, text, { expires: Date.now() + HOUR });
    const { site } = await scene(app, { options: { store }, checkInterval: 5 });
    const slow = connect(site.port, '127.0.0.1', () =>
      slow.write('GET /sessions?stream HTTP/1.1\r\nHost: localhost\r\nX-Admin: yes\r\n\r\n'),
    );
    slow.on('error', () => {}).pause();
    const [served] = await eventually(() => (site.sockets.length > 0 ? site.sockets : undefined));
    await new Promise((resolve) => served!.once('close', resolve));

    expect(served!.destroyed).toBe(true);
    slow.destroy();
  });

  test('ends with close(), after which nothing is looked at', async () => {
    const { watch, inspect, visitor, sessions } = await scene(app);
    const stream = watch();
    await stream.next('hello');
    inspect.close();
    await stream.ended;
    await visitor().get('/put?a=1');
    const seen: string[] = [];
    sessions.on('create', () => seen.push('create'));
    await visitor().get('/put?a=1');

    expect([await watch().status, seen]).toEqual([503, ['create']]);
    expect(stream.messages.map(({ name }) => name)).toEqual(['hello', 'sessions']);
  });
});

test('that the inspector looks on silences no warning', async () => {
  const store = new session.MemoryStore();
  const { visitor } = await scene(app, { options: { store } });
  const browser = visitor();
  await begun(browser, 'user=ada');
  await store.set(idOf(browser), 'damaged', { expires: Date.now() + 60_000 });
  await browser.get('/read');

  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^a stored session is unusable/), {
    type: 'SteadySessionWarning',
    code: 'WARN_SESSION_ERROR',
  });
});

test('no id, no value and no secret is in any byte', async () => {
  const secrets = ['hunter2', 'topsecret', SECRET];
  const { visitor, ask, watch, revoke } = await scene(app, { options: { owner: 'user' }, checkInterval: 5 });
  const stream = watch();
  await stream.next('hello');
  const browser = visitor();
  const hash = await begun(browser, 'user=ada&password=hunter2');
  await browser.get('/read?token=topsecret');
  await stream.next('sessions', ({ rows }) => rows.some(ofSession(hash)));
  await stream.next('rows', ({ rows }) => rows.some(ofSession(hash)));
  const id = idOf(browser);
  const late = watch();
  await late.next('sessions');
  const revoked = await revoke(hash);
  await stream.next('news', ({ gone }) => gone.includes(hash));
  const all = [stream.text, late.text, revoked.body, (await ask()).body].join('\n');

  expect(id).toHaveLength(32);
  expect(all).toContain(hash);
  expect([id, id.slice(0, 16), ...secrets].filter((text) => all.includes(text))).toEqual([]);
});

/** The methods of a memory store as a SessionStore of another class. */
function methodsOf(store: InstanceType<typeof session.MemoryStore>): session.SessionStore {
  return { ...store.texts, ids: () => store.ids() };
}
