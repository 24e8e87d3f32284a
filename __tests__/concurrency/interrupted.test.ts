import session from '../../lib/index.js';
import { gate } from '../support/http.js';
import { begin, start } from '../support/lifecycle.js';
import { closeSites } from '../support/sites.js';
import { type Action, INITIAL, share } from './shared-session.js';

afterEach(closeSites);

const STORES = [
  ['a SessionStore', 'text store', {}],
  ['MemoryStore', 'MemoryStore', {}],
  ['a callback store, merging', 'callback store', { concurrency: 'merge' }],
] as const;

const ENDS: [string, Action, unknown[]][] = [
  ['destroyed', ({ session }) => session.destroy(), []],
  ['cleared', ({ session }) => session.clear(), []],
  [
    'unset',
    (req) => {
      req.session = null;
    },
    [],
  ],
  [
    'regenerated',
    async (req) => {
      await req.session.regenerate();
      req.session.user = 'ada';
    },
    [{ user: 'ada' }],
  ],
];

describe.each(STORES)('a session that is gone stays gone: %s', (_name, store, options) => {
  const begin = (more: object = {}) => share(store, { unset: 'destroy', ...options, ...more });
  const beginStrict = () => begin({ saveFailure: 'error', onInterrupted: 'error' });

  describe.each(ENDS)('%s meanwhile', (_end, end, left) => {
    test('a change is dropped, and the event says what', async () => {
      const shared = await begin();
      const slow = await shared.begin();
      await shared.request(end);
      const answer = await slow.finish(({ session }) => {
        session.a = 'mine';
        delete session.b;
        session.c = 'mine';
        return 'answered';
      });
      await shared.settled();

      expect(answer).toMatchObject({ status: 200, body: '"answered"', setCookie: [] });
      expect(Object.values(shared.data())).toEqual(left);
      expect(shared.events).toMatchObject([
        { name: 'interrupted', keys: ['a', 'b', 'c'], error: { code: 'ERR_SESSION_INTERRUPTED' } },
      ]);
    });

    test('an explicit save() is dropped', async () => {
      const shared = await begin();
      const slow = await shared.begin();
      await shared.request(end);
      await slow.finish(async ({ session }) => {
        session.a = 'mine';
        await session.save();
      });
      await shared.settled();

      expect(Object.values(shared.data())).toEqual(left);
      expect(shared.events).toMatchObject([{ name: 'interrupted', keys: ['a'] }]);
    });

    test('what changes after the response is dropped', async () => {
      const shared = await begin();
      const slow = await shared.begin();
      await shared.request(end);
      await slow.finish(({ session }, res) => {
        res.on('finish', () => {
          session.a = 'too late';
        });
      });
      await shared.settled();

      expect(Object.values(shared.data())).toEqual(left);
    });

    test.each<[string, (session: any) => unknown]>([
      ['a save()', (session) => session.save()],
      ['an update()', (session) => session.update((data: any) => data.n++).catch(() => {})],
    ])(
      'the event tells of what changes after %s has found that, too, and after the response',
      async (_name, find) => {
        const shared = await begin();
        const slow = await shared.begin();
        await shared.request(end);
        await slow.finish(async ({ session }, res) => {
          session.a = 'mine';
          await find(session);
          session.b = 'mine';
          res.on('finish', () => {
            session.c = 'too late';
          });
        });
        await shared.settled();

        expect(Object.values(shared.data())).toEqual(left);
        expect(shared.events).toMatchObject([
          { name: 'interrupted', keys: ['a'] },
          { name: 'interrupted', keys: ['b'] },
          { name: 'interrupted', keys: ['c'] },
        ]);
      },
    );

    test("onInterrupted: 'error' holds for what changes after a save() that nobody waited for", async () => {
      const shared = await beginStrict();
      const slow = await shared.begin();
      await shared.request(end);
      const answer = await slow.finish(async ({ session }) => {
        session.a = 'mine';
        await session.save().catch(() => {});
        session.b = 'mine';
      });
      await shared.settled();

      expect(answer.status).toBe(500);
      expect(shared.site.errors).toMatchObject([{ code: 'ERR_SESSION_INTERRUPTED' }]);
      expect(Object.values(shared.data())).toEqual(left);
    });

    test("onInterrupted: 'error' lets a response pass whose loss save() has told of", async () => {
      const shared = await beginStrict();
      const slow = await shared.begin();
      await shared.request(end);
      const answer = await slow.finish(async ({ session }) => {
        session.a = 'mine';
        return session.save().catch(({ code }: any) => code);
      });
      await shared.settled();

      expect(answer).toMatchObject({ status: 200, body: '"ERR_SESSION_INTERRUPTED"' });
    });

    test('the next request begins a new session, under an id of our own', async () => {
      const shared = await begin();
      await shared.request(end);
      await shared.request(({ session }) => {
        session.a = 'new';
      });
      await shared.settled();

      expect(Object.keys(shared.data())).not.toContain(shared.id);
      const texts = (records: unknown[]) => records.map((record) => JSON.stringify(record)).sort();
      expect(texts(Object.values(shared.data()))).toEqual(texts([...left, { a: 'new' }])); // in no order
      expect(shared.events).toEqual([]);
    });
  });
});

