import { helpLink } from '../../lib/errors.js';
import session from '../../lib/index.js';
import { FullStore } from '../conformance/full-store.js';
import { Browser } from '../support/http.js';
import { closeSites, serve } from '../support/sites.js';
import { type Action, bodyOf, INITIAL, type SharedSession, share } from './shared-session.js';

afterEach(closeSites);

const STORES = [
  ['a SessionStore', 'text store', {}],
  ['a SessionStore, overwriting', 'text store', { concurrency: 'overwrite' }],
  ['a callback store', 'callback store', {}],
  ['a callback store, merging', 'callback store', { concurrency: 'merge' }],
] as const;

const TIMEOUT = 60;

test('a store that can read and touch in one step is asked just once by a request that only reads', async () => {
  const store = new FullStore();
  const calls = (['get', 'getAndTouch', 'set', 'touch'] as const).map((name) => jest.spyOn(store, name));
  const shared = await share(store, { storeTimeout: TIMEOUT, cookie: { maxAge: 3_600_000 } });
  for (const call of calls) call.mockClear();
  await shared.request(({ session }) => session.a);
  await shared.settled();

  expect(calls.map(({ mock }) => mock.calls.length)).toEqual([0, 1, 0, 0]);
});

describe.each(STORES)('storeTimeout: %s', (_name, store, options) => {
  const begin = (more: session.SessionOptions = {}) =>
    share(store, { ...options, storeTimeout: TIMEOUT, saveFailure: 'error', ...more });
  const change: Action = ({ session }) => {
    session.a = 'changed';
    return 'changed';
  };

  /** Sends a request while the store does not answer to `operation`; the store answers when it is all over. */
  async function whileSilent(
    shared: SharedSession,
    operation: 'get' | 'set' | 'touch' | 'destroy',
    action: Action,
  ) {
    const held = shared.traffic.hold(operation);
    const start = performance.now();
    const answer = await shared.request(action);
    const duration = performance.now() - start;
    held.open();
    await shared.settled();
    return { answer, duration };
  }

  test.each([
    ['get', () => 'read', 'load'],
    ['set', change, 'save'],
    ['touch', () => 'read', 'touch'],
    ['destroy', ({ session }: any) => session.destroy(), 'destroy'],
  ] as const)('%s: the request is answered with an error in time', async (operation, action, what) => {
    const shared = await begin();
    const { answer, duration } = await whileSilent(shared, operation, action);

    expect(answer.status).toBe(500);
    expect(answer.body).toBe(
      `error: the session store did not ${what} a session within ${TIMEOUT} ms; check that it can be reached`,
    );
    expect(shared.site.errors).toMatchObject([{ name: 'SteadyError', code: 'ERR_SESSION_STORE_TIMEOUT' }]);
    expect(duration).toBeGreaterThanOrEqual(TIMEOUT - 1); // a timer may be early by a part of a millisecond
  });

  test('an answer that comes too late changes nothing of the response', async () => {
    const shared = await begin({ saveFailure: 'pass' });
    const { answer } = await whileSilent(shared, 'set', change);

    expect(answer).toMatchObject({ status: 200, body: '"changed"' });
    expect(shared.site.errors).toMatchObject([{ code: 'ERR_SESSION_STORE_TIMEOUT' }]);
    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, a: 'changed' }); // the store has done it in the end
  });

  test('the next request is served as if nothing had been', async () => {
    const shared = await begin();
    await whileSilent(shared, 'get', () => 'read');
    const answer = await shared.request(change);
    await shared.settled();

    expect(answer).toMatchObject({ status: 200, body: '"changed"' });
    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, a: 'changed' });
  });

  test('a store that answers in time is given its time', async () => {
    const shared = await share(store, { ...options, storeTimeout: 2000 });
    const held = shared.traffic.hold('set');
    const answer = shared.request(change);
    await held.reached;
    await new Promise((resolve) => setTimeout(resolve, 100));
    held.open();

    expect(await answer).toMatchObject({ status: 200, body: '"changed"' });
    expect(shared.site.errors).toEqual([]);
  });

  test('no timer is left when the store has answered', async () => {
    const shared = await share(store, { ...options, storeTimeout: 12_345 });
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const cleared = jest.spyOn(globalThis, 'clearTimeout');
    await shared.request(change);
    await shared.settled();
    const ours = timers.mock.results.filter((_, index) => timers.mock.calls[index]![1] === 12_345);
    const stopped = ours.filter(({ value }) => cleared.mock.calls.some(([timer]) => timer === value));
    timers.mockRestore();
    cleared.mockRestore();

    expect(ours.length).toBeGreaterThanOrEqual(2); // to load and to save
    expect(stopped).toHaveLength(ours.length);
  });
});

