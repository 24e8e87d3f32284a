import type session from '../../lib/index.js';
import { stopClock } from '../security/clock.js';
import { closeSites } from '../support/sites.js';
import { INITIAL, share } from './shared-session.js';

afterEach(closeSites);

test('a lifetime that another request has given is that of the merged record', async () => {
  const inner = new MapStore();
  const shared = await share(inner);
  const slow = await shared.begin();
  await shared.request(({ session }) => {
    session.remember = true;
    session.cookie.maxAge = 30 * DAY;
  });
  await slow.finish(({ session }) => {
    session.b = 'two';
  });
  await shared.settled();

  expect(JSON.parse(inner.last.text)).toMatchObject({ remember: true, b: 'two' });
  expect(inner.last.expires - Date.now()).toBeGreaterThan(29 * DAY);
});

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A store of text that remembers what was stored last. */
class MapStore implements session.SessionStore {
  readonly #records = new Map<string, { text: string; expires: number }>();
  last = { text: '', expires: 0 };

  async get(id: string) {
    return this.#records.get(id)?.text;
  }

  async set(id: string, text: string, { expires, expected }: session.SetOptions) {
    if (expected !== undefined && expected !== (this.#records.get(id)?.text ?? null)) return false;
    this.last = { text, expires };
    this.#records.set(id, this.last);
    return true;
  }

  async touch(id: string) {
    return this.#records.has(id);
  }

  async destroy(id: string) {
    this.#records.delete(id);
  }
}

const STORES = [
  ['a SessionStore', 'text store', {}],
  ['MemoryStore', 'MemoryStore', {}],
  ['a callback store, merging', 'callback store', { concurrency: 'merge' }],
] as const;

describe.each(STORES)('two requests change one session: %s', (_name, store, options) => {
  const both = async (first: (session: any) => void, second: (session: any) => void) => {
    const shared = await share(store, options);
    const slow = await shared.begin();
    await shared.request(({ session }) => first(session));
    await slow.finish(({ session }) => second(session));
    await shared.settled();
    return shared.data()[shared.id];
  };

  test('different keys: both changes are kept', async () => {
    const data = await both(
      (session) => {
        session.a = 'one';
      },
      (session) => {
        session.b = 'two';
      },
    );
    expect(data).toEqual({ ...INITIAL, a: 'one', b: 'two' });
  });

  test('new keys: both are kept', async () => {
    const data = await both(
      (session) => {
        session.c = 1;
      },
      (session) => {
        session.d = 2;
      },
    );
    expect(data).toEqual({ ...INITIAL, c: 1, d: 2 });
  });

  test('removing a key is a change: it stays away, and so does what the other one removed', async () => {
    const data = await both(
      (session) => {
        delete session.a;
      },
      (session) => {
        delete session.b;
        session.n = 7;
      },
    );
    expect(data).toEqual({ n: 7 });
  });

  test('the same key: the one that is stored later wins', async () => {
    const data = await both(
      (session) => {
        session.a = 'earlier';
      },
      (session) => {
        session.a = 'later';
      },
    );
    expect(data).toEqual({ ...INITIAL, a: 'later' });
  });

  test('changed by one and removed by the later: it is removed', async () => {
    const data = await both(
      (session) => {
        session.a = 'changed';
      },
      (session) => {
        delete session.a;
      },
    );
    expect(data).toEqual({ b: 'initial', n: 0 });
  });

  test('removed by one and changed by the later: it has the new value', async () => {
    const data = await both(
      (session) => {
        delete session.a;
      },
      (session) => {
        session.a = 'changed';
      },
    );
    expect(data).toEqual({ ...INITIAL, a: 'changed' });
  });

  test('a key is one value, whatever is in it', async () => {
    const data = await both(
      (session) => {
        session.a = { first: 1 };
      },
      (session) => {
        session.a = { second: 2 };
      },
    );
    expect(data).toEqual({ ...INITIAL, a: { second: 2 } });
  });

  test('__proto__ as a key is merged as data', async () => {
    const data = await both(
      (session) => {
        session.a = 'one';
      },
      (session) => {
        session.b = JSON.parse('{"__proto__": {"polluted": true}}');
      },
    );
    expect(JSON.stringify(data)).toBe('{"a":"one","b":{"__proto__":{"polluted":true}},"n":0}');
    expect(({} as any).polluted).toBe(undefined);
  });
});

describe.each(STORES)('the cookie is merged by attribute: %s', (_name, store, options) => {
  const YEAR = 365 * 86_400_000;
  const HOUR = 3_600_000;
  const short = { ...options, cookie: { maxAge: HOUR } };
  /** What the next request finds; it comes more than an hour later, if that is asked for. */
  const cookieOf = async (shared: Awaited<ReturnType<typeof share>>) => {
    const { body } = await shared.request(({ session }) => session?.cookie);
    return JSON.parse(body);
  };
  const isInAYear = (expires: string) => Math.abs(Date.parse(expires) - Date.now() - YEAR) < HOUR;

  test('one prolongs it, the other changes data later', async () => {
    const shared = await share(store, short);
    const slow = await shared.begin();
    await shared.request(({ session }) => {
      session.cookie.maxAge = YEAR;
      session.a = 'remember me';
    });
    await slow.finish(({ session }) => {
      session.b = 'two';
    });
    await shared.settled();

    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, a: 'remember me', b: 'two' });
    const cookie = await cookieOf(shared);
    expect(cookie.originalMaxAge).toBe(YEAR);
    expect(isInAYear(cookie.expires)).toBe(true);
  });

  test('one changes data, the other prolongs it later', async () => {
    const shared = await share(store, short);
    const slow = await shared.begin();
    await shared.request(({ session }) => {
      session.a = 'one';
    });
    await slow.finish(({ session }) => {
      session.cookie.maxAge = YEAR;
      session.b = 'remember me';
    });
    await shared.settled();

    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, a: 'one', b: 'remember me' });
    const cookie = await cookieOf(shared);
    expect(cookie.originalMaxAge).toBe(YEAR);
    expect(isInAYear(cookie.expires)).toBe(true);
  });

  test('one prolongs it, the other changes data by update()', async () => {
    const shared = await share(store, short);
    const slow = await shared.begin();
    await shared.request(({ session }) => {
      session.cookie.maxAge = YEAR;
      session.a = 'remember me';
    });
    await slow.finish(({ session }) =>
      session.update((data: any) => {
        data.n++;
      }),
    );
    await shared.settled();

    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, a: 'remember me', n: 1 });
    expect((await cookieOf(shared)).originalMaxAge).toBe(YEAR);
  });

  test('two change different attributes', async () => {
    const shared = await share(store, short);
    const slow = await shared.begin();
    await shared.request(({ session }) => {
      session.cookie.sameSite = 'strict';
      session.a = 'one';
    });
    await slow.finish(({ session }) => {
      session.cookie.priority = 'high';
      session.b = 'two';
    });
    await shared.settled();

    expect(await cookieOf(shared)).toMatchObject({ sameSite: 'strict', priority: 'high' });
  });
});

