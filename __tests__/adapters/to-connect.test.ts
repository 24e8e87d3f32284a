import { createCache } from 'cache-manager';
import express from 'express';
import expressSession from 'express-session';
import Keyv from 'keyv';
import request from 'supertest';
import { createStorage } from 'unstorage';
import { fromConnectStore } from '../../lib/adapters/connect.js';
import { fromCacheManager, fromKeyv, fromUnstorage } from '../../lib/adapters/key-value.js';
import { fromMap } from '../../lib/adapters/map.js';
import { toConnectStore } from '../../lib/adapters/to-connect.js';
import { conformance } from '../../lib/conformance/index.js';
import session from '../../lib/index.js';
import { Store } from '../../lib/stores/connect-store.js';
import { MemoryStore } from '../../lib/stores/memory.js';
import type { SessionStore } from '../../lib/stores/store.js';
import { runProgram } from '../conformance/run-program.js';
import { collect } from '../support/collect.js';
import { CALLBACK_STORE } from './connect-kit.js';

const HOUR = 3_600_000;
const COOKIE = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };

/** A session store over a map, that remembers the expiries that it was given. */
function recording() {
  const map = new Map<string, { text: string; expires: number }>();
  return { map, store: fromMap(map) };
}

/** The arguments of the one call back. */
function calledBack(start: (callback: (...args: any[]) => void) => unknown): Promise<unknown[]> {
  return new Promise((resolve) => start((...args) => resolve(args)));
}

describe('there and back again, the contract is kept', () => {
  let data: Map<string, unknown>;
  const store = () => {
    data = new Map();
    return fromConnectStore(toConnectStore(fromMap(data)));
  };
  conformance({ test, ...CALLBACK_STORE, store, separate: store });
});

describe('under the real express-session', () => {
  /** An app of express-session that counts views, logs in and out. */
  function app(store: SessionStore, options: Partial<expressSession.SessionOptions> = {}) {
    const connected = toConnectStore(store) as unknown as expressSession.Store;
    const server = express();
    server.use(
      expressSession({
        secret: 'secret',
        resave: false,
        saveUninitialized: false,
        store: connected,
        ...options,
      }),
    );
    server.get('/', (req: any, res) => {
      req.session.views = (req.session.views ?? 0) + 1;
      res.send(`${req.session.views}`);
    });
    server.get('/look', (req: any, res) => void res.send(`${req.session.views}`));
    server.get('/renew', (req: any, res, next) => {
      req.session.regenerate((error: unknown) => (error ? next(error) : res.send(`${req.session.views}`)));
    });
    server.get('/out', (req: any, res, next) => {
      req.session.destroy((error: unknown) => (error ? next(error) : res.send('out')));
    });
    server.use((error: Error, _req: unknown, res: express.Response, _next: unknown) => {
      res.status(500).send(error.message);
    });
    return request.agent(server);
  }

  test('a session is stored, read, regenerated and destroyed', async () => {
    const { map, store } = recording();
    const browser = app(store);

    expect((await browser.get('/')).text).toBe('1');
    expect((await browser.get('/')).text).toBe('2');
    expect([...map.values()].map(({ text }) => JSON.parse(text))).toEqual([{ cookie: COOKIE, views: 2 }]);

    expect((await browser.get('/renew')).text).toBe('undefined');
    expect((await browser.get('/')).text).toBe('1');
    expect(map.size).toBe(1);

    expect((await browser.get('/out')).text).toBe('out');
    expect(map.size).toBe(0);
    expect((await browser.get('/')).text).toBe('1');
  });

  test('looking prolongs the session', async () => {
    const { map, store } = recording();
    const browser = app(store, { cookie: { maxAge: HOUR } });
    await browser.get('/');
    const [record] = map.values();
    const before = Date.now();
    record!.expires = before + 1000;
    await browser.get('/look');
    const [after] = map.values();

    expect(after!.expires).toBeGreaterThanOrEqual(before + HOUR);
    expect(after!.expires).toBeLessThanOrEqual(Date.now() + HOUR);
    expect(after!.text).toBe(record!.text);
  });

  test('an error of the store reaches the error handler', async () => {
    const { store } = recording();
    const down = { ...store, get: () => Promise.reject(new Error('no connection')) };
    const browser = app(store);
    const cookie = (await browser.get('/')).get('Set-Cookie')!;
    const response = await app(down).get('/').set('Cookie', cookie);

    expect([response.status, response.text]).toEqual([500, 'no connection']);
  });

  test('a record that is no session gives a fresh one', async () => {
    const { map, store } = recording();
    const browser = app(store);
    await browser.get('/');
    for (const text of ['{broken', '[]', '{"views":1}', '{"cookie":null}']) {
      for (const [id, { expires }] of map) map.set(id, { text, expires });

      expect((await browser.get('/')).text).toBe('1');
    }
  });
});

