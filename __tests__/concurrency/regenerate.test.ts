import { once } from 'node:events';
import session from '../../lib/index.js';
import { closeSites } from '../support/sites.js';
import { bodyOf, INITIAL, share } from './shared-session.js';

afterEach(closeSites);

const STORES = [
  ['a SessionStore', 'text store', {}],
  ['MemoryStore', 'MemoryStore', {}],
  ['a callback store, merging', 'callback store', { concurrency: 'merge' }],
] as const;

const login = async (req: any) => {
  await req.session.regenerate();
  req.session.user = 'ada';
};

describe('regenerate(): the new session is stored before the old one goes', () => {
  const begin = () => share('text store', { saveFailure: 'error' });

  test('in this order', async () => {
    const shared = await begin();
    await shared.request(login);

    expect(shared.traffic.calls).toEqual(['get', 'set', 'destroy']);
    expect(Object.values(shared.data())).toEqual([{ user: 'ada' }]);
    expect(Object.keys(shared.data())).not.toContain(shared.id);
  });

  test('a store that fails to save leaves the old session as it was', async () => {
    const shared = await begin();
    shared.traffic.fail('set', new Error('full'));
    const answer = await shared.request(login);
    await shared.settled();

    expect(answer).toMatchObject({ status: 500, body: 'error: full', setCookie: [] });
    expect(shared.data()).toEqual({ [shared.id]: INITIAL });
  });

  test('a store that fails to destroy leaves both, and the app hears of it', async () => {
    const shared = await begin();
    shared.traffic.fail('destroy', new Error('stuck'));
    const answer = await shared.request(login);
    await shared.settled();

    expect(answer).toMatchObject({ status: 500, body: 'error: stuck' });
    expect(Object.values(shared.data())).toEqual([INITIAL, { user: 'ada' }]);
  });

  test('with an explicit save() the old one goes with it', async () => {
    const shared = await begin();
    const answer = await shared.request(async (req) => {
      await login(req);
      await req.session.save();
      return Object.values(shared.data());
    });

    expect(bodyOf(answer)).toEqual([{ user: 'ada' }]);
  });

  test('where genid gives the same id again, it stays', async () => {
    const shared = await share('text store', { genid: () => 'same' });
    await shared.request(login);
    await shared.settled();

    expect(shared.data()).toEqual({ same: { user: 'ada' } });
  });

  test('twice in one request: one session is left', async () => {
    const shared = await begin();
    await shared.request(async (req) => {
      await login(req);
      await login(req);
    });
    await shared.settled();

    expect(Object.values(shared.data())).toEqual([{ user: 'ada' }]);
  });

  test('and then destroyed: none is left', async () => {
    const shared = await begin();
    await shared.request(async (req) => {
      await login(req);
      await req.session.destroy();
    });
    await shared.settled();

    expect(shared.data()).toEqual({});
  });
});

describe('too late for its cookie, a session that storeUnreachable: false does not store is no reason to keep the old one', () => {
  test.each<[string, (req: any) => unknown]>([
    ['regenerate()', login],
    ['regenerate({ keep })', (req) => req.session.regenerate({ keep: true })],
    [
      'clear(), and something put in again',
      ({ session }) => {
        session.clear();
        session.user = 'ada';
      },
    ],
  ])('%s', async (_name, act) => {
    for (const leaves of [false, true]) {
      const shared = await share('text store', { storeUnreachable: false });
      const acted = shared.request(async (req, res) => {
        res.flushHeaders();
        await act(req);
        if (leaves) await once(req.socket.destroy(), 'close');
        return 'done';
      });
      await acted.catch(() => {});
      await shared.settled();

      expect(shared.data()).toEqual({});
    }
  });
});

describe.each(STORES)(
  'requests in flight under the old id can write to neither: %s',
  (_name, store, options) => {
    test.each([
      [
        'finds it gone',
        async (shared: any, slow: any) => {
          await shared.request(login);
          await slow.finish(({ session }: any) => Object.assign(session, { a: 'late' }));
        },
      ],
      [
        'ends first',
        async (shared: any, slow: any) => {
          const begun = await shared.begin(login);
          await slow.finish(({ session }: any) => Object.assign(session, { a: 'in time' }));
          await begun.finish(() => 'logged in');
        },
      ],
    ])('one that %s', async (_case, drive) => {
      const shared = await share(store, options);
      const slow = await shared.begin();
      await drive(shared, slow);
      await shared.settled();

      expect(Object.values(shared.data())).toEqual([{ user: 'ada' }]);
      expect(Object.keys(shared.data())).not.toContain(shared.id);
    });
  },
);