describe('merge: what the app decides', () => {
  test('is asked for each key that both have changed, with the three values', async () => {
    const merge = jest.fn((_base, mine, theirs) => `${mine} and ${theirs}`);
    const shared = await share('text store', { merge });
    const slow = await shared.begin();
    await shared.request(({ session }) => Object.assign(session, { a: 'theirs', b: 'theirs' }));
    await slow.finish(({ session }) => Object.assign(session, { a: 'mine', c: 'mine' }));

    expect(merge.mock.calls).toEqual([['initial', 'mine', 'theirs', 'a']]);
    expect(shared.data()[shared.id]).toEqual({
      ...INITIAL,
      ...{ a: 'mine and theirs', b: 'theirs', c: 'mine' },
    });
  });

  test('sees undefined for a key that is absent, and removes a key by returning it', async () => {
    const merge = jest.fn(() => undefined);
    const shared = await share('text store', { merge });
    const slow = await shared.begin();
    await shared.request(({ session }) => {
      delete session.a;
      session.c = 'theirs';
    });
    await slow.finish(({ session }) => Object.assign(session, { a: 'mine', c: 'mine' }));

    expect(merge.mock.calls).toEqual([
      ['initial', 'mine', undefined, 'a'],
      [undefined, 'mine', 'theirs', 'c'],
    ]);
    expect(shared.data()[shared.id]).toEqual({ b: 'initial', n: 0 });
  });

  test('is not asked where both came to the same value', async () => {
    const merge = jest.fn();
    const shared = await share('text store', { merge });
    const slow = await shared.begin();
    await shared.request(({ session }) => Object.assign(session, { a: 'same', b: 'theirs' }));
    await slow.finish(({ session }) => Object.assign(session, { a: 'same' }));

    expect(merge.mock.calls).toEqual([]);
    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, a: 'same', b: 'theirs' });
  });

  test('an error that it throws is an error of saving', async () => {
    const merge = () => {
      throw new Error('cannot decide');
    };
    const shared = await share('text store', { merge, saveFailure: 'error' });
    const slow = await shared.begin();
    await shared.request(({ session }) => Object.assign(session, { a: 'theirs' }));
    const answer = await slow.finish(({ session }) => Object.assign(session, { a: 'mine' }));

    expect(answer).toMatchObject({ status: 500, body: 'error: cannot decide' });
    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, a: 'theirs' });
  });
});