describe('a method', () => {
  const session = { cookie: COOKIE, user: 'alice' };

  test('calls back once with null and the result', async () => {
    const store = toConnectStore(recording().store);

    expect(await calledBack((done) => store.set('id', session, done))).toEqual([null, undefined]);
    expect(await calledBack((done) => store.get('id', done))).toEqual([null, session]);
    expect(await calledBack((done) => store.touch('id', session, done))).toEqual([null, undefined]);
    expect(await calledBack((done) => store.touch('unknown', session, done))).toEqual([null, undefined]);
    expect(await calledBack((done) => store.destroy('id', done))).toEqual([null, undefined]);
    expect(await calledBack((done) => store.get('id', done))).toEqual([null, undefined]);
  });

  test('returns a promise without a callback, and nothing with one', async () => {
    const store = toConnectStore(recording().store);

    expect(await store.set('id', session)).toBe(undefined);
    expect(await store.get('id')).toEqual(session);
    expect(await store.touch('id', session)).toBe(undefined);
    expect(await store.destroy('id')).toBe(undefined);
    expect(store.set('id', session, () => {})).toBe(undefined);
    expect(store.get('id', () => {})).toBe(undefined);
  });

  test('gives the error of the store, or one of its own', async () => {
    const error = new Error('no connection');
    const fail = () => Promise.reject(error);
    const store = toConnectStore({ get: fail, set: fail, touch: fail, destroy: fail });

    expect(await calledBack((done) => store.get('id', done))).toEqual([error]);
    expect(await calledBack((done) => store.set('id', session, done))).toEqual([error]);
    expect(await calledBack((done) => store.touch('id', session, done))).toEqual([error]);
    expect(await calledBack((done) => store.destroy('id', done))).toEqual([error]);
    await expect(store.get('id')).rejects.toBe(error);

    for (const [reason, text] of [
      [undefined, 'without a reason'],
      [null, 'without a reason'],
      [0, 'with 0 (number)'],
      ['route', 'with "route"'],
    ]) {
      const mute = toConnectStore({ ...recording().store, get: () => Promise.reject(reason) });
      expect(await calledBack((done) => mute.get('id', done))).toEqual([
        new Error(`the session store failed ${text}`),
      ]);
    }
  });

  test('gives the error of a session that is no JSON', async () => {
    const store = toConnectStore(recording().store);
    const circular: Record<string, unknown> = { ...session };
    circular['self'] = circular;
    const [error] = await calledBack((done) => store.set('id', circular, done));

    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(/^Converting circular structure to JSON/);
  });
});

test('what a callback throws is uncaught, as in any callback; what nobody waits for is not', async () => {
  const output = await runProgram({
    source: `const { toConnectStore } = require('./lib/adapters/to-connect.js');
      const fail = () => Promise.reject(new Error('no connection'));
      const store = toConnectStore({ get: async () => undefined, set: fail, touch: fail, destroy: fail });
      process.on('uncaughtException', (error, origin) => console.log(origin, error.message));
      store.set('id', {}); store.touch('id', {}); store.destroy('id');
      let calls = 0;
      store.get('id', () => { calls++; throw new Error('of the callback'); });
      process.on('exit', () => console.log('calls', calls));`,
  });

  expect(output).toBe('uncaughtException of the callback\ncalls 1\n');
});