describe.each(STORES)('regenerate({ keep }): %s', (_name, store, options) => {
  const kept = async (regenerate: (session: any) => unknown) => {
    const shared = await share(store, options);
    const answer = await shared.request(async (req) => {
      await regenerate(req.session);
      req.session.user = 'ada';
      const { cookie: _, ...live } = req.session;
      return live;
    });
    await shared.settled();
    expect(Object.values(shared.data())).toEqual([bodyOf(answer)]);
    expect(Object.keys(shared.data())).not.toContain(shared.id);
    return bodyOf(answer);
  };
  const byCallback = (session: any, ...args: unknown[]) =>
    new Promise((resolve) => session.regenerate(...args, resolve));

  test('true: all data go along', async () => {
    expect(await kept((session) => session.regenerate({ keep: true }))).toEqual({ ...INITIAL, user: 'ada' });
  });

  test('an array: what is under these keys goes along', async () => {
    const regenerate = (session: any) => session.regenerate({ keep: ['a', 'missing', 'toString'] });
    expect(await kept(regenerate)).toEqual({ a: 'initial', user: 'ada' });
  });

  test.each([[undefined], [{}], [{ keep: false }], [{ keep: [] }], [{ keep: undefined }]])(
    'nothing goes along: %o',
    async (how) => {
      expect(await kept((session) => session.regenerate(how))).toEqual({ user: 'ada' });
    },
  );

  const needs = 'regenerate() takes a callback, or options { keep, restart }; got';
  const keeps = "regenerate(): keep must be true, false or an array of keys, such as ['cart']; got";
  test.each<[unknown[], string]>([
    [[['a']], `${needs} an array`],
    [['a'], `${needs} "a"`],
    [[true], `${needs} true (boolean)`],
    [[{ kep: ['a'] }], `${needs} an object with kep; did you mean keep?`],
    [[{ keep: 'a' }], `${keeps} "a"`],
    [[{ keep: [1] }], `${keeps} an array`],
    [[{ restart: 'yes' }], 'regenerate(): restart must be true or false; got "yes"'],
    [[{ keep: true }, 'done'], 'regenerate(): the callback must be a function; got "done"'],
  ])('%j is an error at once, and changes nothing', async (args, message) => {
    const shared = await share(store, options);
    const answer = await shared.request(({ session }) => {
      try {
        return session.regenerate(...args);
      } catch (error) {
        return String(error);
      }
    });
    await shared.settled();
    expect(bodyOf(answer)).toBe(`TypeError: ${message}`);
    expect(shared.data()).toEqual({ [shared.id]: INITIAL });
  });

  test('by callback, with and without options', async () => {
    expect(await kept((session) => byCallback(session, { keep: ['b'] }))).toEqual({
      b: 'initial',
      user: 'ada',
    });
    expect(await kept((session) => byCallback(session))).toEqual({ user: 'ada' });
  });

  test('unsaved changes go along', async () => {
    const data = await kept((session) => {
      session.a = 'changed';
      delete session.b;
      return session.regenerate({ keep: true });
    });
    expect(data).toEqual({ a: 'changed', n: 0, user: 'ada' });
  });

  test('what is deleted after it has been saved does not come back', async () => {
    const data = await kept(async (session) => {
      await session.regenerate({ keep: true });
      const { req } = session;
      await req.session.save();
      delete req.session.a;
    });
    expect(data).toEqual({ b: 'initial', n: 0, user: 'ada' });
  });

  test('the cookie is a new one', async () => {
    const shared = await share(store, options);
    const answer = await shared.request(async (req) => {
      req.session.cookie.maxAge = 1234;
      await req.session.regenerate({ keep: true });
      return req.session.cookie.originalMaxAge;
    });
    expect(bodyOf(answer)).toBe(null);
  });

  test('what another request has stored meanwhile goes along', async () => {
    const shared = await share(store, options);
    const slow = await shared.begin();
    await shared.request(({ session }) => {
      session.a = 'theirs';
      delete session.b;
    });
    await slow.finish(async (req) => {
      await req.session.regenerate({ keep: true });
      req.session.user = 'ada';
    });
    await shared.settled();

    expect(Object.values(shared.data())).toEqual([{ a: 'theirs', n: 0, user: 'ada' }]);
  });

  test('with an array, only under its keys', async () => {
    const shared = await share(store, options);
    const slow = await shared.begin();
    await shared.request(({ session }) => Object.assign(session, { a: 'theirs', b: 'theirs', c: 'theirs' }));
    await slow.finish((req) => req.session.regenerate({ keep: ['a'] }));
    await shared.settled();

    expect(Object.values(shared.data())).toEqual([{ a: 'theirs' }]);
  });

  test('a token that another request has taken does not go along', async () => {
    const shared = await share(store, options);
    const slow = await shared.begin((req) => req.session.regenerate({ keep: true }));
    const taken = await shared.request(({ session }) => session.take('a'));
    await slow.finish(() => 'regenerated');
    await shared.settled();

    expect(bodyOf(taken)).toBe('initial');
    expect(Object.values(shared.data())).toEqual([{ b: 'initial', n: 0 }]);
  });

  test('data of a session that was destroyed meanwhile do not go along; what is new is stored', async () => {
    const shared = await share(store, options);
    const slow = await shared.begin((req) => req.session.regenerate({ keep: true }));
    await shared.request(({ session }) => session.destroy());
    await slow.finish((req) => {
      req.session.a = 'changed';
      req.session.user = 'ada';
    });
    await shared.settled();

    expect(Object.values(shared.data())).toEqual([{ user: 'ada' }]);
    expect(shared.events).toMatchObject([{ name: 'interrupted', keys: ['a', 'b', 'n'] }]);
  });

  test('what the request itself put in before it regenerated once more is new, too', async () => {
    const shared = await share(store, options);
    await shared.request(async (req) => {
      await req.session.regenerate({ keep: true });
      req.session.user = 'ada';
      await req.session.regenerate({ keep: true });
      await shared.request(({ session }) => session.destroy());
    });
    await shared.settled();

    expect(Object.values(shared.data())).toEqual([{ user: 'ada' }]);
    expect(shared.events).toMatchObject([{ name: 'interrupted', keys: ['a', 'b', 'n'] }]);
  });

  test('nor do they go along by a session that is being stored when the request regenerates once more', async () => {
    const shared = await share(store, options);
    await shared.request(async (req) => {
      await req.session.regenerate({ keep: true });
      await shared.request(({ session }) => session.destroy());
      const saved = req.session.save();
      await req.session.regenerate({ keep: true });
      req.session.user = 'ada';
      await saved;
    });
    await shared.settled();

    expect(Object.values(shared.data())).toEqual([{ user: 'ada' }]);
  });

  test('nor if it is that session which is ended', async () => {
    const shared = await share(store, options);
    await shared.request(async (req) => {
      await req.session.regenerate({ keep: true });
      const { id } = req.session;
      const saved = req.session.save();
      await req.session.regenerate({ keep: true });
      req.session.user = 'ada';
      await saved;
      await new Promise((done) => req.sessionStore.destroy(id, done));
    });
    await shared.settled();

    expect(Object.values(shared.data())).toEqual([{ user: 'ada' }]);
  });

  test('but they do if nobody ends any of the three', async () => {
    const shared = await share(store, options);
    await shared.request(async (req) => {
      await req.session.regenerate({ keep: true });
      const saved = req.session.save();
      await req.session.regenerate({ keep: true });
      req.session.user = 'ada';
      await saved;
    });
    await shared.settled();

    expect(Object.values(shared.data())).toEqual([{ ...INITIAL, user: 'ada' }]);
    expect(shared.events).toEqual([]);
  });

  test('of two at once, one gets the data', async () => {
    const shared = await share(store, options);
    const slow = await shared.begin((req) => req.session.regenerate({ keep: true }));
    await shared.request(async (req) => {
      await req.session.regenerate({ keep: true });
      req.session.user = 'ada';
    });
    await slow.finish((req) => {
      req.session.user = 'ada again';
    });
    await shared.settled();

    const stored = Object.values(shared.data());
    expect(stored).toHaveLength(2);
    expect(stored).toEqual(expect.arrayContaining([{ ...INITIAL, user: 'ada' }, { user: 'ada again' }]));
  });
});

