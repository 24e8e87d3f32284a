import { eventually } from '../support/async.js';
import { gate } from '../support/http.js';
import { closeAll, hangUp, type Site, type SiteOptions, say, startSite, turns } from './support.js';

afterEach(closeAll);

/** A site whose user is logged in and has one socket. */
async function connected(how: SiteOptions = {}) {
  const site = await startSite(how);
  await site.inRequest((req) => Object.assign(req.session, { user: 'ada' }));
  const client = await site.open();
  const { req } = site.opened[0]!;
  site.store.calls.length = 0;
  return { site, client, req };
}

const put = (site: Site, data: object) => site.inRequest((req) => void Object.assign(req.session, data));

describe('while the socket is open', () => {
  test('update() sees and keeps what HTTP requests change', async () => {
    const { site, req } = await connected();
    await put(site, { color: 'red' });
    const seen = await req.session.update((data: any) => {
      data.moves = 1;
      return data.color;
    });

    expect(seen).toBe('red');
    expect(site.store.data()).toEqual([{ user: 'ada', color: 'red', moves: 1 }]);
    expect(req.session.color).toBe('red');
  });

  test('no increment is lost between sockets and requests', async () => {
    const { site, req } = await connected();
    await site.open();
    const add = (data: any) => {
      data.count = (data.count ?? 0) + 1;
    };
    const other = site.opened[1]!.req.session;
    await Promise.all(
      Array.from({ length: 10 }, () => [
        req.session.update(add),
        other.update(add),
        site.inRequest((request) => request.session.update(add)),
      ]).flat(),
    );

    expect(site.store.data()).toEqual([{ user: 'ada', count: 30 }]);
  });

  test('save() merges', async () => {
    const { site, req } = await connected();
    await put(site, { color: 'red' });
    req.session.moves = 1;
    await req.session.save();

    expect(site.store.data()).toEqual([{ user: 'ada', color: 'red', moves: 1 }]);
  });

  test('reload() shows what HTTP requests changed, and only it', async () => {
    const { site, req } = await connected();
    await put(site, { color: 'red' });
    expect(req.session.color).toBeUndefined();
    await req.session.reload();

    expect(req.session.color).toBe('red');
  });

  test('take() gives a value to one only', async () => {
    const { site, req } = await connected();
    await put(site, { token: 't' });
    await site.open();
    const taken = await Promise.all([req.session.take('token'), site.opened[1]!.req.session.take('token')]);

    expect(taken.sort()).toEqual(['t', undefined]);
    expect(site.store.data()).toEqual([{ user: 'ada' }]);
  });

  test.each([
    ['save', (session: any) => session.save()],
    ['update', (session: any) => session.update((data: any) => Object.assign(data, { moves: 1 }))],
    ['take', (session: any) => session.take('user')],
    ['reload', (session: any) => session.reload()],
  ])('%s() never brings back a session that another process has destroyed', async (name, act) => {
    const { site, client, req } = await connected();
    site.store.records.clear();
    req.session.moves = 1;
    const outcome = await act(req.session).then(
      () => 'done',
      (error: any) => error.code ?? error.message,
    );

    const expected = { save: 'done', reload: 'failed to load session' }[name] ?? 'ERR_SESSION_GONE';
    expect(outcome).toBe(expected);
    expect(site.store.records.size).toBe(0);
    expect(await client.closed).toEqual([1008, 'session ended']);
  });

  test('regenerate() is refused: the browser could not be told of the new id', async () => {
    const { site, req } = await connected();

    await expect(req.session.regenerate()).rejects.toMatchObject({
      code: 'ERR_SESSION_NO_RESPONSE',
      message: expect.stringContaining('regenerate it in an HTTP request'),
    });
    expect(site.store.calls).toEqual([]);
  });

  test.each([false, true])(
    'callback stores merge over sockets, too (concurrency left out: %p)',
    async (left) => {
      const { RecordingStore } = await import('./recording-store.js');
      const store = new RecordingStore();
      const { site, req } = await connected({
        options: { store, concurrency: left ? undefined : 'overwrite' },
      });
      await put(site, { color: 'red' });
      req.session.moves = 1;
      await req.session.save();
      expect(store.data()).toEqual([{ user: 'ada', color: 'red', moves: 1 }]);
      store.records.clear();
      req.session.moves = 2;
      await req.session.save();

      expect(store.data()).toEqual([]);
    },
  );
});