describe('conflicts', () => {
  test('are told of, with the keys that the other request had changed', async () => {
    const shared = await share('text store');
    const slow = await shared.begin();
    await shared.request(({ session }) => Object.assign(session, { a: 'theirs', n: 1 }));
    expect(shared.events).toEqual([]);
    await slow.finish(({ session }) => Object.assign(session, { b: 'mine' }));

    expect(shared.events).toMatchObject([{ name: 'conflict', keys: ['a', 'n'] }]);
    expect(shared.events[0]!['session']).toMatch(/^[0-9a-f]{12}$/);
    expect(shared.id).not.toContain(shared.events[0]!['session']);
  });

  test('are told of where both have changed the same key, of which one change is lost', async () => {
    const shared = await share('text store');
    const slow = await shared.begin();
    await shared.request(({ session }) => Object.assign(session, { a: 'theirs' }));
    await slow.finish(({ session }) => Object.assign(session, { a: 'mine' }));

    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, a: 'mine' });
    expect(shared.events).toMatchObject([{ name: 'conflict', keys: ['a'] }]);
  });

  test.each<[string, (session: any) => void, string[]]>([
    ['changed the session and prolonged it, with the keys', (session) => (session.a = 'theirs'), ['a']],
    ['only prolonged it, not at all', () => {}, []],
  ])('are told of where the other request has %s', async (_what, change, keys) => {
    const clock = stopClock();
    try {
      const inner = new MapStore();
      const options = { touchAfter: HOUR, cookie: { maxAge: DAY }, touch: (req: any) => req.url !== '/1' };
      const shared = await share(inner, options);
      const slow = await shared.begin(); // the request '/1', whose own end does not move
      const { text } = inner.last;
      clock.pass(HOUR);
      await shared.request(({ session }) => change(session));
      expect(inner.last.text).not.toBe(text);
      await slow.finish(({ session }) => Object.assign(session, { b: 'mine' }).save());

      expect(JSON.parse(inner.last.text)).toMatchObject({ b: 'mine', cookie: { touchedAt: clock.now() } });
      expect(shared.events.map((event) => event['keys'])).toEqual(keys.length > 0 ? [keys] : []);
    } finally {
      jest.useRealTimers();
    }
  });

  test('are none where both have made the same change', async () => {
    const shared = await share('text store');
    const slow = await shared.begin();
    await shared.request(({ session }) => Object.assign(session, { a: 'ours' }));
    await slow.finish(({ session }) => Object.assign(session, { a: 'ours' }));

    expect(shared.events).toEqual([]);
  });

  test('are none where another request has merely prolonged the session', async () => {
    const shared = await share('text store', { cookie: { maxAge: 60_000 }, resave: true });
    const slow = await shared.begin();
    await shared.request(({ session }) => {
      session.cookie.maxAge = 50_000;
    });
    await slow.finish(({ session }) => {
      session.cookie.maxAge = 40_000;
    });

    expect(shared.events).toEqual([]);
  });

  test('that never end are given up, with an error event and an error of saving', async () => {
    let writes = 0;
    const restless: session.SessionStore = {
      get: async () =>
        JSON.stringify({ cookie: { originalMaxAge: null, expires: null }, n: writes, a: 'theirs' }),
      set: async (_id, _value, { expected }) => {
        writes++;
        return expected === null;
      },
      touch: async () => true,
      destroy: async () => {},
    };
    const shared = await share(restless, { saveFailure: 'error' });
    writes = 0;
    const answer = await shared.request(({ session }) => Object.assign(session, { a: 'mine' }));

    expect(answer.status).toBe(500);
    expect(shared.site.errors).toMatchObject([{ name: 'SteadyError', code: 'ERR_SESSION_CONFLICT' }]);
    expect(writes).toBe(100);
    const errors = shared.events.filter(({ name }) => name === 'error');
    expect(errors).toMatchObject([{ error: { code: 'ERR_SESSION_CONFLICT' } }]);

    const now = performance.now();
    let looks = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now + 10_000 * looks++); // the store gets slow
    writes = 0;
    expect((await shared.request(({ session }) => Object.assign(session, { a: 'new' }))).status).toBe(500);
    expect(writes).toBeLessThan(30); // of 5 times 30 seconds
    jest.restoreAllMocks();
  }, 30_000);
});