describe('a store that fails', () => {
  test.each<[string, string, () => Promise<boolean>]>([
    [
      'by throwing',
      'broken',
      () => {
        throw new Error('broken');
      },
    ],
    ['by rejecting', 'broken', () => Promise.reject(new Error('broken'))],
    ['without an error', 'the session store failed without a reason', () => Promise.reject()],
    ['with a number for an error', 'the session store failed with 0 (number)', () => Promise.reject(0)],
    ['with a command', 'the session store failed with "route"', () => Promise.reject('route')],
  ])('%s: the app hears of it, and the next request is served', async (_how, message, fail) => {
    const records = new Map<string, string>();
    let broken = false;
    const store: session.SessionStore = {
      get: async (id) => records.get(id),
      set(id, value) {
        if (broken) return fail();
        records.set(id, value);
        return Promise.resolve(true);
      },
      touch: async (id) => records.has(id),
      destroy: async (id) => {
        records.delete(id);
      },
    };
    const shared = await share(store, { saveFailure: 'error' });
    const change: Action = ({ session }) => ++session.n;
    broken = true;
    const failed = await shared.request(change);
    broken = false;
    const served = await shared.request(change);

    expect(failed).toMatchObject({ status: 500, body: `error: ${message}` });
    expect(served).toMatchObject({ status: 200, body: '1' });
  });
});

describe('onStoreDown', () => {
  /** A store that says when its back end is out of reach. */
  class LineStore extends session.Store {
    readonly records = new Map<string, string>();
    get(id: string, done: (error: unknown, data?: any) => void): void {
      const text = this.records.get(id);
      setImmediate(done, null, text && JSON.parse(text));
    }
    set(id: string, data: object, done: () => void): void {
      this.records.set(id, JSON.stringify(data));
      setImmediate(done);
    }
    destroy(id: string, done: () => void): void {
      this.records.delete(id);
      setImmediate(done);
    }
  }

  let warn: jest.SpyInstance;
  beforeAll(() => {
    warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  });
  afterAll(() => warn.mockRestore());

  describe.each(['overwrite', 'merge'] as const)('concurrency: %s', (concurrency) => {
    test("'skip', the default: requests have no session until the store is back", async () => {
      const store = new LineStore();
      const shared = await share(store, { concurrency });
      const look: Action = ({ session, sessionID, sessionStore }) => [
        session?.a,
        sessionID,
        typeof sessionStore,
      ];
      store.emit('disconnect');
      const without = [await shared.request(look), await shared.request(look)];
      store.emit('connect');
      const again = await shared.request(look);

      expect(without.map(bodyOf)).toEqual([
        [null, null, 'undefined'],
        [null, null, 'undefined'],
      ]);
      expect(without.map(({ setCookie }) => setCookie)).toEqual([[], []]);
      expect(bodyOf(again)).toEqual(['initial', shared.id, 'object']);
      expect(shared.site.errors).toEqual([]);
    });

    test("'error': requests fail until the store is back", async () => {
      const store = new LineStore();
      const shared = await share(store, { concurrency, onStoreDown: 'error' });
      store.emit('disconnect');
      const refused = await shared.request(() => 'served');
      store.emit('connect');
      const served = await shared.request(({ session }) => session.a);

      expect(refused.status).toBe(500);
      expect(shared.site.errors).toMatchObject([{ name: 'SteadyError', code: 'ERR_SESSION_STORE_DOWN' }]);
      expect(served).toMatchObject({ status: 200, body: '"initial"' });
    });

    test('a request that has its session already keeps it', async () => {
      const store = new LineStore();
      const shared = await share(store, { concurrency, onStoreDown: 'error' });
      const pending = await shared.begin();
      store.emit('disconnect');
      const answer = await pending.finish(({ session }) => Object.assign(session, { a: 'changed' }).a);
      store.emit('connect');

      expect(answer).toMatchObject({ status: 200, body: '"changed"' });
      expect(bodyOf(await shared.request(({ session }) => session.a))).toBe('changed');
    });
  });

  test("'skip' warns once in the life of the process, and says why", async () => {
    for (let count = 0; count < 2; count++) {
      const store = new LineStore();
      const shared = await share(store);
      store.emit('disconnect');
      await shared.request(() => 'served');
    }

    const ours = warn.mock.calls.filter(([, { code }]) => code === 'WARN_SESSION_STORE_DOWN');
    expect(ours).toEqual([
      [
        'the session store is disconnected, so that requests have no session; check the connection to it, or set ' +
          `onStoreDown: 'error' to have such requests fail (${helpLink('WARN_SESSION_STORE_DOWN')})`,
        { type: 'SteadySessionWarning', code: 'WARN_SESSION_STORE_DOWN' },
      ],
    ]);
  });
});