describe('messages prolong the session', () => {
  const MINUTE = 60_000;
  const expiry = (site: Site) => [...site.store.records.values()][0]!.expires;

  beforeEach(() => {
    jest.useFakeTimers({
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'setTimeout', 'setInterval'],
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('once a second at most', async () => {
    const { site, client } = await connected({ options: { ttl: 10 * MINUTE } });
    const before = expiry(site);
    jest.setSystemTime(Date.now() + 999);
    await say(site, client);
    await turns();
    expect(site.store.calls).toEqual([]);
    jest.setSystemTime(Date.now() + 5 * MINUTE);
    for (let n = 0; n < 5; n++) await say(site, client);
    await turns();

    expect(site.store.calls).toEqual(['get', 'touch']);
    expect(expiry(site) - before).toBeGreaterThanOrEqual(5 * MINUTE);
  });

  test('throttled by touchAfter', async () => {
    const { site, client } = await connected({ options: { ttl: 60 * MINUTE, touchAfter: 10 * MINUTE } });
    jest.setSystemTime(Date.now() + 9 * MINUTE);
    await say(site, client);
    await turns();
    expect(site.store.calls).toEqual([]);
    jest.setSystemTime(Date.now() + 2 * MINUTE);
    await say(site, client);
    await turns();

    expect(site.store.calls).toEqual(['get', 'touch']);
  });

  test('unless the option `touch` says no', async () => {
    const { site, client } = await connected({ options: { touch: () => false } });
    jest.setSystemTime(Date.now() + 5 * MINUTE);
    await say(site, client);
    await turns();

    expect(site.store.calls).toEqual([]);
  });

  test('a failure to prolong is reported, and the socket stays', async () => {
    const { site, client } = await connected();
    const told: unknown[] = [];
    site.sessions.on('error', ({ error }) => told.push(error));
    site.store.failure = new Error('down');
    jest.setSystemTime(Date.now() + 5 * MINUTE);
    await say(site, client);
    await turns();

    expect(told).toEqual([site.store.failure]);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  test('a session that others have prolonged is not shortened, or lost, by a save over an old socket', async () => {
    const { site, req } = await connected({ options: { ttl: undefined, cookie: { maxAge: 10 * MINUTE } } });
    jest.setSystemTime(Date.now() + 9 * MINUTE);
    await site.inRequest(() => {});
    jest.setSystemTime(Date.now() + 9 * MINUTE); // the cookie that the socket came with is over
    await req.session.update((data: any) => Object.assign(data, { moves: 1 }));
    expect(site.store.data()).toEqual([{ user: 'ada', moves: 1 }]);
    expect(expiry(site)).toBe(Date.now() + 10 * MINUTE);

    jest.setSystemTime(Date.now() + 9 * MINUTE);
    await site.inRequest(() => {});
    jest.setSystemTime(Date.now() + 9 * MINUTE);
    await req.session.reload();
    req.session.moves = 2;
    await req.session.save();
    expect(site.store.data()).toEqual([{ user: 'ada', moves: 2 }]);
  });
});

describe('when the socket closes', () => {
  test("what the app's close handlers change is stored, merged", async () => {
    const { site, client, req } = await connected();
    site.opened[0]!.client.on('close', async () => {
      await null;
      req.session.left = true;
    });
    await put(site, { color: 'red' });
    await hangUp(site, client);

    expect(site.store.data()).toEqual([{ user: 'ada', color: 'red', left: true }]);
  });

  describe('what a close handler changes after it has waited for something', () => {
    /** Closes a socket whose handler waits for a gate, while nothing else happens to its session any more. */
    async function waiting(how: SiteOptions, act: (session: any) => unknown) {
      const { site, client, req } = await connected(how);
      const asked = gate();
      const outcome = new Promise((resolve) => {
        site.opened[0]!.client.on('close', async () => {
          req.session.early = true;
          await asked.opened;
          req.session.left = true;
          resolve(Promise.resolve(act(req.session)).catch((error: any) => error.code));
        });
      });
      await put(site, { color: 'red' });
      await hangUp(site, client);
      const withData = site.store.data().filter((data: object) => Object.keys(data).length > 0); // a pointer has none
      expect(withData).toEqual([{ user: 'ada', color: 'red', early: true }]);
      const settle = async () => {
        asked.open();
        const result = await outcome;
        await turns();
        return result;
      };
      return { site, settle };
    }

    test.each<[string, (session: any) => unknown, object]>([
      ['its save()', (session) => session.save(), { left: true }],
      [
        'its update()',
        (session) => session.update((data: any) => Object.assign(data, { moves: 1 })),
        { left: true, moves: 1 },
      ],
    ])('is stored by %s, merged', async (_, act, change) => {
      const { site, settle } = await waiting({}, act);
      await put(site, { color: 'blue' });
      await settle();

      expect(site.store.data()).toEqual([{ user: 'ada', color: 'blue', early: true, ...change }]);
    });

    test('is not, without that', async () => {
      const { site, settle } = await waiting({}, () => {});
      await settle();

      expect(site.store.data()).toEqual([{ user: 'ada', color: 'red', early: true }]);
    });

    test.each<[string, (session: any) => unknown, unknown]>([
      ['save()', (session) => session.save(), undefined],
      ['update()', (session) => session.update(() => {}), 'ERR_SESSION_GONE'],
    ])('brings no session back that has been ended meanwhile: %s', async (_, act, result) => {
      const { site, settle } = await waiting({}, act);
      await site.inRequest((req) => void req.session.destroy());

      expect(await settle()).toBe(result);
      expect(site.store.records.size).toBe(0);
    });

    test('goes along with an id that was rotated meanwhile', async () => {
      const options = { rotateAfter: 10, rotateGrace: 3_600_000 };
      const { site, settle } = await waiting({ options }, (session) => session.save());
      const before = site.cookie();
      await eventually(async () => {
        await site.inRequest(() => {});
        return site.cookie() === before ? undefined : true;
      });
      await settle();
      const answer = await site.inRequest((req) => (req.session as any).left);

      expect(answer.body).toBe('true');
    });
  });

  test('what was changed while it was open is stored', async () => {
    const { site, client, req } = await connected();
    req.session.moves = 3;
    delete req.session.user;
    await hangUp(site, client);

    expect(site.store.data()).toEqual([{ moves: 3 }]);
  });

  test.each([
    ['at all', async () => {}],
    ['since save()', async (session: any) => session.save(Object.assign(session, { moves: 1 }) && undefined)],
    [
      'since update()',
      async (session: any) => session.update((data: any) => Object.assign(data, { moves: 1 })),
    ],
    ['since reload()', async (session: any) => session.reload()],
    ['since an update() that only read', async (session: any) => session.update(() => {})],
  ])('nothing is written if nothing has changed %s', async (_, act) => {
    const { site, client, req } = await connected();
    await put(site, { color: 'red' });
    await act(req.session);
    site.store.calls.length = 0;
    await hangUp(site, client);

    expect(site.store.calls).toEqual([]);
  });

  test('a socket that was opened before the login leaves the login alone', async () => {
    const site = await startSite();
    await put(site, { cart: ['tea'] });
    const client = await site.open();
    await site.inRequest(async (req: any) => {
      await req.session.regenerate({ keep: true });
      req.session.user = 'ada';
    });
    site.opened[0]!.req.session.seen = 1;
    await hangUp(site, client);

    expect(site.store.data()).toEqual([{ cart: ['tea'], user: 'ada', seen: 1 }]);
  });

  test('a socket that was opened without a session leaves a later login alone', async () => {
    const site = await startSite();
    const client = await site.open();
    await put(site, { user: 'ada' });
    site.opened[0]!.req.session.seen = 1;
    await hangUp(site, client);

    expect(site.store.data()).toEqual([{ user: 'ada' }]); // its own session has no cookie, so nobody could reach it
  });

  test('a session that was logged out by another process is not brought back', async () => {
    const { site, client, req } = await connected();
    site.store.records.clear();
    const dropped: unknown[] = [];
    site.sessions.on('interrupted', ({ keys }) => dropped.push(keys));
    req.session.moves = 1;
    await hangUp(site, client);

    expect(site.store.records.size).toBe(0);
    expect(dropped).toEqual([['moves']]);
  });

  test('a store that fails is reported by an event', async () => {
    const { site, client, req } = await connected();
    const told: unknown[] = [];
    site.sessions.on('error', ({ error }) => told.push(error));
    req.session.moves = 1;
    site.store.failure = new Error('down');
    await hangUp(site, client);

    expect(await eventually(() => told[0])).toBe(site.store.failure);
    expect(told).toHaveLength(1);
  });

  test.each([false, true])(
    'what is put in after clear() is stored nowhere; storeUnreachable: %p',
    async (storeUnreachable) => {
      const { site, client, req } = await connected({ options: { storeUnreachable } });
      req.session.clear();
      req.session.user = 'bob';

      expect(await client.closed).toEqual([1008, 'session ended']);
      await turns();
      expect(site.store.records.size).toBe(0);
    },
  );
});