describe('the expiry', () => {
  const NOW = Date.UTC(2029, 0);
  beforeEach(() => {
    jest.useFakeTimers({ now: NOW, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each<[string, object, number]>([
    ['the Date in the cookie', { expires: new Date(NOW + 5000), maxAge: 7000 }, 5000],
    ['the text of a date in the cookie', { expires: new Date(NOW + 5000).toISOString() }, 5000],
    ['the maxAge of the cookie', { expires: null, maxAge: 7000 }, 7000],
    ['ttl from now, without either', { expires: null, maxAge: null }, 24 * HOUR],
    ['ttl from now, for a cookie that expires no one knows when', { expires: 'tomorrow' }, 24 * HOUR],
    ['ttl from now, for `expires: false`', { expires: false }, 24 * HOUR],
  ])('is %s', async (_, cookie, life) => {
    const { map, store } = recording();
    const connected = toConnectStore(store);
    await connected.set('id', { cookie });
    expect(map.get('id')!.expires - NOW).toBe(life);

    await store.touch('id', NOW + 1);
    await connected.touch('id', { cookie });
    expect(map.get('id')!.expires - NOW).toBe(life);
  });

  test('is `ttl` ms from now, if given', async () => {
    const { map, store } = recording();
    await toConnectStore(store, { ttl: HOUR }).set('id', { cookie: COOKIE });
    await toConnectStore(store, { ttl: HOUR }).set('none', {});

    expect([...map.values()].map(({ expires }) => expires - NOW)).toEqual([HOUR, HOUR]);
  });
});

describe('a record that is no session', () => {
  test('counts as none, and is told to those who listen', async () => {
    const { map, store } = recording();
    map.set('id', { text: '{broken', expires: Date.now() + HOUR });
    const connected = toConnectStore(store);
    const told: unknown[][] = [];
    connected.on('unreadable', (...args) => told.push(args));

    expect(await connected.get('id')).toBe(undefined);
    expect(told).toEqual([[expect.objectContaining({ code: 'ERR_SESSION_RECORD' }), 'id']]);
    expect((told[0]![0] as Error).message).toBe(
      'a stored session is unusable: it is not JSON of an object with a cookie',
    );
  });

  test('is warned of, once, if nobody listens', async () => {
    const { map, store } = recording();
    map.set('id', { text: '{broken', expires: Date.now() + HOUR });
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    await jest.isolateModulesAsync(async () => {
      const fresh = await import('../../lib/adapters/to-connect.js'); // it has not warned yet
      const connected = fresh.toConnectStore(store);
      await connected.get('id');
      await connected.get('id');
    });
    const calls = warn.mock.calls;
    warn.mockRestore();

    expect(calls).toEqual([
      [
        expect.stringContaining('a stored session is unusable: it is not JSON of an object with a cookie'),
        { type: 'SteadySessionWarning', code: 'WARN_SESSION_ERROR' },
      ],
    ]);
  });
});

describe('all, length and clear', () => {
  test('work where the session store lists its ids', async () => {
    const { map, store } = recording();
    const connected = toConnectStore(store);
    const alice = { cookie: COOKIE, user: 'alice' };
    for (const id of ['a', '__proto__']) await connected.set(id, alice);
    map.set('expired', { text: '{}', expires: 0 });
    map.set('broken', { text: '{}', expires: Date.now() + HOUR });
    connected.on('unreadable', () => {});

    const all = await connected.all!();
    expect(Object.getPrototypeOf(all)).toBe(null);
    expect(Object.entries(all!)).toEqual([
      ['a', alice],
      ['__proto__', alice],
    ]);
    expect(await calledBack((done) => connected.all!(done))).toEqual([null, all]);
    expect(await connected.length!()).toBe(3);
    expect(await calledBack((done) => connected.length!(done))).toEqual([null, 3]);
    await connected.clear!();
    expect([...map.keys()]).toEqual(['expired']);
    expect(await calledBack((done) => connected.clear!(done))).toEqual([null, undefined]);
  });

  test('do not exist otherwise', () => {
    const { ids: _, ...store } = recording().store;
    const connected = toConnectStore(store);

    expect([connected.all, connected.length, connected.clear]).toEqual([undefined, undefined, undefined]);
  });
});

test.each<[string, () => SessionStore]>([
  ['Keyv', () => fromKeyv(new Keyv())],
  ['unstorage', () => fromUnstorage(createStorage())],
  ['cache-manager', () => fromCacheManager(createCache())],
  ['a Map', () => fromMap(new Map())],
  [
    'a store of express-session',
    () => fromConnectStore(new expressSession.MemoryStore(), { expiry: 'cookie' }),
  ],
  ['MemoryStore', () => new MemoryStore()],
])('a life without an end, over %s', async (_, make) => {
  const connected = toConnectStore(make(), { ttl: Infinity });
  for (const cookie of [COOKIE, { ...COOKIE, maxAge: Infinity }]) {
    await connected.set('a', { cookie, user: 'ada' });
    await connected.touch('a', { cookie });
    expect(await connected.get('a')).toMatchObject({ user: 'ada' });
  }
  await connected.close();
});

test('it is a Store, and closes what is within', async () => {
  let closed = 0;
  const connected = toConnectStore({ ...recording().store, close: () => void closed++ });
  await connected.close();
  const { close: _, ...unclosable } = recording().store;

  expect(connected).toBeInstanceOf(Store);
  expect(closed).toBe(1);
  expect(await toConnectStore(unclosable).close()).toBe(undefined);
});

describe('bad arguments', () => {
  test.each([
    [{ get() {}, set() {}, destroy() {} }, 'touch'],
    [undefined, 'get'],
  ])('%p', (store, missing) => {
    expect(() => toConnectStore(store as any)).toThrow(
      `toConnectStore() needs an object with the methods get(), set(), touch(), destroy(), but it has no ${missing}();`,
    );
  });

  test('an unknown option', () => {
    expect(() => toConnectStore(recording().store, { maxAge: 1 } as any)).toThrow(
      new TypeError('toConnectStore has no option maxAge; it has ttl'),
    );
    expect(() => toConnectStore(recording().store, { ttl: '86400000' } as any)).toThrow(
      new TypeError('toConnectStore: ttl option must be a positive number of milliseconds; got "86400000"'),
    );
  });
});

describe('req.sessionStore', () => {
  const options = { secret: 'secret', resave: false, saveUninitialized: false };

  /** That of a request, and the id of a session that is stored. */
  async function ofRequest(store: session.SessionOptions['store']): Promise<[any, string]> {
    const app = express();
    let found: [any, string] | undefined;
    app.use(session({ ...options, store }), (req: any, res) => {
      req.session.user = 'ada';
      found = [req.sessionStore, req.sessionID];
      res.end();
    });
    await request(app).get('/');
    return found!;
  }

  test('with a store of texts, it has the contract of express-session, as toConnectStore() makes it', async () => {
    const { store } = recording();
    const hows: unknown[] = [];
    const owned = async function* () {};
    const noting: SessionStore = {
      ...store,
      owned,
      set(id, text, how) {
        hows.push(Object.keys(how).sort());
        return store.set(id, text, how);
      },
    };
    const [sessionStore, id] = await ofRequest(noting);
    const stored = { cookie: COOKIE, user: 'ada' };

    expect(sessionStore).not.toBe(noting);
    for (const connected of [sessionStore, toConnectStore(noting)]) {
      expect(connected).toBeInstanceOf(Store);
      expect([connected.ids, connected.owned]).toEqual([undefined, undefined]);
      expect(await calledBack((done) => connected.get(id, done))).toEqual([null, stored]);
      expect(await calledBack((done) => connected.touch(id, stored, done))).toEqual([null, undefined]);
      const [, all] = await calledBack((done) => connected.all(done));
      expect({ ...(all as object) }).toEqual({ [id]: stored });
      expect(await calledBack((done) => connected.length(done))).toEqual([null, 1]);
      expect(await calledBack((done) => connected.set('other', stored, done))).toEqual([null, undefined]);
      expect(hows.at(-1)).toEqual(['expires']); // and no owner
      expect(await calledBack((done) => connected.destroy('other', done))).toEqual([null, undefined]);
      expect(await collect(noting.ids!())).toEqual([id]);
    }
  });

  test('is the store itself where that has the contract: MemoryStore, or one made for express-session', async () => {
    for (const store of [new MemoryStore(), new expressSession.MemoryStore()]) {
      const [sessionStore] = await ofRequest(store as never);
      expect(sessionStore).toBe(store);
    }
  });
});