describe('the session that was left by regenerate() ends although the new one has been ended meanwhile', () => {
  const change: Action = ({ session }) => {
    session.n = 1;
  };
  const finders: [string, Action][] = [
    ['the end of the response', change],
    ['a save()', async (req) => [change(req, undefined), await req.session.save().catch(() => {})]],
    ['an update()', ({ session }) => session.update((data: any) => data.n++).catch(() => {})],
    ['an update() that finds nothing changed', ({ session }) => session.update(() => {}).catch(() => {})],
  ];
  const strict = { onInterrupted: 'error' } as const;
  const settings: session.SessionOptions[] = [{}, strict, { ...strict, saveFailure: 'error' }];
  const cases = finders.flatMap(([name, find]) =>
    settings.flatMap((options) => [false, true].map((leaves) => ({ name, find, options, leaves }))),
  );

  test.each(cases)('found by $name, options $options, the client leaves: $leaves', async (each) => {
    const found = gate();
    const fixture = await start({
      host: 'node:http',
      store: 'text store',
      options: each.options,
      after: [
        async (req, res) => {
          await req.session.regenerate();
          await req.session.update((data: any) => (data.changed = true));
          await fixture.store.destroy(req.sessionID);
          await each.find(req, res);
          if (each.leaves) found.open();
          else res.end();
        },
      ],
    });
    await begin(fixture);
    const exchange = fixture.browser.start('/');
    if (each.leaves) {
      await found.opened;
      exchange.leave();
    } else await exchange.answer;
    await fixture.settled();

    expect(fixture.data()).toEqual({});
  });
});

test('a save() after regenerate() fails for the loss also where it has ended the session that was left', async () => {
  const fixture = await start({
    host: 'node:http',
    store: 'text store',
    options: { onInterrupted: 'error' },
    after: [
      async (req, res) => {
        await req.session.regenerate();
        await req.session.update((data: any) => (data.n = 1));
        await fixture.store.destroy(req.sessionID);
        req.session.m = 1;
        await expect(req.session.save()).rejects.toMatchObject({ code: 'ERR_SESSION_INTERRUPTED' });
        expect(fixture.data()).toEqual({});
        res.end();
      },
    ],
  });
  await begin(fixture);
  await fixture.browser.get('/');
  await fixture.settled();

  expect(fixture.site.errors).toEqual([]);
});

test.each<[string, Action]>([
  ['the end of the response', () => {}],
  ['an update() before', ({ session }) => session.update((data: any) => data.n++).catch(() => {})],
])(
  'what the store fails at then is warned of, and the loss is the error: found by %s',
  async (name, find) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const fixture = await start({
      host: 'node:http',
      store: 'text store',
      options: { onInterrupted: 'error' },
      after: [
        async (req, res) => {
          await req.session.regenerate();
          await req.session.update((data: any) => (data.n = 1));
          await fixture.store.destroy(req.sessionID);
          await find(req, res);
          req.session.m = 1;
          fixture.traffic.fail('destroy', new Error(`stuck, ${name}`));
          res.end();
        },
      ],
    });
    await begin(fixture);
    await fixture.browser.get('/');
    await fixture.settled();

    expect(fixture.site.errors).toMatchObject([{ code: 'ERR_SESSION_INTERRUPTED' }]);
    expect(warn.mock.calls).toContainEqual([
      expect.stringContaining(`stuck, ${name}`),
      expect.objectContaining({ code: 'WARN_SESSION_ERROR' }),
    ]);
    expect(fixture.onlyData()).toEqual({ user: 'ada' });
    warn.mockRestore();
  },
);

test('where the session was stored, what the store fails at then is the error, and not warned of besides', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const fixture = await start({
    host: 'node:http',
    store: 'text store',
    after: [
      async (req, res) => {
        await req.session.regenerate();
        req.session.m = 1;
        fixture.traffic.fail('destroy', new Error('stuck alone'));
        res.end();
      },
    ],
  });
  await begin(fixture);
  await fixture.browser.get('/');
  await fixture.settled();

  expect(fixture.site.errors).toEqual([new Error('stuck alone')]);
  expect(warn.mock.calls.filter(([text]) => String(text).includes('stuck alone'))).toEqual([]);
  warn.mockRestore();
});

