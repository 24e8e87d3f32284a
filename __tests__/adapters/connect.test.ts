import { setImmediate as nextTurn } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import {
  type ConnectStoreLike,
  type ConnectStoreOptions,
  fromConnectStore,
} from '../../lib/adapters/connect.js';
import { failing } from '../conformance/run-kit.js';
import { collect } from '../support/collect.js';
import { CALLBACK_STORE } from './connect-kit.js';

const HOUR = 3_600_000;
const BROWSER_SESSION =
  '{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},"user":"alice"}';
const WITH_EXPIRY =
  '{"cookie":{"originalMaxAge":60000,"expires":"2030-01-01T00:00:00.000Z","httpOnly":true,"path":"/"},"user":"alice"}';

const later = () => Date.now() + HOUR;

/** A callback store over a map of JSON, with the expiry as connect-redis computes it; parts can be replaced. */
function jsonStore(changes: Partial<ConnectStoreLike> & Record<string, unknown> = {}) {
  const rows = new Map<string, { json: string; expires: number }>();
  const live = (sid: string) => {
    const row = rows.get(sid);
    return row && row.expires > Date.now() ? row : undefined;
  };
  return {
    rows,
    get(sid: string, callback: (error: unknown, session?: object) => void) {
      const row = live(sid);
      callback(null, row && JSON.parse(row.json));
    },
    set(sid: string, session: any, callback: (error?: unknown) => void) {
      rows.set(sid, { json: JSON.stringify(session), expires: session.cookie.expires.getTime() });
      callback();
    },
    touch(sid: string, session: any, callback: (error?: unknown) => void) {
      const row = live(sid);
      if (row) row.expires = session.cookie.expires.getTime();
      callback();
    },
    destroy(sid: string, callback: (error?: unknown) => void) {
      rows.delete(sid);
      callback();
    },
    ...changes,
  };
}

describe('whatever way the store answers, the contract is kept', () => {
  type Store = ReturnType<typeof jsonStore>;
  const calls = (store: Store) => ({
    get: (sid: string) => new Promise<any>((done) => store.get(sid, (_, session) => done(session))),
    set: (sid: string, session: object) => new Promise<void>((done) => store.set(sid, session, () => done())),
    touch: (sid: string, session: object) =>
      new Promise<void>((done) => store.touch(sid, session, () => done())),
    destroy: (sid: string) => new Promise<void>((done) => store.destroy(sid, () => done())),
  });

  const ways: Record<string, (store: Store) => ConnectStoreLike> = {
    'by callback, at once': (store) => store,
    'by callback, later': (store) => ({
      get: (sid, callback) => void setImmediate(() => store.get(sid, callback)),
      set: (sid, session, callback) => void setImmediate(() => store.set(sid, session, callback!)),
      touch: (sid, session, callback) => void setImmediate(() => store.touch(sid, session, callback!)),
      destroy: (sid, callback) => void setImmediate(() => store.destroy(sid, callback!)),
    }),
    'by promise only': (store) => calls(store),
    'by promise and callback, as connect-redis': (store) => ({
      async get(sid, callback) {
        callback(null, await calls(store).get(sid));
      },
      async set(sid, session, callback) {
        await calls(store).set(sid, session);
        callback!(null);
      },
      async touch(sid, session, callback) {
        await calls(store).touch(sid, session);
        callback!(null);
      },
      async destroy(sid, callback) {
        await calls(store).destroy(sid);
        callback!(null);
      },
    }),
    'by a promise that resolves before the callback comes': (store) => ({
      async get(sid, callback) {
        setImmediate(() => store.get(sid, callback));
      },
      async set(sid, session, callback) {
        setImmediate(() => store.set(sid, session, callback!));
      },
      async touch(sid, session, callback) {
        setImmediate(() => store.touch(sid, session, callback!));
      },
      async destroy(sid, callback) {
        setImmediate(() => store.destroy(sid, callback!));
      },
    }),
    'by calling back twice': (store) => ({
      get: (sid, callback) =>
        store.get(sid, (error, session) => {
          callback(error, session);
          callback(new Error('again'), undefined);
          callback(null, { cookie: {}, another: true });
        }),
      set: (sid, session, callback) =>
        store.set(sid, session, () => {
          callback!();
          callback!(new Error('again'));
        }),
      touch: (sid, session, callback) =>
        store.touch(sid, session, () => {
          callback!();
          callback!(new Error('again'));
        }),
      destroy: (sid, callback) =>
        store.destroy(sid, () => {
          callback!();
          callback!(new Error('again'));
        }),
    }),
    'by calling back and throwing': (store) => ({
      ...store,
      get(sid, callback) {
        store.get(sid, callback);
        throw new Error('too late');
      },
    }),
    'without touch': ({ get, set, destroy }) => ({ get, set, destroy }),
    'with the very objects that it was given': () => {
      const sessions = new Map<string, any>();
      const until = (session: any): Date => session.cookie.expires;
      return {
        get: (sid, callback) => {
          const session = sessions.get(sid);
          callback(null, session && until(session) > new Date() ? session : undefined);
        },
        set: (sid, session, callback) => {
          sessions.set(sid, session);
          callback!();
        },
        touch: (sid, { cookie }, callback) => {
          sessions.get(sid).cookie = cookie;
          callback!();
        },
        destroy: (sid, callback) => {
          sessions.delete(sid);
          callback!();
        },
      };
    },
    'with structured clones': () => {
      const sessions = new Map<string, any>();
      return {
        get: (sid, callback) => {
          const session = sessions.get(sid);
          callback(null, session && session.cookie.expires > new Date() ? structuredClone(session) : null);
        },
        set: (sid, session, callback) => {
          sessions.set(sid, structuredClone({ ...session, cookie: { ...session.cookie } }));
          callback!();
        },
        destroy: (sid, callback) => {
          sessions.delete(sid);
          callback!();
        },
      };
    },
  };

  test.each(Object.keys(ways))('%s', async (way) => {
    const store = () => fromConnectStore(ways[way]!(jsonStore()));

    expect(await failing({ ...CALLBACK_STORE, store, separate: store })).toEqual([]);
  });

  test('a method is called on its store', async () => {
    class WithState implements ConnectStoreLike {
      readonly rows = new Map<string, object>();
      get(sid: string, callback: (error?: unknown, session?: object) => void) {
        callback(null, this.rows.get(sid));
      }
      set(sid: string, session: object, callback: () => void) {
        this.rows.set(sid, session);
        callback();
      }
      destroy(sid: string, callback: () => void) {
        this.rows.delete(sid);
        callback();
      }
    }
    const store = fromConnectStore(new WithState());

    await store.set('id', BROWSER_SESSION, { expires: later() });
    expect(await store.get('id')).toBe(BROWSER_SESSION);
  });
});

