import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inherits } from 'node:util';
import { Cookie } from '../lib/cookies/cookie.js';
import { type Callback, Session, type SessionData, type SessionRequest } from '../lib/session.js';
import { type SessionCallback, Store } from '../lib/stores/connect-store.js';
import { runProgram } from './conformance/run-program.js';

const expressSession = require('express-session') as { Store: new () => Store };
const makeFileStore = require('session-file-store') as (session: object) => new (options: object) => Store;

/** A store of one session object, which notes what it is asked. */
class OneSessionStore extends Store {
  readonly calls: unknown[][] = [];
  error: Error | undefined;
  found: object | undefined;

  get(sid: string, callback: SessionCallback): void {
    this.calls.push(['get', sid]);
    setImmediate(() => callback(this.error ?? null, this.found as SessionData | undefined));
  }

  set(sid: string, _session: SessionData, callback?: Callback): void {
    this.calls.push(['set', sid]);
    setImmediate(() => callback?.());
  }

  destroy(sid: string, callback?: Callback): void {
    this.calls.push(['destroy', sid]);
    setImmediate(() => callback?.(this.error));
  }
}

function makeStore(found?: object, error?: Error): OneSessionStore {
  const store = new OneSessionStore();
  store.found = found;
  store.error = error;
  store.generate = (req) => {
    store.calls.push(['generate', req]);
  };
  return store;
}

/** What a callback is given, all of it. */
function argumentsOf(operation: (callback: (...args: unknown[]) => void) => void): Promise<unknown[]> {
  return new Promise((resolve) => operation((...args) => resolve(args)));
}

const broken = new Error('out of reach');

describe('Store can be subclassed', () => {
  test('by an ES class', () => {
    const store = makeStore();
    expect(store).toBeInstanceOf(Store);
    expect(store).toBeInstanceOf(EventEmitter);
    expect(store.constructor).toBe(OneSessionStore);
  });

  test('by a constructor that calls it without `new`, through util.inherits', () => {
    function OldStore(this: object): void {
      Store.call(this);
    }
    inherits(OldStore, Store);
    const store = new (OldStore as unknown as new () => Store)();
    const heard: string[] = [];
    store.on('disconnect', (reason) => heard.push(reason));
    store.emit('disconnect', 'gone');
    expect(heard).toEqual(['gone']);
    expect(store).toBeInstanceOf(Store);
    expect(Object.keys(store)).toContain('_events'); // its own, not its prototype's
  });

  test('by a constructor that sets __proto__, like session-file-store', async () => {
    const path = mkdtempSync(join(tmpdir(), 'steady-session-'));
    const FileStore = makeFileStore({ Store });
    const store = new FileStore({ path, reapInterval: -1, logFn: () => undefined });
    const session = { cookie: new Cookie({ maxAge: 60_000 }), views: 1 } as SessionData;
    await argumentsOf((done) => store.set('a', session, done));
    const loaded = await store.load('a');
    expect(store).toBeInstanceOf(Store);
    expect(loaded).toBeInstanceOf(Session);
    expect(loaded).toMatchObject({ id: 'a', views: 1, cookie: { originalMaxAge: 60_000 } });
    rmSync(path, { recursive: true });
  });

  test('and is called what express-session calls it', () => {
    expect(Store.name).toBe('Store');
    expect(Store.prototype.constructor).toBe(Store);
    expect(Object.getPrototypeOf(Store)).toBe(EventEmitter);
    expect(Store.prototype).not.toHaveProperty('get');
    expect(Store.prototype).not.toHaveProperty('touch');
  });
});

describe('regenerate', () => {
  const req = { sessionID: 'old' } as SessionRequest;

  test('destroys the session, makes a new one and then calls back', async () => {
    const store = makeStore();
    const args = await argumentsOf((done) => store.regenerate(req, done));
    expect(store.calls).toEqual([
      ['destroy', 'old'],
      ['generate', req],
    ]);
    expect(args).toEqual([undefined]);
  });

  test('makes a new one also when the old one could not be destroyed, and passes the error on', async () => {
    const store = makeStore(undefined, broken);
    const args = await argumentsOf((done) => store.regenerate(req, done));
    expect(store.calls).toEqual([
      ['destroy', 'old'],
      ['generate', req],
    ]);
    expect(args).toEqual([broken]);
  });

  test('returns a promise when given no callback', async () => {
    await expect(makeStore().regenerate(req)).resolves.toBeUndefined();
    await expect(makeStore(undefined, broken).regenerate(req)).rejects.toBe(broken);
    expect(makeStore().regenerate(req, () => undefined)).toBeUndefined();
  });
});

