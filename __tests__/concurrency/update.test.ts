import { gate } from '../support/http.js';
import { closeSites } from '../support/sites.js';
import { bodyOf, INITIAL, share } from './shared-session.js';

afterEach(closeSites);

const increment = (data: any) => ++data.n;

const STORES = [
  ['a SessionStore', 'text store', {}],
  ['a SessionStore, overwriting', 'text store', { concurrency: 'overwrite' }],
  ['MemoryStore', 'MemoryStore', {}],
  ['MemoryStore, overwriting', 'MemoryStore', { concurrency: 'overwrite' }],
  ['a callback store', 'callback store', {}],
  ['a callback store, merging', 'callback store', { concurrency: 'merge' }],
] as const;

describe.each(STORES)('update(): %s', (_name, store, options) => {
  test('no increment of many requests at once is lost, and each sees its own', async () => {
    const shared = await share(store, options);
    const requests = await Promise.all(Array.from({ length: 20 }, () => shared.begin()));
    const answers = await Promise.all(
      requests.map((request) => request.finish(({ session }) => session.update(increment))),
    );
    await shared.settled();

    const counts = answers.map((answer) => bodyOf(answer) as number).sort((one, other) => one - other);
    expect(counts).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, n: 20 });
  });

  test.each<[string, (data: any) => void]>([
    [
      'deletes all keys',
      (data) => {
        for (const key of Object.keys(data)) delete data[key];
      },
    ],
    ['deletes a cookie', (data) => delete data.cookie],
    ['puts in a cookie', (data) => Object.assign(data, { cookie: 'oatmeal' })],
  ])('does not touch the session’s cookie: one that %s', async (_does, change) => {
    const shared = await share(store, { ...options, cookie: { maxAge: 60_000 } });
    const answer = await shared.request(async ({ session }) => {
      const { cookie: _, ...data } = session;
      const changed = structuredClone(data);
      change(changed);
      delete changed['cookie'];
      await session.update(change);
      expect(session.cookie.originalMaxAge).toBe(60_000);
      return changed;
    });
    await shared.settled();

    expect(shared.data()[shared.id]).toEqual(bodyOf(answer));
    const next = await shared.request(({ session }) => session);
    expect(bodyOf(next)).toEqual({
      ...(bodyOf(answer) as object),
      cookie: expect.objectContaining({ originalMaxAge: 60_000 }),
    });
  });

  test('take() of the cookie takes nothing', async () => {
    const shared = await share(store, options);
    const answer = await shared.request(({ session }) => session.take('cookie'));
    await shared.settled();

    expect(bodyOf(answer)).toBeUndefined();
    const next = await shared.request(({ session }) => session);
    expect(bodyOf(next)).toEqual({ ...INITIAL, cookie: expect.any(Object) });
  });

  test.each([
    ['update', undefined, 'update() needs a function that changes the data; got undefined'],
    ['update', { n: 1 }, 'update() needs a function that changes the data; got an object (Object)'],
    ['take', undefined, 'take() needs the key of a value, which is a string; got undefined'],
    ['take', ['n'], 'take() needs the key of a value, which is a string; got an array'],
  ])('%s(%j) is an error', async (method, given, message) => {
    const shared = await share(store, options);
    const answer = await shared.request(({ session }) => session[method](given).catch(String));
    expect(bodyOf(answer)).toBe(`TypeError: ${message}`);
    expect(shared.data()[shared.id]).toEqual(INITIAL);
  });

  test('works on what is stored now, not on what the request loaded', async () => {
    const shared = await share(store, options);
    const slow = await shared.begin();
    await shared.request(({ session }) => Object.assign(session, { n: 41, b: 'theirs' }));
    const answer = await slow.finish(({ session }) => session.update(increment));
    await shared.settled();

    expect(bodyOf(answer)).toBe(42);
    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, n: 42, b: 'theirs' });
  });

  test('the live session then shows the result, of the other requests’ changes too', async () => {
    const shared = await share(store, options);
    const slow = await shared.begin();
    await shared.request(({ session }) => {
      session.b = 'theirs';
      delete session.a;
    });
    const answer = await slow.finish(async ({ session }) => {
      await session.update(increment);
      const { cookie: _, ...data } = session;
      return data;
    });

    expect(bodyOf(answer)).toEqual({ b: 'theirs', n: 1 });
  });

  test('the end of the request does not undo what another one stored after it', async () => {
    const shared = await share(store, options);
    const slow = await shared.begin(({ session }) => session.update(increment));
    await shared.request(({ session }) => session.update(increment));
    await slow.finish(() => 'only ends');
    await shared.settled();

    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, n: 2 });
  });

  test('two in one request, without waiting', async () => {
    const shared = await share(store, options);
    const answer = await shared.request(({ session }) =>
      Promise.all([session.update(increment), session.update(increment)]),
    );
    await shared.settled();

    expect(bodyOf(answer)).toEqual([1, 2]);
    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, n: 2 });
  });

  test('the end of the response waits for it', async () => {
    const shared = await share(store, options);
    await shared.request(({ session }) => {
      session.update(increment);
    });

    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, n: 1 });
  });

  test('keeps what the request has changed itself, before, meanwhile and after', async () => {
    const shared = await share(store, options);
    await shared.request(async ({ session }) => {
      session.a = 'before';
      const updated = session.update(increment);
      session.b = 'meanwhile';
      await updated;
      session.c = 'after';
    });
    await shared.settled();

    expect(shared.data()[shared.id]).toEqual({ a: 'before', b: 'meanwhile', c: 'after', n: 1 });
  });

  test('a change made meanwhile is stored even if it is the last', async () => {
    const shared = await share(store, options);
    await shared.request(async ({ session }) => {
      const updated = session.update(increment);
      session.b = 'meanwhile';
      await updated;
    });
    await shared.settled();

    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, b: 'meanwhile', n: 1 });
  });

  test('the function may be asynchronous', async () => {
    const shared = await share(store, options);
    const answer = await shared.request(({ session }) =>
      session.update(async (data: any) => {
        await null;
        data.n = 5;
        return 'done';
      }),
    );

    expect(bodyOf(answer)).toBe('done');
    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, n: 5 });
  });

  test('a function that throws changes nothing', async () => {
    const shared = await share(store, options);
    const answer = await shared.request(async ({ session }) => {
      const update = session.update((data: any) => {
        data.n = 5;
        throw new Error('no');
      });
      return update.catch(({ message }: Error) => [message, session.n]);
    });
    await shared.settled();

    expect(bodyOf(answer)).toEqual(['no', 0]);
    expect(shared.data()[shared.id]).toEqual(INITIAL);
  });

  test('of a session that was destroyed meanwhile rejects, and does not bring it back', async () => {
    const shared = await share(store, options);
    const slow = await shared.begin();
    await shared.request(({ session }) => session.destroy());
    const answer = await slow.finish(({ session }) =>
      session.update(increment).catch(({ name, code }: any) => [name, code]),
    );
    await shared.settled();

    expect(bodyOf(answer)).toEqual(['SteadyError', 'ERR_SESSION_GONE']);
    expect(shared.data()).toEqual({});
  });

  test('that fails tells in its stack who waits for it', async () => {
    const shared = await share(store, options);
    const slow = await shared.begin();
    await shared.request(({ session }) => session.destroy());
    const answer = await slow.finish(async function handlerOfTheApp({ session }) {
      const stacks = [];
      for (const call of [() => session.update(increment), () => session.take('n')]) {
        try {
          await call();
        } catch (error) {
          stacks.push((error as Error).stack);
        }
      }
      return stacks;
    });
    await shared.settled();

    const stack = expect.stringMatching(
      /^SteadyError: the session has been destroyed.*at.* handlerOfTheApp /s,
    );
    expect(bodyOf(answer)).toEqual([stack, stack]);
  });

  test('of a new session stores it, and the client gets its cookie', async () => {
    const shared = await share(store, options);
    const answer = await shared.request(async ({ session }) => {
      await session.regenerate();
      session.req.session.n = 0;
      return session.req.session.update(increment);
    });
    await shared.settled();

    expect(bodyOf(answer)).toBe(1);
    expect(Object.values(shared.data())).toEqual([{ n: 1 }]);
    expect(answer.setCookie).toHaveLength(1);
    const [id] = Object.keys(shared.data());
    expect(decodeURIComponent(answer.setCookie[0]!)).toContain(`s:${id}.`);
  });

  test('take() gives a value to one request only, and removes it', async () => {
    const shared = await share(store, options);
    const requests = await Promise.all(Array.from({ length: 10 }, () => shared.begin()));
    const answers = await Promise.all(
      requests.map((request) => request.finish(({ session }) => session.take('a'))),
    );
    await shared.settled();

    expect(answers.map(bodyOf).filter((value) => value !== undefined)).toEqual(['initial']);
    expect(shared.data()[shared.id]).toEqual({ b: 'initial', n: 0 });
  });

  test('take() of what is not there changes nothing', async () => {
    const shared = await share(store, options);
    const answer = await shared.request(async ({ session }) => [
      (await session.take('nothing')) === undefined,
      (await session.take('toString')) === undefined,
      (await session.take('a')) === 'initial',
      session.a === undefined,
      (await session.take('a')) === undefined,
    ]);

    expect(bodyOf(answer)).toEqual([true, true, true, true, true]);
  });

  test('take() of what this request has put in, and not stored yet', async () => {
    const shared = await share(store, options);
    const answer = await shared.request(async ({ session }) => {
      session.flash = 'hello';
      return session.take('flash');
    });
    await shared.settled();

    expect(bodyOf(answer)).toBe('hello');
    expect(shared.data()[shared.id]).toEqual(INITIAL);
  });
});