describe('errors', () => {
  const failure = new Error('no connection');
  const ways: Record<string, () => unknown> = {
    'called back': () => undefined,
    thrown: () => {
      throw failure;
    },
    'a rejected promise': () => Promise.reject(failure),
  };

  test.each(Object.entries(ways))('%s: each method rejects with it', async (way, fail) => {
    const failing = (...args: any[]) => (way === 'called back' ? args.at(-1)(failure) : fail());
    const store = fromConnectStore({ get: failing, set: failing, destroy: failing });

    await expect(store.get('id')).rejects.toBe(failure);
    await expect(store.set('id', BROWSER_SESSION, { expires: later() })).rejects.toBe(failure);
    await expect(store.touch('id', later())).rejects.toBe(failure);
    await expect(store.destroy('id')).rejects.toBe(failure);
  });

  test('one of touch itself', async () => {
    const store = fromConnectStore(
      jsonStore({ touch: (_sid: string, _session: object, done: any) => done(failure) }),
    );
    await store.set('id', BROWSER_SESSION, { expires: later() });

    await expect(store.touch('id', later())).rejects.toBe(failure);
  });

  test.each([
    ['a string', 'down', 'the session store failed with "down"'],
    ['nothing', undefined, 'the session store failed without a reason'],
    ['an object', { reason: 'down' }, 'the session store failed with an object (Object)'],
  ])('a rejection with %s becomes an Error', async (_, reason, message) => {
    const store = fromConnectStore(jsonStore({ get: () => Promise.reject(reason) }));

    await expect(store.get('id')).rejects.toMatchObject({
      name: 'SteadyError',
      code: 'ERR_SESSION_STORE_FAILED',
      message,
      cause: reason,
    });
  });

  test('an Error of another realm is one', async () => {
    const foreign = runInNewContext('new Error("from elsewhere")');
    const store = fromConnectStore(jsonStore({ get: () => Promise.reject(foreign) }));

    await expect(store.get('id')).rejects.toBe(foreign);
  });

  test('ENOENT from get is no session, as for express-session', async () => {
    const missing = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    const store = fromConnectStore(jsonStore({ get: (_sid: string, done: any) => done(missing) }));

    expect(await store.get('id')).toBe(undefined);
    expect(await store.touch('id', later())).toBe(false);
  });

  test('after a failed set the next one goes on', async () => {
    let attempts = 0;
    const inner = jsonStore();
    const store = fromConnectStore({
      ...inner,
      set: (sid, session, done: any) => (attempts++ === 0 ? done(failure) : inner.set(sid, session, done)),
    });
    const first = store.set('id', BROWSER_SESSION, { expires: later() });
    const second = store.set('id', BROWSER_SESSION, { expires: later(), expected: null });

    await expect(first).rejects.toBe(failure);
    expect(await second).toBe(true);
  });
});