describe('regenerate({ keep }) and save() over a store that fails', () => {
  type Set = (set: () => Promise<boolean>, end: () => Promise<void>) => Promise<boolean>;
  const lost = () => Promise.reject(new Error('connection lost'));

  interface Fault {
    /** What each of the writes comes to, until one fails: the new session, the exchange for the old one, the new one again. */
    sets: Set[];
    /** What comes in the place of others from the last write on, until `save()` has come to its end. */
    after?: Partial<session.SessionStore>;
    /** What the request does with its session at the same time. */
    beside?: (session: any) => unknown;
  }

  const open = async ({ sets, after = {}, beside }: Fault) => {
    const memory = new session.MemoryStore();
    const { texts } = memory;
    const store = { ...texts };
    const shared = await share(store, { storeTimeout: 50 });
    const left = () =>
      Object.values(memory.sessions).map((text) => ({ ...JSON.parse(text), cookie: undefined }));
    const answer = await shared.request(async (req) => {
      await req.session.regenerate({ keep: true });
      req.session.user = 'ada';
      store.set = async (...call) => {
        const set = sets.shift();
        if (sets.length === 0) Object.assign(store, after);
        if (!set) return texts.set(...call);
        return set(
          () => texts.set(...call),
          () => texts.destroy(shared.id),
        );
      };
      const other = beside?.(req.session);
      const failure = await req.session.save().catch((error: Error) => error);
      await other;
      Object.assign(store, texts);
      return [failure?.message ?? 'saved', left().length];
    });
    await shared.settled();
    expect(sets).toEqual([]);
    return { answer: bodyOf(answer), left: left(), lost: shared.events.flatMap(({ keys }) => keys ?? []) };
  };
  const works: Set = (set) => set();
  const isEndedMeanwhile: Set = (set, end) => end().then(set);
  const isEndedThen: Set = async (set, end) => {
    const written = await set();
    await end();
    return written;
  };
  const isDoneAndLost: Set = (set) => set().then(lost);
  const message = expect.stringMatching(/lost|did not save/);

  const never: Set = () => new Promise(() => {});
  test.each<Fault & { name: string; outcome?: unknown; count?: number }>([
    { name: 'the exchange fails', sets: [isEndedMeanwhile, lost] },
    { name: 'the exchange is not answered', sets: [isEndedMeanwhile, never] },
    { name: 'the exchange is done, and the answer lost', sets: [works, isDoneAndLost] },
    {
      name: 'the answer to the new session is lost',
      sets: [(...how) => isEndedMeanwhile(...how).then(lost)],
    },
    {
      name: 'the exchange fails, and no read works',
      sets: [isEndedMeanwhile, lost],
      after: { get: lost },
      outcome: message,
    },
    {
      name: 'that it has gone can not be read',
      sets: [isEndedThen, works],
      after: { get: lost },
      outcome: message,
    },
    {
      name: 'its data can not be taken out again',
      sets: [isEndedThen, works, lost],
      outcome: message,
      count: 0,
    },
    {
      name: 'its data can not be taken out again, nor can the new one be destroyed',
      sets: [isEndedThen, works, lost],
      after: { destroy: lost },
      outcome: message,
    },
    {
      name: 'its data can not be taken out again, and that the new one is destroyed is not answered',
      sets: [isEndedThen, works, lost],
      after: { destroy: () => new Promise(() => {}), get: async () => undefined },
      outcome: message,
    },
    {
      name: 'its data can not be taken out by one of two writes',
      sets: [isEndedMeanwhile, works, works, lost],
      beside: (session) => session.update(() => {}).catch(() => {}),
      outcome: expect.anything(),
    },
    {
      name: 'nothing works from the exchange on',
      sets: [isEndedMeanwhile, lost],
      after: { get: lost, set: lost, destroy: lost },
      outcome: message,
    },
  ])(
    'of an old session that is ended meanwhile nothing lives on in the new one, but what is new: $name',
    async ({ outcome = 'saved', count = 1, ...fault }) => {
      const { answer, left, lost: keys } = await open(fault);
      expect(answer).toEqual([outcome, count]);
      expect(left).toEqual([{ user: 'ada' }]); // after the end of the response
      expect(keys).toEqual(['a', 'b', 'n']);
    },
  );

  test.each<Fault & { name: string; count: number }>([
    { name: 'the exchange fails', sets: [works, lost], count: 2 },
    { name: 'the new session can not be stored', sets: [lost], count: 1 },
    { name: 'nothing works for a moment', sets: [lost], after: { get: lost }, count: 1 },
    { name: 'the exchange fails, and no read works', sets: [works, lost], after: { get: lost }, count: 2 },
    { name: 'the answer to the new session is lost', sets: [isDoneAndLost], count: 2 },
  ])(
    'the end of the response makes up for it while the old one is there: $name',
    async ({ count, ...fault }) => {
      const { answer, left } = await open(fault);
      expect(answer).toEqual([message, count]);
      expect(left).toEqual([{ ...INITIAL, user: 'ada' }]);
    },
  );

  test.each<{
    name: string;
    fault: (id: string, texts: session.SessionStore) => unknown;
    left: object[];
  }>([
    {
      name: 'when nothing was stored: what is new is',
      fault: () => ({ get: lost }),
      left: [{ user: 'ada' }],
    },
    {
      name: 'when nothing could be stored without its data either: what is new is',
      fault: async (old, texts) => {
        await texts.destroy(old);
        return { set: lost };
      },
      left: [{ user: 'ada' }],
    },
  ])(
    'the end of the response, when the old one has been ended and the save() has failed, $name',
    async ({ fault, left }) => {
      const memory = new session.MemoryStore();
      const { texts } = memory;
      const store = { ...texts };
      const shared = await share(store);
      await shared.request(async (req) => {
        await req.session.regenerate({ keep: true });
        req.session.user = 'ada';
        Object.assign(store, await fault(shared.id, texts));
        await expect(req.session.save()).rejects.toThrow('lost');
        Object.assign(store, texts);
        await texts.destroy(shared.id);
      });
      await shared.settled();

      const stored = Object.values(memory.sessions).map((text) => JSON.parse(text));
      expect(stored).toEqual(left.map((data) => ({ ...data, cookie: expect.anything() })));
    },
  );

  test('an old session that can not be read any more leaves nothing to the new one', async () => {
    const memory = new session.MemoryStore();
    const shared = await share({ ...memory.texts });
    await shared.request(async (req) => {
      await req.session.regenerate({ keep: true });
      req.session.user = 'ada';
      await memory.texts.set(shared.id, 'damaged', { expires: Date.now() + 60_000 });
      await req.session.save();
    });
    await shared.settled();

    const { [shared.id]: _, ...others } = memory.sessions;
    const stored = Object.values(others).map((text) => JSON.parse(text));
    expect(stored).toEqual([{ user: 'ada', cookie: expect.anything() }]);
  });
});