describe('a request that has changed nothing', () => {
  test.each([
    ['text store', { resave: true }],
    ['MemoryStore', { resave: true }],
    ['callback store', { resave: true, concurrency: 'merge' }],
    ['text store', { rolling: true }],
    ['MemoryStore', { rolling: true }],
    ['MemoryStore', { rolling: true, concurrency: 'overwrite' }],
    ['callback store', { rolling: true, concurrency: 'merge' }],
  ] as const)('does not undo another one’s change: %s, %o', async (store, options) => {
    const shared = await share(store, { ...options, cookie: { maxAge: 3_600_000 } });
    const slow = await shared.begin();
    await shared.request(({ session }) => Object.assign(session, { a: 'changed' }));
    await slow.finish(() => 'only read');
    await shared.settled();

    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, a: 'changed' });
  });

  test.each([
    ['text store', { resave: true }],
    ['MemoryStore', { resave: true }],
    ['callback store', { resave: true, concurrency: 'merge' }],
    ['text store', { rolling: true }],
    ['text store', { rolling: true, concurrency: 'overwrite' }],
    ['MemoryStore', { rolling: true }],
    ['MemoryStore', { rolling: true, concurrency: 'overwrite' }],
    ['callback store', { rolling: true, concurrency: 'merge' }],
  ] as const)('does not bring a destroyed session back: %s, %o', async (store, options) => {
    const shared = await share(store, {
      ...options,
      cookie: { maxAge: 3_600_000 },
      onInterrupted: 'error',
      saveFailure: 'error',
    });
    const slow = await shared.begin();
    await shared.request(({ session }) => session.destroy());
    const answer = await slow.finish(() => 'only read');
    await shared.settled();

    expect(shared.data()).toEqual({});
    expect(answer.status).toBe(200); // nothing of its own was lost
    expect(shared.events).toEqual([]);
  });
});