describe('what the store is given', () => {
  /** The session of the last call. */
  function spied(changes: Partial<ConnectStoreLike> = {}) {
    const seen: any[] = [];
    const inner = jsonStore(changes);
    const store: ConnectStoreLike = {
      ...inner,
      set: (sid, session, done: any) => {
        seen.push(session);
        inner.set(sid, session, done);
      },
      touch: (sid, session, done: any) => {
        seen.push(session);
        inner.touch(sid, session, done);
      },
    };
    return { store, inner, seen };
  }

  beforeEach(() => {
    jest.useFakeTimers({ now: Date.UTC(2029, 0), doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('a cookie that tells the expiry as express-session does', async () => {
    const { store, seen } = spied();
    await fromConnectStore(store).set('id', BROWSER_SESSION, { expires: Date.now() + 90_500 });
    const { cookie, ...data } = seen[0];

    expect(data).toEqual({ user: 'alice' });
    expect(cookie.expires).toEqual(new Date(Date.now() + 90_500));
    expect(cookie.maxAge).toBe(90_500);
    expect(cookie.originalMaxAge).toBe(90_500);
    expect(cookie.httpOnly).toBe(true);
    expect(cookie.path).toBe('/');

    jest.advanceTimersByTime(500);
    expect(cookie.maxAge).toBe(90_000);
    expect(cookie.originalMaxAge).toBe(90_500);
  });

  test('ttlUnit: lives in whole units, never shorter than asked for', async () => {
    const { store, seen } = spied();
    const adapted = fromConnectStore(store, { ttlUnit: 1000 });
    await adapted.set('id', BROWSER_SESSION, { expires: Date.now() + 1 });
    await adapted.set('id', BROWSER_SESSION, { expires: Date.now() + 2000 });
    await adapted.touch('id', Date.now() + 2001);

    expect(seen.map(({ cookie }) => cookie.maxAge)).toEqual([1000, 2000, 3000]);
    expect(seen.map(({ cookie }) => cookie.originalMaxAge)).toEqual([1000, 2000, 3000]);
  });

  test('maxTtl: no longer life than that', async () => {
    const { store, seen } = spied();
    const adapted = fromConnectStore(store, { maxTtl: 30 * 24 * HOUR });
    await adapted.set('id', BROWSER_SESSION, { expires: Date.now() + 29 * 24 * HOUR });
    await adapted.set('id', BROWSER_SESSION, { expires: Date.now() + 31 * 24 * HOUR });
    await adapted.touch('id', Date.UTC(2100, 0));

    expect(seen.map(({ cookie }) => cookie.maxAge / 24 / HOUR)).toEqual([29, 30, 30]);
    expect(seen.map(({ cookie }) => cookie.expires.getTime() - Date.now())).toEqual(
      [29, 30, 30].map((d) => d * 24 * HOUR),
    );
  });

  test.each<[string, string, ConnectStoreOptions, string]>([
    ['a cookie without an expiry', BROWSER_SESSION, {}, BROWSER_SESSION],
    ['a cookie with an expiry', WITH_EXPIRY, {}, WITH_EXPIRY],
    [
      'a cookie without an expiry, for a store that looks there',
      BROWSER_SESSION,
      { expiry: 'cookie' },
      '{"cookie":{"originalMaxAge":3600000,"expires":"2029-01-01T01:00:00.000Z","httpOnly":true,"path":"/",' +
        '"asGiven":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}},"user":"alice"}',
    ],
    ['no cookie', '{"A256GCM":"abc"}', {}, '{"A256GCM":"abc"}'],
    [
      'no cookie, for a store that looks there',
      '{"A256GCM":"abc"}',
      { expiry: 'cookie' },
      '{"A256GCM":"abc","cookie":{"expires":"2029-01-01T01:00:00.000Z","originalMaxAge":3600000,"asGiven":null}}',
    ],
    [
      'hostile keys',
      '{"cookie":{"__proto__":{"a":1}},"__proto__":{"b":2}}',
      {},
      '{"cookie":{"__proto__":{"a":1}},"__proto__":{"b":2}}',
    ],
  ])('set with %s: what is stored, and what comes back', async (_, text, options, stored) => {
    const { store, inner } = spied();
    const adapted = fromConnectStore(store, options);
    await adapted.set('id', text, { expires: Date.now() + HOUR });

    expect(inner.rows.get('id')!.json).toBe(stored);
    expect(await adapted.get('id')).toBe(text);
    expect(({} as any).a ?? ({} as any).b).toBe(undefined);
  });

  test.each<[string, string, ConnectStoreOptions, string]>([
    ['a cookie without an expiry', BROWSER_SESSION, {}, BROWSER_SESSION],
    [
      'a cookie with an expiry',
      WITH_EXPIRY,
      {},
      '{"cookie":{"originalMaxAge":7200000,"expires":"2029-01-01T02:00:00.000Z","httpOnly":true,"path":"/",' +
        '"asGiven":{"originalMaxAge":60000,"expires":"2030-01-01T00:00:00.000Z","httpOnly":true,"path":"/"}},"user":"alice"}',
    ],
    [
      'a cookie without an expiry, for a store that looks there',
      BROWSER_SESSION,
      { expiry: 'cookie' },
      '{"cookie":{"originalMaxAge":7200000,"expires":"2029-01-01T02:00:00.000Z","httpOnly":true,"path":"/",' +
        '"asGiven":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}},"user":"alice"}',
    ],
    ['no cookie', '{"A256GCM":"abc"}', {}, '{"A256GCM":"abc"}'],
  ])(
    'touch with %s: what a store that rewrites the record stores, and what comes back',
    async (_, text, options, stored) => {
      const inner = jsonStore();
      const adapted = fromConnectStore({ ...inner, touch: inner.set }, options);
      await adapted.set('id', text, { expires: Date.now() + HOUR });

      expect(await adapted.touch('id', Date.now() + 2 * HOUR)).toBe(true);
      expect(inner.rows.get('id')!.json).toBe(stored);
      expect(await adapted.get('id')).toBe(text);
      // Once more: what comes back is still what was set at first.
      await adapted.touch('id', Date.now() + 2 * HOUR);
      expect(inner.rows.get('id')!.json).toBe(stored);
      expect(await adapted.get('id')).toBe(text);
    },
  );

  test('touch gives the store all that it gave, such as the Date that connect-mongo needs', async () => {
    const { store, seen } = spied();
    const lastModified = new Date(0);
    const given = { cookie: { expires: null }, user: 'alice', lastModified };
    const adapted = fromConnectStore({ ...store, get: (_, done) => done(null, given) });
    await adapted.touch('id', Date.now() + HOUR);

    expect(seen[0]).toMatchObject({ user: 'alice', lastModified });
    expect(seen[0].lastModified).toBe(lastModified);
    expect(given.cookie).toEqual({ expires: null });
  });

  test("session-file-store's own key is kept from the text", async () => {
    const { store } = spied();
    const adapted = fromConnectStore({
      ...store,
      set: (sid, session, done) => store.set(sid, Object.assign(session, { __lastAccess: 1 }), done),
    });
    await adapted.set('id', BROWSER_SESSION, { expires: Date.now() + HOUR });

    expect(await adapted.get('id')).toBe(BROWSER_SESSION);
  });

  test('what has expired is destroyed rather than set: many a store keeps a life of 0 for ever', async () => {
    const { store, inner, seen } = spied();
    const adapted = fromConnectStore(store);
    await adapted.set('id', BROWSER_SESSION, { expires: Date.now() + HOUR });

    expect(await adapted.set('id', BROWSER_SESSION, { expires: Date.now() })).toBe(true);
    expect([inner.rows.size, seen.length]).toEqual([0, 1]);

    await adapted.set('id', BROWSER_SESSION, { expires: Date.now() + HOUR });
    expect(await adapted.touch('id', Date.now())).toBe(true);
    expect(await adapted.touch('id', Date.now())).toBe(false);
    expect([inner.rows.size, seen.length]).toEqual([0, 2]);
  });

  test.each(['no JSON', '[]', '"text"', 'null', '5'])('%s, which is no object, is refused', async (text) => {
    const { store, inner } = spied();

    await expect(
      fromConnectStore(store).set('id', text, { expires: Date.now() + HOUR }),
    ).rejects.toMatchObject({
      code: 'ERR_SESSION_TEXT',
      message:
        'fromConnectStore() stores objects, so it can only take texts that are the JSON of an object; use the JSON serializer with it',
    });
    expect(inner.rows.size).toBe(0);
  });
});

describe('optional members', () => {
  test('ids: the live ones of those that the store lists', async () => {
    const inner = jsonStore();
    const store = fromConnectStore({
      ...inner,
      ids: (done: (error: unknown, ids?: string[]) => void) => done(null, [...inner.rows.keys()]),
    } as ConnectStoreLike);
    for (const id of ['a', 'b', 'c']) await store.set(id, BROWSER_SESSION, { expires: later() });
    inner.rows.get('b')!.expires = 0;

    expect(await collect(store.ids!())).toEqual(['a', 'c']);
  });

  test('ids: a store that calls back with nothing has none', async () => {
    const store = fromConnectStore(jsonStore({ ids: (done: () => void) => done() }));

    expect(await collect(store.ids!())).toEqual([]);
  });

  test('close: of the store', async () => {
    const closed: unknown[] = [];
    const inner = jsonStore({
      close(this: unknown) {
        closed.push(this);
      },
    });
    await fromConnectStore(inner).close!();

    expect(closed).toEqual([inner]);
  });

  test('none, where the store has none', () => {
    expect(Object.keys(fromConnectStore(jsonStore())).sort()).toEqual([
      'atomic',
      'destroy',
      'get',
      'set',
      'touch',
    ]);
    expect(fromConnectStore(jsonStore()).atomic).toBe(false);
  });
});

describe('bad arguments', () => {
  test.each([
    [undefined, 'but it has no get(); got undefined'],
    [null, 'but it has no get(); got null'],
    [{ get() {}, destroy() {} }, 'but it has no set(); got an object (Object)'],
    [
      class RedisStore {},
      'but it has no get(); got a function (RedisStore); pass an instance of it: `new ...`',
    ],
  ])('%p', (store, message) => {
    expect(() => fromConnectStore(store as any)).toThrow(
      new TypeError(
        `fromConnectStore() needs an object with the methods get(), set(), destroy(), ${message}`,
      ),
    );
  });

  test('an unknown option', () => {
    expect(() => fromConnectStore(jsonStore(), { ttlUnits: 1000 } as any)).toThrow(
      new TypeError('fromConnectStore has no option ttlUnits; did you mean ttlUnit?'),
    );
  });

  test.each<[string, unknown, string]>([
    ['expiry', 'cookies', 'must be one of "store", "cookie" (did you mean "cookie"?); got "cookies"'],
    ['ttlUnit', 0, 'must be a positive number of milliseconds; got 0 (number)'],
    ['maxTtl', '30d', 'must be a positive number of milliseconds; got "30d"'],
    ['maxTtl', Number.NaN, 'must be a positive number of milliseconds; got NaN (number)'],
  ])('a bad option: %s as %p', (name, value, message) => {
    expect(() => fromConnectStore(jsonStore(), { [name]: value })).toThrow(
      new TypeError(`fromConnectStore: ${name} option ${message}`),
    );
  });
});

test('conditional writes of two adapters over one store do not come between one another', async () => {
  const inner = jsonStore();
  const slow: ConnectStoreLike = {
    ...inner,
    get: (sid, done) => void nextTurn().then(() => inner.get(sid, done)),
    set: (sid, session, done: any) => void nextTurn().then(() => inner.set(sid, session, done)),
  };
  const stores = [fromConnectStore(slow), fromConnectStore(slow)];
  const writes = stores.map((store) =>
    store.set('id', BROWSER_SESSION, { expires: later(), expected: null }),
  );

  expect(await Promise.all(writes)).toEqual([true, false]);
});