test('expired meanwhile: the change is dropped', async () => {
  const store = new session.MemoryStore();
  const shared = await share(store);
  const slow = await shared.begin();
  store.records.prolong(shared.id, Date.now() - 1); // its time is over
  await slow.finish(({ session }) => {
    session.a = 'mine';
  });

  expect(store.sessions).toEqual({});
  expect(shared.events).toMatchObject([{ name: 'interrupted', keys: ['a'] }]);
});

describe('onInterrupted', () => {
  const interrupted = async (options: session.SessionOptions, action: Action) => {
    const shared = await share('text store', { onInterrupted: 'error', ...options });
    const slow = await shared.begin();
    await shared.request(({ session }) => session.destroy());
    return { shared, answer: await slow.finish(action) };
  };
  const change: Action = ({ session }) => {
    session.a = 'mine';
    return 'answered';
  };

  test('error: the dropped change counts as an error of saving, after the response', async () => {
    const { shared, answer } = await interrupted({}, change);
    await shared.settled();

    expect(answer).toMatchObject({ status: 200, body: '"answered"' });
    expect(shared.site.errors).toMatchObject([{ name: 'SteadyError', code: 'ERR_SESSION_INTERRUPTED' }]);
    expect(shared.data()).toEqual({});
  });

  test('error, with saveFailure: error: the app’s error handler answers', async () => {
    const { shared, answer } = await interrupted({ saveFailure: 'error' }, change);

    expect(answer.status).toBe(500);
    expect(shared.site.errors).toMatchObject([{ code: 'ERR_SESSION_INTERRUPTED' }]);
  });

  test('error: an explicit save() rejects', async () => {
    const { shared, answer } = await interrupted({}, async ({ session }) => {
      session.a = 'mine';
      return session.save().catch(({ code }: any) => code);
    });

    expect(answer.body).toBe('"ERR_SESSION_INTERRUPTED"');
    expect(shared.data()).toEqual({});
  });

  test('error: update() says that the session is gone, as ever', async () => {
    const { shared, answer } = await interrupted({}, async ({ session }) => {
      session.a = 'mine';
      return session.update((data: any) => data.n++).catch(({ code }: any) => code);
    });

    expect(answer.body).toBe('"ERR_SESSION_GONE"');
    expect(shared.data()).toEqual({});
    expect(shared.events.filter(({ name }) => name === 'interrupted')).toMatchObject([{ keys: ['a'] }]);
  });

  test('ignore is the default', async () => {
    const { shared, answer } = await interrupted({ onInterrupted: undefined }, change);
    await shared.settled();

    expect(answer).toMatchObject({ status: 200, body: '"answered"' });
    expect(shared.site.errors).toEqual([]);
  });
});

describe('the browser keeps the cookie that it may have got from the request that ended the session', () => {
  test.each([
    ['a change', { resave: false }, (req: any) => Object.assign(req.session, { a: 'mine' })],
    ['a touch', { rolling: true }, () => 'only read'],
    ['a resave', { resave: true }, () => 'only read'],
  ])('%s', async (_name, options, action) => {
    const shared = await share('text store', { ...session.recommended, ...options });
    const slow = await shared.begin();
    const login = await shared.request(async (req) => {
      await req.session.regenerate();
      req.session.user = 'ada';
    });
    const late = await slow.finish(action);
    await shared.settled();

    expect(login.setCookie).toHaveLength(1);
    expect(late.setCookie).toEqual([]); // an expired cookie here would log the user out again
    expect(Object.values(shared.data())).toEqual([{ user: 'ada' }]);
  });
});

test('a session that this very request destroyed is not brought back by a save that is under way', async () => {
  const shared = await share('text store');
  const slow = shared.traffic.hold('set');
  const pending = await shared.begin();
  const answer = pending.finish(async ({ session }) => {
    session.a = 'saved';
    const saved = session.save();
    await slow.reached;
    const destroyed = session.destroy();
    slow.open();
    await Promise.all([saved, destroyed]);
  });
  await answer;
  await shared.settled();

  expect(shared.data()).toEqual({});
});

test('requests that come after the end find nothing of the old data', async () => {
  const shared = await share('text store');
  await shared.request(({ session }) => session.destroy());
  const answer = await shared.request(({ session }) => Object.keys(INITIAL).filter((key) => key in session));

  expect(answer.body).toBe('[]');
});