test.each(STORES)(
  'regenerate({ keep }) with a genid that gives the same id again: the session stays, with what is new: %s',
  async (_name, store, options) => {
    const shared = await share(store, { ...options, genid: () => 'the only one' });
    await shared.request(async (req) => {
      await req.session.regenerate({ keep: true });
      req.session.user = 'ada';
      await req.session.save();
    });
    await shared.settled();
    expect(shared.data()).toEqual({ 'the only one': { ...INITIAL, user: 'ada' } });
  },
);

test('once it has gone in exchange for the new one, that the old one can not be destroyed is no failure', async () => {
  const memory = new session.MemoryStore();
  const store = { ...memory.texts };
  const shared = await share(store, { saveFailure: 'error' });
  store.destroy = () => Promise.reject(new Error('connection lost'));
  const { status } = await shared.request(async (req) => {
    await req.session.regenerate({ keep: true });
    req.session.user = 'ada';
  });

  expect(status).toBe(200);
  expect(Object.values(memory.sessions).map((text) => JSON.parse(text).user)).toEqual(['ada']);
  expect(shared.events).toMatchObject([{ name: 'error', error: { message: 'connection lost' } }]);
});

test.each([
  ['a getter that throws is not asked', {}, 'regenerated'],
  ['or its error is that of regenerate({ keep })', { keep: true }, 'no data'],
])('%s', async (_, how, outcome) => {
  const shared = await share('text store');
  const { body } = await shared.request(async (req) => {
    Object.defineProperty(req.session, 'late', {
      enumerable: true,
      get: () => {
        throw new Error('no data');
      },
    });
    return req.session.regenerate(how).then(
      () => 'regenerated',
      (error: Error) => error.message,
    );
  });
  expect(JSON.parse(body)).toBe(outcome);
});