test.each(['pass', 'error'] as const)(
  "saveFailure: '%s': a new session whose update() has failed leaves no record that no cookie leads to",
  async (saveFailure) => {
    const shared = await share('text store', { saveFailure });
    const answer = await shared.strange(async ({ session }) => {
      shared.traffic.fail('set', new Error('away'));
      await expect(session.update(increment)).rejects.toThrow('away');
      shared.traffic.repair('set');
    });
    await shared.settled();

    expect(answer.setCookie).toEqual([]);
    expect(Object.values(shared.data())).toEqual([INITIAL]);
  },
);

describe('update(): how it runs', () => {
  test('the function runs again, on fresh data, when another process has written in between', async () => {
    const shared = await share('text store');
    const store = shared.traffic;
    const seen: number[] = [];
    const held = store.hold('set');
    const slow = await shared.begin();
    const answer = slow.finish(({ session }) =>
      session.update((data: any) => {
        seen.push(data.n);
        return ++data.n;
      }),
    );
    await held.reached;
    await shared.request(({ session }) => Object.assign(session, { n: 10 }));
    held.open();

    expect(bodyOf(await answer)).toBe(11);
    expect(seen).toEqual([0, 10]);
    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, n: 11 });
  });

  test('one that changes nothing writes nothing', async () => {
    const shared = await share('text store');
    const answer = await shared.request(({ session }) => session.update((data: any) => data.a));
    await shared.settled();

    expect(bodyOf(answer)).toBe('initial');
    expect(shared.traffic.calls).toEqual(['get', 'get', 'touch']);
  });

  test('one that has stored the session leaves nothing to save at the end', async () => {
    const shared = await share('text store');
    await shared.request(({ session }) => session.update(increment));
    await shared.settled();

    expect(shared.traffic.calls).toEqual(['get', 'get', 'set']); // which has given it its new expiry, too
  });

  test('a reserved name stays data, and hides nothing of the live session', async () => {
    const shared = await share('text store');
    const answer = await shared.request(async ({ session }) => {
      await session.update((data: any) => {
        data.save = 'data';
      });
      return typeof session.save;
    });

    expect(bodyOf(answer)).toBe('function');
    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, save: 'data' });
  });

  test('fails after storeTimeout when the store is silent; the next one is served', async () => {
    const shared = await share('text store', { storeTimeout: 100 });
    const silent = shared.traffic.hold('set');
    const answer = await shared.request(async ({ session }) => {
      const updates = await Promise.allSettled([session.update(increment), session.update(increment)]);
      return updates.map((update) => (update.status === 'rejected' ? update.reason.code : update.value));
    });
    silent.open();

    expect(bodyOf(answer)).toEqual(['ERR_SESSION_STORE_TIMEOUT', 1]);
  });

  test('what the app changes while the function runs is stored at the end', async () => {
    const shared = await share('text store');
    await shared.request(({ session }) =>
      session.update(async (data: any) => {
        data.n++;
        session.b = 'meanwhile';
      }),
    );
    await shared.settled();

    expect(shared.data()[shared.id]).toEqual({ ...INITIAL, b: 'meanwhile', n: 1 });
  });

  test('after regenerate({ keep }) the kept data are moved first', async () => {
    const shared = await share('text store');
    const pending = await shared.begin((req) => req.session.regenerate({ keep: true }));
    const other = await shared.begin();
    const taken = await pending.finish((req) => req.session.take('a'));
    const lost = await other.finish(({ session }) => session.take('a').catch(({ code }: any) => code));
    await shared.settled();

    expect([bodyOf(taken), bodyOf(lost)]).toEqual(['initial', 'ERR_SESSION_GONE']);
    expect(Object.values(shared.data())).toEqual([{ b: 'initial', n: 0 }]);
  });

  test('a store that was silent once serves the same session again', async () => {
    const shared = await share('text store', { storeTimeout: 100 });
    const lost = shared.traffic.hold('set');
    const first = await shared.request(({ session }) =>
      session.update(increment).catch(({ code }: any) => code),
    );
    await lost.reached;
    const second = await shared.request(({ session }) => session.update(increment));

    expect(bodyOf(first)).toBe('ERR_SESSION_STORE_TIMEOUT');
    expect(bodyOf(second)).toBe(1);
    lost.open();
  });

  test('a slow function is not the store’s fault', async () => {
    const shared = await share('text store', { storeTimeout: 50 });
    const started = gate();
    const answer = shared.request(({ session }) =>
      session.update(async (data: any) => {
        started.open();
        await new Promise((resolve) => setTimeout(resolve, 100));
        return ++data.n;
      }),
    );
    await started.opened;

    expect(bodyOf(await answer)).toBe(1);
  });

  test('needs a session that the middleware serves', async () => {
    const shared = await share('callback store');
    const answer = await shared.request(async ({ sessionStore, sessionID }) => {
      const loaded = await new Promise<any>((resolve) =>
        sessionStore.load(sessionID, (_: unknown, found: unknown) => resolve(found)),
      );
      return loaded.update(increment).catch(({ code }: any) => code);
    });

    expect(bodyOf(answer)).toBe('ERR_SESSION_NO_REQUEST');
  });
});

test('of a new session is told as its creation, and the next one as a save', async () => {
  const shared = await share('text store');
  const told: string[] = [];
  for (const name of ['create', 'save'] as const) shared.handler.on(name, () => told.push(name));
  await shared.strange(async ({ session }) => {
    for (const n of [1, 2]) await session.update((data: any) => Object.assign(data, { n }));
  });
  await shared.settled();

  expect(told).toEqual(['create', 'save']);
});