test('updates wait for one another no longer than the store may take', async () => {
  const { texts } = new session.MemoryStore();
  let isSilent = false;
  let reads = 0;
  const get: session.SessionStore['get'] = (id) => {
    reads++;
    return isSilent ? new Promise(() => {}) : texts.get(id);
  };
  const shared = await share({ ...texts, get }, { storeTimeout: TIMEOUT, saveFailure: 'error' });
  const answer = await shared.request(async (req) => {
    isSilent = true;
    reads = 0;
    const updates = [1, 2, 3].map(() => req.session.update((draft: any) => draft.n++).catch(codeOf));
    await new Promise((resolve) => setTimeout(resolve, TIMEOUT * 1.5)); // timers fire in the order in which they are due
    const begun = reads;
    return [begun, ...(await Promise.all(updates))];
  });

  const code = 'ERR_SESSION_STORE_TIMEOUT';
  expect(bodyOf(answer)).toEqual([3, code, code, code]);
});

function codeOf(error: any): unknown {
  return error.code;
}

describe('a SessionStore that breaks its contract', () => {
  const broken = (part: object): session.SessionStore => {
    const { get, set, touch, destroy } = new session.MemoryStore().texts;
    return { get, set, touch, destroy, ...part };
  };
  const breaks = 'the session store breaks its contract: ';

  test.each([
    ['undefined', async () => undefined, 'set() must answer true or false; got undefined'],
    ['null', async () => null, 'set() must answer true or false; got null'],
    ['no promise', () => true, 'set() must return a promise; got true (boolean)'],
  ])('set() that answers %s is named at the first write', async (_, set, message) => {
    let calls = 0;
    const counted = (...args: never[]) => {
      calls++;
      return (set as (...args: never[]) => unknown)(...args);
    };
    const sessions = session({
      ...{ secret: 'keyboard cat', resave: false, saveUninitialized: false, saveFailure: 'error' },
      store: broken({ set: counted }),
    });
    const site = await serve('node:http', [
      sessions,
      (req, res) => {
        req.session.a = 1;
        res.end();
      },
    ]);
    const answer = await new Browser(site).get('/');

    expect([answer.status, answer.body]).toEqual([500, `error: ${breaks}${message}`]);
    expect(site.errors).toMatchObject([{ name: 'SteadyError', code: 'ERR_SESSION_STORE_ANSWER' }]);
    expect(calls).toBe(1);
  });

  test('get() that answers null, as databases do, has no record', async () => {
    const kept = new Map<string, string>();
    const store = broken({
      get: async (id: string) => kept.get(id) ?? null,
      set: async (id: string, text: string) => Boolean(kept.set(id, text)),
    });
    const sessions = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false, store });
    const site = await serve('node:http', [
      sessions,
      (req, res) => {
        req.session.n = (req.session.n ?? 0) + 1;
        res.end(String(req.session.n));
      },
    ]);
    const browser = new Browser(site);

    expect((await browser.get('/')).body).toBe('1');
    expect((await browser.get('/')).body).toBe('2');
    kept.clear();
    expect(await browser.get('/')).toMatchObject({ status: 200, body: '1' });
  });

  test.each([
    ['an object', { cookie: {} }, 'an object (Object)'],
    ['bytes', Buffer.from('{}'), 'an object (Buffer)'],
    ['a number', 7, '7 (number)'],
  ])('get() that answers %s is named', async (_, answered, described) => {
    const { texts } = new session.MemoryStore();
    let broke = false;
    const get = async (id: string) => (broke ? answered : texts.get(id));
    const shared = await share(broken({ ...texts, get }));
    broke = true;
    const answer = await shared.request(() => 'read');

    const rule = 'get() must answer the text that set() was given, or undefined';
    expect([answer.status, answer.body]).toEqual([500, `error: ${breaks}${rule}; got ${described}`]);
  });

  test('touch() that answers undefined is no logout', async () => {
    const store = broken({ touch: async () => undefined });
    const shared = await share(store, { saveFailure: 'error' });
    const answer = await shared.request(() => 'read');

    expect(answer.body).toBe(`error: ${breaks}touch() must answer true or false; got undefined`);
    expect(shared.events).toEqual([expect.objectContaining({ name: 'error' })]);
  });
});