describe('load', () => {
  const stored = () => ({
    cookie: { path: '/', originalMaxAge: 5000, expires: '2030-01-01T00:00:00.000Z' },
    a: 1,
  });

  test('gives a Session with its id, store and cookie', async () => {
    const store = makeStore(stored());
    const [error, session] = (await argumentsOf((done) => store.load('a', done))) as [null, Session];
    expect(error).toBeNull();
    expect(session).toBeInstanceOf(Session);
    expect(session.cookie).toBeInstanceOf(Cookie);
    expect(session.id).toBe('a');
    expect(session.req.sessionStore).toBe(store);
    expect(JSON.parse(JSON.stringify(session))).toMatchObject(stored());
    expect(store.calls).toEqual([['get', 'a']]);
  });

  test('gives nothing when there is no session', async () => {
    expect(await argumentsOf((done) => makeStore().load('a', done))).toEqual([]);
  });

  test("gives the store's error", async () => {
    expect(await argumentsOf((done) => makeStore(stored(), broken).load('a', done))).toEqual([broken]);
  });

  test('gives an error for a record without a cookie', async () => {
    const args = await argumentsOf((done) => makeStore({ a: 1 }).load('a', done));
    expect(args).toEqual([new TypeError("Cannot read properties of undefined (reading 'expires')")]);
  });

  test('leaves an error of its callback alone', () => {
    const store = makeStore();
    store.get = (_sid, callback) => callback(null, stored() as unknown as SessionData);
    const failing = (error: unknown): void => {
      expect(error).toBeNull();
      throw broken;
    };
    expect(() => store.load('a', failing)).toThrow(broken);
  });

  test('returns a promise when given no callback', async () => {
    await expect(makeStore(stored()).load('a')).resolves.toMatchObject({ id: 'a', a: 1 });
    await expect(makeStore().load('a')).resolves.toBeUndefined();
    await expect(makeStore(undefined, broken).load('a')).rejects.toBe(broken);
  });
});

describe('createSession does what that of express-session does', () => {
  const now = new Date('2026-01-01T00:00:00.000Z');
  beforeEach(() => jest.useFakeTimers({ now }));
  afterEach(() => jest.useRealTimers());

  test.each<[string, Record<string, unknown>]>([
    ['an expiry as text', { path: '/', originalMaxAge: 60_000, expires: '2026-01-01T00:00:10.000Z' }],
    [
      'an expiry as a Date',
      { path: '/', originalMaxAge: 60_000, expires: new Date('2026-01-01T00:00:10.000Z') },
    ],
    ['no expiry', { path: '/', originalMaxAge: null, expires: null }],
    ['an expiry and no lifetime', { path: '/', expires: '2026-01-01T00:00:10.000Z' }],
    ['an expiry that is past', { path: '/', originalMaxAge: 1, expires: '2020-01-01T00:00:00.000Z' }],
    ['an expiry that is no date', { path: '/', originalMaxAge: 1, expires: 'soon' }],
    [
      'all attributes',
      {
        path: '/a',
        domain: 'a.b',
        secure: true,
        httpOnly: false,
        sameSite: 'lax',
        priority: 'high',
        partitioned: true,
        originalMaxAge: 5,
      },
    ],
    ['an empty cookie', {}],
  ])('with %s', (_name, cookie) => {
    const copy = () => ({ cookie: { ...cookie }, user: { name: 'Ada' } }) as unknown as SessionData;
    const theirs = new expressSession.Store().createSession({ sessionID: 'a' }, copy());
    const req = { sessionID: 'a' } as SessionRequest;
    const ours = makeStore().createSession(req, copy());

    expect(facts(ours)).toEqual(facts(theirs));
    expect(ours).toBeInstanceOf(Session);
    expect(ours.cookie).toBeInstanceOf(Cookie);
    expect(req.session).toBe(ours);
  });

  function facts(session: Session): object {
    const { id, cookie } = session;
    const { originalMaxAge, maxAge } = cookie;
    return { id, originalMaxAge, maxAge, expires: String(cookie.expires), json: JSON.stringify(session) };
  }

  test('with no cookie at all: the same error', () => {
    const store = makeStore();
    expect(() => store.createSession({}, {} as SessionData)).toThrow(
      new TypeError("Cannot read properties of undefined (reading 'expires')"),
    );
  });
});

/** Each method calls back within a `try` of its own, and once more with what it catches, as those of connect-redis do. */
const CATCHING = `
const { createServer, get } = require('node:http');
const session = require('./lib/index.js');
const texts = new Map();
async function answer(callback, work) {
  try {
    await undefined;
    callback(null, work());
  } catch (error) {
    callback(error);
  }
}
class CatchingStore extends session.Store {
  get(id, callback) {
    return answer(callback, () => JSON.parse(texts.get(id) ?? 'null'));
  }
  set(id, data, callback) {
    return answer(callback, () => void texts.set(id, JSON.stringify(data)));
  }
  destroy(id, callback) {
    return answer(callback, () => void texts.delete(id));
  }
}
`;

test.each(['save', 'reload', 'destroy', 'regenerate'])(
  'what the callback of %s throws is not lost in a store that catches it: it is an error of the request',
  async (method) => {
    const output = await runProgram({
      source: `${CATCHING}
        const store = new CatchingStore();
        const sessions = session({ secret: 'a', resave: false, saveUninitialized: false, store });
        let calls = 0;
        const server = createServer((req, res) => sessions(req, res, async (error) => {
          if (error) {
            console.log(error.message, calls);
            setImmediate(() => process.exit()); // had it been told twice, the other would be seen too
            return;
          }
          req.session.user = 'ada';
          await req.session.save();
          req.session.${method}(() => {
            calls++;
            throw new Error('of the app');
          });
        }));
        server.listen(0, () => get({ port: server.address().port }).on('error', () => {}));
        setTimeout(() => process.exit(), 10_000); // if it is lost`,
    });

    expect(output).toBe('of the app 1\n');
  },
);
