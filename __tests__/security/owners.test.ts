import { createHash } from 'node:crypto';
import { unsign } from '../../lib/cookies/signature.js';
import session from '../../lib/index.js';
import { collect } from '../support/async.js';
import { Browser, type Gate, gate } from '../support/http.js';
import { baseOptions } from '../support/lifecycle.js';
import { closeSites, type Handler, serve } from '../support/sites.js';
import { stopClock } from './clock.js';

const HOUR = 3_600_000;

afterEach(async () => {
  jest.useRealTimers();
  await closeSites();
});

/** A store of text that can list, with nothing else than the contract asks for. */
class ListingStore implements session.SessionStore {
  readonly inner = new session.MemoryStore();
  get = (id: string) => this.inner.get(id);
  set = (id: string, text: string, how: session.SetOptions) => this.inner.set(id, text, how);
  touch = (id: string, expires: number) => this.inner.touch(id, expires);
  destroy = (id: string, ..._owner: [string?]) => this.inner.destroy(id);
  ids = () => this.inner.ids();
}

/** The same with an index. */
class IndexedStore extends ListingStore {
  readonly owners = new Map<string, Set<string>>();
  override set = (id: string, text: string, how: session.SetOptions) => {
    if (how.owner !== undefined) {
      this.owners.set(how.owner, (this.owners.get(how.owner) ?? new Set()).add(id));
    }
    return this.inner.set(id, text, how);
  };
  async *owned(owner: string): AsyncGenerator<session.OwnedRecord> {
    for (const id of [...(this.owners.get(owner) ?? [])]) {
      const value = await this.get(id);
      if (value !== undefined)
        yield {
          key: id,
          value,
          matches: (other) => other === id,
          destroy: (...to) => this.destroy(id, ...to),
        };
    }
  }
}

/** A callback store that can list by `ids`, as connect-redis does. */
class CallbackListingStore extends session.Store {
  readonly records = new Map<string, string>();
  get(id: string, callback: (error?: any, data?: any) => void): void {
    const text = this.records.get(id);
    setImmediate(callback, null, text === undefined ? undefined : JSON.parse(text));
  }
  set(id: string, data: object, callback: () => void = () => {}): void {
    this.records.set(id, JSON.stringify(data));
    setImmediate(callback);
  }
  destroy(id: string, callback: () => void = () => {}): void {
    this.records.delete(id);
    setImmediate(callback);
  }
  ids(callback: (error: any, ids: string[]) => void): void {
    setImmediate(callback, null, [...this.records.keys()]);
  }
}

const KEY = Buffer.alloc(32, 7);
const makers: [string, () => session.SessionOptions['store']][] = [
  ['MemoryStore', () => new session.MemoryStore()],
  ['a store that lists', () => new ListingStore()],
  ['a store with an index', () => new IndexedStore()],
  ['a callback store that lists', () => new CallbackListingStore()],
  ['hashIds', () => session.hashIds(new IndexedStore())],
  ['encrypt', () => session.encrypt(new IndexedStore(), KEY)],
  ['encrypt of a store that only lists', () => session.encrypt(new ListingStore(), KEY)],
  ['encrypt of a MemoryStore', () => session.encrypt(new session.MemoryStore(), KEY)],
  ['hashIds of encrypt', () => session.hashIds(session.encrypt(new IndexedStore(), KEY))],
];

const pages: Handler = async (req, res) => {
  const { pathname, searchParams } = new URL(req.url, 'http://localhost');
  if (pathname === '/login') {
    await req.session.regenerate();
    req.session.userId = Number(searchParams.get('id'));
  }
  if (pathname === '/renew') await req.session.regenerate({ keep: true });
  if (pathname === '/logout') await req.session.destroy();
  if (pathname === '/note') req.session.note = searchParams.get('text');
  const { cookie: _, ...data } = req.session ?? {};
  res.end(JSON.stringify({ id: req.session?.id, data }));
};

async function open(
  store: session.SessionOptions['store'],
  more: session.SessionOptions = {},
  app: Handler = pages,
) {
  const handler = session({ ...baseOptions, store, owner: 'userId', ...more });
  const site = await serve('node:http', [handler, app]);
  const login = async (userId: number) => {
    const browser = new Browser(site);
    await browser.get(`/login?id=${userId}`);
    return browser;
  };
  return { handler, site, login };
}

const ask = async (browser: Browser, path = '/look') => JSON.parse((await browser.get(path)).body);
const dataOf = async (handler: session.SessionHandler, owner: string | number) =>
  (await collect(handler.of(owner))).map(({ data }) => data);

test.each([
  [undefined, 'undefined'],
  [null, 'null'],
  ['', '""'],
  [true, 'true (boolean)'],
  [Number.NaN, 'NaN (number)'],
  [{ id: 7 }, 'an object (Object)'],
])('an owner that is %j is an error, not a user of that name', async (owner: any, described) => {
  const { handler } = await open(new session.MemoryStore());
  const text = `the owner must be a number or a string that is not empty; got ${described}`;

  expect(() => handler.revoke(owner)).toThrow(new TypeError(`revoke(): ${text}`));
  expect(() => handler.of(owner)).toThrow(new TypeError(`of(): ${text}`));
});

test.each([
  [{ exept: 'id' }, '{ exept: a string }'],
  [{ except: 7 }, '{ except: 7 (number) }'],
  ['id', 'a string'],
])('revoke(7, %j) is an error: it would end the session that asks', async (how: any, described) => {
  const { handler } = await open(new session.MemoryStore());
  const text = 'revoke(): the second argument must be { except: the id of a session }; got ';

  expect(() => handler.revoke(7, how)).toThrow(new TypeError(text + described));
  expect(await handler.revoke(7, { except: undefined } as any)).toBe(0);
});

describe.each(makers)('%s', (_, make) => {
  test('of() gives the user’s sessions and no others', async () => {
    const { handler, login } = await open(make());
    const [phone, laptop] = [await login(7), await login(7)];
    await login(70);
    await ask(phone, '/note?text=phone');
    await ask(laptop, '/note?text=laptop');

    const notes = (await dataOf(handler, 7)).map((data) => [data['userId'], data['note']]).sort();
    expect(notes).toEqual([
      [7, 'laptop'],
      [7, 'phone'],
    ]);
    expect(await dataOf(handler, '70')).toEqual([{ userId: 70 }]);
    expect(await dataOf(handler, 8)).toEqual([]);
  });

  test('revoke() ends all but the one to keep, and tells how many', async () => {
    const { handler, login } = await open(make());
    const [here, there, elsewhere, other] = [await login(7), await login(7), await login(7), await login(8)];
    const { id } = await ask(here);

    expect(await handler.revoke(7, { except: id })).toBe(2);
    expect((await ask(here)).data).toEqual({ userId: 7 });
    expect([(await ask(there)).data, (await ask(elsewhere)).data]).toEqual([{}, {}]);
    expect((await ask(other)).data).toEqual({ userId: 8 });
    expect(await handler.revoke('7')).toBe(1);
    expect((await ask(here)).data).toEqual({});
    expect(await handler.revoke(7)).toBe(0);
  });

  test('one listed session is ended by its own revoke()', async () => {
    const { handler, login } = await open(make());
    const [phone, laptop] = [await login(7), await login(7)];
    await ask(phone, '/note?text=phone');
    for await (const each of handler.of(7)) if (each.data['note'] === 'phone') await each.revoke();

    expect((await ask(phone)).data).toEqual({});
    expect((await ask(laptop)).data).toEqual({ userId: 7 });
  });

  test('the handle stays the same from listing to listing, and is neither the id nor usable as one', async () => {
    const { handler, login, site } = await open(make());
    const browser = await login(7);
    const { id } = await ask(browser);
    const [[first], [second]] = [await collect(handler.of(7)), await collect(handler.of(7))];

    expect(first?.handle).toMatch(/^[\w-]{22}$/);
    expect(second?.handle).toBe(first?.handle);
    expect(JSON.stringify(first)).not.toContain(id);
    const forged = { cookie: `connect.sid=s:${first?.handle}` };
    expect(JSON.parse((await new Browser(site).get('/look', { headers: forged })).body).data).toEqual({});
  });

  test('logging in anew and logging out leave no session behind in the listing', async () => {
    const { handler, login } = await open(make());
    const browser = await login(7);
    await browser.get('/login?id=7');
    expect(await dataOf(handler, 7)).toEqual([{ userId: 7 }]);
    await browser.get('/login?id=8');
    expect([await dataOf(handler, 7), await dataOf(handler, 8)]).toEqual([[], [{ userId: 8 }]]);
    await browser.get('/logout');
    expect(await dataOf(handler, 8)).toEqual([]);
  });

  test('the owner may be a function of the data', async () => {
    const seen: string[][] = [];
    const owner = (data: any) => {
      seen.push(Object.keys(data));
      return data.userId === undefined ? undefined : `user ${data.userId}`;
    };
    const { handler, login } = await open(make(), { owner });
    await login(7);

    expect(await dataOf(handler, 'user 7')).toEqual([{ userId: 7 }]);
    expect(seen.flat()).not.toContain('cookie');
  });

  test('a rotated session is listed once, and ended under its new id', async () => {
    const clock = stopClock();
    const { handler, login } = await open(make(), { rotateAfter: HOUR, concurrency: 'merge' });
    const browser = await login(7);
    clock.pass(HOUR);
    const before = browser.cookie('connect.sid');
    await ask(browser);
    expect(browser.cookie('connect.sid')).not.toBe(before);

    expect(await dataOf(handler, 7)).toEqual([{ userId: 7 }]);
    expect(await handler.revoke(7)).toBe(1);
    expect((await ask(browser)).data).toEqual({});
  });
});

const knowIds = makers.filter(([name]) => !name.includes('hashIds'));

test.each(knowIds)(
  '%s: a session whose id is rotated after the listing is ended by its own revoke()',
  async (_, make) => {
    const clock = stopClock();
    const { handler, login } = await open(make(), { rotateAfter: HOUR, concurrency: 'merge' });
    const browser = await login(7);
    const [listed] = await collect(handler.of(7));
    clock.pass(HOUR);
    const before = browser.cookie('connect.sid');
    await ask(browser);
    expect(browser.cookie('connect.sid')).not.toBe(before);
    await listed!.revoke();

    expect((await ask(browser)).data).toEqual({});
    expect(await dataOf(handler, 7)).toEqual([]);
  },
);

test('createdAt and expiresAt are those of the session', async () => {
  const clock = stopClock();
  const { handler, login } = await open(new session.MemoryStore(), {
    absoluteTimeout: HOUR,
    cookie: { maxAge: HOUR / 2 },
  });
  await login(7);
  const [listed] = await collect(handler.of(7));

  expect(listed).toMatchObject({
    createdAt: new Date(clock.now()),
    expiresAt: new Date(clock.now() + HOUR / 2),
  });
});

test('with a cookie that ends with the browser there is no expiresAt, and without an option that needs it no createdAt', async () => {
  const { handler, login } = await open(new session.MemoryStore());
  await login(7);
  const [listed] = await collect(handler.of(7));

  expect([listed?.createdAt, listed?.expiresAt]).toEqual([undefined, undefined]);
});

test('a session that is revoked in the midst of a request is not stored again by it', async () => {
  const doors: { reached: Gate; opened: Gate } = { reached: gate(), opened: gate() };
  const slow: Handler = async (req, res, next) => {
    if (req.url !== '/slow') return pages(req, res, next);
    req.session.note = 'late';
    doors.reached.open();
    await doors.opened.opened;
    return res.end('done');
  };
  const { handler, login } = await open(new session.MemoryStore(), {}, slow);
  const browser = await login(7);
  const answer = browser.get('/slow');
  await doors.reached.opened;
  expect(await handler.revoke(7)).toBe(1);
  doors.opened.open();
  await answer;

  expect(await dataOf(handler, 7)).toEqual([]);
  expect((await ask(browser)).data).toEqual({});
});

test.each<[string, () => ListingStore]>([
  ['only lists', () => new ListingStore()],
  ['has an index', () => new IndexedStore()],
])(
  'a session that gets another id by regenerate() after a store that %s has listed it is revoked, too',
  async (_, make) => {
    const store = make();
    const { handler, login } = await open(store);
    const browser = await login(7);
    const { get, ids } = store;
    store.ids = async function* () {
      yield* await collect(ids());
    } as typeof ids;
    store.get = async (id) => {
      store.get = get;
      await browser.get('/renew'); // the id has been listed
      return get(id);
    };

    expect(await handler.revoke(7)).toBe(1);
    expect(store.get).toBe(get);
    expect((await ask(browser)).data).toEqual({});
    expect(await dataOf(handler, 7)).toEqual([]);
  },
);

test.each<[string, session.SessionOptions, unknown[]]>([
  ['without an index', {}, []],
  ['with an index', {}, ['7']],
  ['with an index, ids being rotated', { rotateAfter: HOUR }, ['7']],
  ['with an index, where the last write wins', { concurrency: 'overwrite' }, []],
  ['with an index, that compares and writes in two steps', {}, []],
])(
  'a store %s is told whose the session was only if the index may forget it',
  async (name, options, owner) => {
    const store = name === 'without an index' ? new ListingStore() : new IndexedStore();
    if (name.includes('two steps')) Object.assign(store, { atomic: false });
    const told: unknown[][] = [];
    store.destroy = (id, ...more) => {
      told.push(more);
      return store.inner.destroy(id);
    };
    const { set } = store;
    store.set = async (id, text, how) => {
      if (how.expires === 0) told.push('owner' in how ? [how.owner] : []);
      return set(id, text, how);
    };
    const { handler, login } = await open(store, options);
    for (const _ of [1, 2]) await login(7);
    const [first] = await collect(handler.of(7));
    await first!.revoke();
    await handler.revoke(7);
    for (const path of ['/renew', '/logout']) await ask(await login(7), path);

    expect(told.length).toBeGreaterThanOrEqual(4);
    expect(told).toStrictEqual(told.map(() => owner));
  },
);

test('so it is where what regenerate({ keep }) has made is taken back, since the old session was ended meanwhile', async () => {
  const store = new IndexedStore();
  const { handler, login } = await open(store);
  const browser = await login(7);
  const { set, inner } = store;
  store.set = async (id, text, how) => {
    if (how.expires > 0) return set(id, text, how);
    await inner.destroy(id);
    throw new Error('lost');
  };
  const destroy = jest.spyOn(store, 'destroy');
  await browser.get('/renew');

  expect(destroy.mock.calls).toEqual([[expect.any(String), '7']]);
  expect(await dataOf(handler, 7)).toEqual([]);
});

test('a listing that is out of date ends no session twice', async () => {
  const store = new IndexedStore();
  const { handler, login } = await open(store);
  for (const _ of [1, 2]) await login(7);
  const destroyed: string[] = [];
  handler.on('destroy', ({ session: id }) => destroyed.push(id));
  const found = await collect(store.owned('7'));
  store.owned = async function* () {
    for (const record of found) yield { ...record, destroy: async () => {} };
  };

  expect(await handler.revoke(7)).toBe(2);
  expect(new Set(destroyed).size).toBe(2);
  expect(destroyed).toHaveLength(2);
});

test('where the last write wins, a session that comes back while revoke() is at work is ended again, and counted once', async () => {
  const store = new ListingStore();
  const [loaded, revoked] = [gate(), gate()];
  const app: Handler = async (req, res, next) => {
    if (req.url !== '/slow') return pages(req, res, next);
    req.session.note = 'late';
    loaded.open();
    await revoked.opened;
    return res.end();
  };
  const { handler, login } = await open(store, { concurrency: 'overwrite' }, app);
  const browser = await login(7);
  const told = jest.fn();
  handler.on('destroy', told);
  const answer = browser.get('/slow');
  await loaded.opened;
  const { ids } = store;
  let listings = 0;
  store.ids = async function* () {
    if (++listings === 2) {
      revoked.open();
      await answer;
    }
    yield* ids();
  } as typeof ids;

  expect(await handler.revoke(7)).toBe(1);
  expect((await ask(browser)).data).toEqual({});
  expect(told).toHaveBeenCalledTimes(1);
});

test('a session whose id is rotated twice after the listing is found', async () => {
  const clock = stopClock();
  const store = new ListingStore();
  const { handler, login } = await open(store, { rotateAfter: HOUR, rotateGrace: 3 * HOUR });
  const browser = await login(7);
  const { ids } = store;
  store.ids = async function* () {
    const before = await collect(ids());
    store.ids = ids;
    for (const _ of [1, 2]) {
      clock.pass(HOUR);
      await ask(browser); // rotates
    }
    yield* before;
  } as typeof ids;

  expect(await dataOf(handler, 7)).toEqual([{ userId: 7 }]);
  expect(await handler.revoke(7)).toBe(1);
  expect((await ask(browser)).data).toEqual({});
});

test('expiresAt of a session that was merely touched since is not a time that has passed', async () => {
  const clock = stopClock();
  const { handler, login } = await open(new ListingStore(), { cookie: { maxAge: HOUR } });
  const browser = await login(7);
  const end = new Date(clock.now() + HOUR);
  clock.pass(HOUR / 2);
  await ask(browser);
  expect(await collect(handler.of(7))).toMatchObject([{ expiresAt: end }]);
  clock.pass(HOUR - 1);
  expect(await collect(handler.of(7))).toMatchObject([{ expiresAt: undefined, data: { userId: 7 } }]);
});

test('a rotation between the listing and the look at the record does not hide the session', async () => {
  const clock = stopClock();
  const store = new ListingStore();
  const { handler, login } = await open(store, { rotateAfter: HOUR });
  const browser = await login(7);
  clock.pass(HOUR);
  const { ids } = store;
  store.ids = async function* () {
    const before = await collect(ids());
    await ask(browser); // rotates
    yield* before;
  } as typeof ids;

  expect(await handler.revoke(7)).toBe(1);
  expect((await ask(browser)).data).toEqual({});
});

test('a rotation between the look at the record and its end does not save the session', async () => {
  const clock = stopClock();
  const store = new ListingStore();
  const { handler, login } = await open(store, { rotateAfter: HOUR });
  const browser = await login(7);
  clock.pass(HOUR);
  const { destroy } = store;
  store.destroy = async (id) => {
    store.destroy = destroy;
    await ask(browser); // rotates
    await destroy(id);
  };

  expect(await handler.revoke(7)).toBe(1); // the record is marked by then, and so the rotation gives up
  expect((await ask(browser)).data).toEqual({});
  expect(await collect(store.ids())).toEqual([]);
});

test('the session that is to stay does so under whatever id it has by then', async () => {
  const clock = stopClock();
  for (const make of [() => new ListingStore(), () => session.hashIds(new IndexedStore())]) {
    const { handler, login } = await open(make(), { rotateAfter: HOUR });
    const [browser, other] = [await login(7), await login(7)];
    const { id } = await ask(browser);
    clock.pass(HOUR);
    await ask(browser); // rotates
    expect((await ask(browser)).id).not.toBe(id);

    expect(await handler.revoke(7, { except: id })).toBe(1);
    expect((await ask(browser)).data).toEqual({ userId: 7 });
    expect((await ask(other)).data).toEqual({});
  }
});

test('what a rotation that failed has left is not spared for long', async () => {
  const clock = stopClock();
  const store = new ListingStore();
  const { handler, login } = await open(store, { rotateAfter: HOUR, storeTimeout: 1000 });
  const browser = await login(7);
  const { id } = await ask(browser);
  clock.pass(HOUR);
  const { set } = store;
  store.set = async (...call) => {
    if (call[1].includes('"movedAt"')) throw new Error('connection lost');
    return set.apply(store, call);
  };
  await ask(browser);
  store.set = set;
  expect(await collect(store.ids())).toHaveLength(2);

  clock.pass(8000); // it may be under way until then
  expect(await handler.revoke(7, { except: id })).toBe(0);
  clock.pass(1);
  expect(await handler.revoke(7, { except: id })).toBe(1);
  expect(await collect(store.ids())).toEqual([id]);
});

test('it stays also once it has been written again, and tells nothing of its former id', async () => {
  const clock = stopClock();
  for (const make of [() => new ListingStore(), () => session.hashIds(new IndexedStore())]) {
    const { handler, login } = await open(make(), { rotateAfter: HOUR });
    const browser = await login(7);
    const { id } = await ask(browser);
    clock.pass(HOUR);
    await ask(browser); // rotates
    await ask(browser, '/note?text=later');

    expect(await handler.revoke(7, { except: id })).toBe(0);
    expect((await ask(browser)).data).toEqual({ userId: 7, note: 'later' });
  }
});

test('another one that has been rotated, too, does not pass for it', async () => {
  const clock = stopClock();
  for (const make of [() => new ListingStore(), () => session.hashIds(new IndexedStore())]) {
    const { handler, login } = await open(make(), { rotateAfter: HOUR });
    const [browser, other] = [await login(7), await login(7)];
    const { id } = await ask(browser);
    clock.pass(HOUR);
    for (const each of [browser, other]) await ask(each); // rotates

    expect(await handler.revoke(7, { except: id })).toBe(1);
    expect((await ask(browser)).data).toEqual({ userId: 7 });
    expect((await ask(other)).data).toEqual({});
  }
});

test('nor is it ended while it is being rotated, and nothing leads from its id to the new one yet', async () => {
  const clock = stopClock();
  for (const [inner, wrap] of [
    [new ListingStore(), (store: ListingStore) => store],
    [new IndexedStore(), session.hashIds],
  ] as const) {
    const { handler, login } = await open(wrap(inner), { rotateAfter: HOUR });
    const [browser, other] = [await login(7), await login(7)];
    const { id } = await ask(browser);
    for (const _ of ['once', 'and once more']) {
      clock.pass(HOUR);
      const [reached, revoked] = [gate(), gate()];
      const { set } = inner;
      inner.set = async (...call) => {
        if (call[1].includes('"movedAt"')) {
          reached.open();
          await revoked.opened;
        }
        return set(...call);
      };
      const answer = ask(browser);
      await reached.opened;
      await handler.revoke(7, { except: id });
      revoked.open();
      await answer;
      inner.set = set;
      expect((await ask(browser)).data).toEqual({ userId: 7 });
    }
    expect((await ask(browser)).id).not.toBe(id);
    expect((await ask(other)).data).toEqual({});
    expect(await handler.revoke(7)).toBe(1);
  }
});

test('nor where the listing has missed the new id, and the store keeps no ids', async () => {
  const clock = stopClock();
  const inner = new IndexedStore();
  const { handler, login } = await open(session.hashIds(inner), { rotateAfter: HOUR });
  const browser = await login(7);
  clock.pass(HOUR);
  const { owned } = inner;
  let listings = 0;
  inner.owned = async function* (owner) {
    listings++;
    const before = listings === 1 ? [...inner.owners.get(owner)!] : undefined;
    if (before) await ask(browser); // rotates
    for await (const found of owned.call(inner, owner)) if (before?.includes(found.key) ?? true) yield found;
  };

  expect(await dataOf(handler, 7)).toEqual([{ userId: 7 }]);
  expect(listings).toBe(2); // the first time there was a pointer
  listings = 0;
  clock.pass(HOUR);
  expect(await handler.revoke(7)).toBe(1);
  expect((await ask(browser)).data).toEqual({});
});

describe('revoke() tells of each session that it destroys', () => {
  test.each(makers)('%s', async (_, make) => {
    const { handler, login } = await open(make());
    const browsers = [await login(7), await login(7), await login(8)];
    const ids: string[] = [];
    for (const browser of browsers) ids.push((await ask(browser)).id);
    const told: session.SessionEvent[] = [];
    handler.on('destroy', (event) => told.push(event));
    const hash = (id: string) => createHash('sha256').update(id).digest('hex').slice(0, 12);

    expect(await handler.revoke(7, { except: ids[0]! })).toBe(1);
    expect(told).toEqual([{ session: hash(ids[1]!), duration: expect.any(Number) }]);
    for await (const one of handler.of(8)) await one.revoke();
    expect(told.map((event) => event.session)).toEqual([hash(ids[1]!), hash(ids[2]!)]);
  });

  test('and of none that the store has failed to destroy', async () => {
    const store = new ListingStore();
    const { handler, login } = await open(store);
    await login(7);
    const told: session.SessionEvent[] = [];
    handler.on('destroy', (event) => told.push(event));
    const failure = new Error('down');
    store.destroy = () => Promise.reject(failure);

    await expect(handler.revoke(7)).rejects.toBe(failure);
    expect(told).toEqual([]);
  });
});

test('without the option owner, both say what is missing', async () => {
  const handler = session({ ...baseOptions, store: new session.MemoryStore() });
  await expect(collect(handler.of(7))).rejects.toMatchObject({ code: 'ERR_SESSION_NO_OWNER' });
  await expect(handler.revoke(7)).rejects.toMatchObject({ code: 'ERR_SESSION_NO_OWNER' });
});

test('a store that can neither list nor find says so', async () => {
  const { ids: _, ...rest } = new ListingStore();
  const { handler } = await open(rest as session.SessionStore);
  await expect(handler.revoke(7)).rejects.toMatchObject({
    code: 'ERR_SESSION_NOT_LISTABLE',
    message: expect.stringContaining('`ids()` or `owned()`'),
  });
});

test('stored records that are no sessions, or name their owner by a prototype, are passed over', async () => {
  const store = new session.MemoryStore();
  const expires = Date.now() + HOUR;
  const texts = [
    '',
    '{',
    '[]',
    '7',
    '{"userId":7}',
    '{"cookie":{},"__proto__":{"userId":7}}',
    '{"cookie":{},"userId":{"a":7}}',
  ];
  for (const [n, text] of texts.entries()) await store.set(`${n}`, text, { expires });
  const { handler } = await open(store);

  expect(await dataOf(handler, 7)).toEqual([]);
  const inherited = await open(store, { owner: 'constructor' });
  expect(await dataOf(inherited.handler, String(Object))).toEqual([]);
});

test('the id of a listed session is what its cookie has signed, and appears nowhere in the listing', async () => {
  const { handler, login } = await open(session.hashIds(new IndexedStore()));
  const browser = await login(7);
  const value = decodeURIComponent(browser.cookie('connect.sid') as string);
  const id = unsign(value.slice(2), ['keyboard cat'])?.value as string;
  const { id: seen } = await ask(browser);

  expect(id).toBe(seen);
  expect(JSON.stringify(await collect(handler.of(7)))).not.toContain(id);
});

describe('the option owner as a function that throws for some', () => {
  const owner = (data: any) => data.user.id;
  const app: Handler = (req, res) => {
    const { pathname, searchParams } = new URL(req.url, 'http://localhost');
    if (pathname === '/login') req.session.user = { id: searchParams.get('id') };
    else req.session.visits = (req.session.visits ?? 0) + 1;
    res.end(String(req.session.visits));
  };

  test.each(makers)(
    '%s: all sessions are stored, the others found, and an error is told of',
    async (_, make) => {
      const { handler, site, login } = await open(make(), { owner }, app);
      const errors: any[] = [];
      handler.on('error', ({ error }) => errors.push(error));
      const stranger = new Browser(site);
      const user = await login(7);
      expect([(await stranger.get('/')).body, (await stranger.get('/')).body]).toEqual(['1', '2']);
      await site.settled();

      expect(await dataOf(handler, '7')).toEqual([{ user: { id: '7' } }]);
      expect(await handler.revoke('7')).toBe(1);
      expect([(await user.get('/')).body, (await stranger.get('/')).body]).toEqual(['1', '3']);
      expect(errors[0]).toMatchObject({ code: 'ERR_SESSION_OWNER', cause: expect.any(TypeError) });
      expect(errors[0].message).toMatch(
        /^the option owner threw, so that nobody finds this session by its owner: Cannot read prop/,
      );
    },
  );
});

describe('a store that is silent in the middle of a listing', () => {
  const TIMEOUT = 200;
  const failure = {
    code: 'ERR_SESSION_STORE_TIMEOUT',
    message: expect.stringContaining(`did not list a session within ${TIMEOUT} ms`),
  };
  const silent = () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) });
  const listedBy = (part: object) => {
    const store = Object.assign(new ListingStore(), part);
    return session({ ...baseOptions, store, owner: 'user', storeTimeout: TIMEOUT });
  };

  test.each(['ids', 'owned'])('%s(): of() and revoke() fail, and wait no longer', async (method) => {
    const sessions = listedBy({ [method]: silent });
    await expect(collect(sessions.of('ada'))).rejects.toMatchObject(failure);
    await expect(sessions.revoke('ada')).rejects.toMatchObject(failure);
  });

  test('a record that is not destroyed in time', async () => {
    const value = JSON.stringify({ cookie: {}, user: 'ada' });
    const destroy = () => new Promise(() => {});
    const sessions = listedBy({
      async *owned() {
        yield { key: 'id', value, matches: (id: string) => id === 'id', destroy };
      },
    });
    await expect(sessions.revoke('ada')).rejects.toMatchObject({ code: failure.code });
  });

  test('a record that says nothing when it is destroyed', async () => {
    const value = JSON.stringify({ cookie: {}, user: 'ada' });
    const destroy = jest.fn();
    const sessions = listedBy({
      async *owned() {
        yield { key: 'id', value, matches: (id: string) => id === 'id', destroy };
      },
    });
    expect(await sessions.revoke('ada')).toBe(1);
    expect(destroy).toHaveBeenLastCalledWith('ada');
  });

  test('who stops halfway ends the listing, after a whole step', async () => {
    const steps: string[] = [];
    const sessions = listedBy({
      async *ids() {
        try {
          for (const id of ['a', 'b', 'c']) {
            steps.push(id);
            yield id;
          }
        } finally {
          steps.push('end');
        }
      },
      get: async () => JSON.stringify({ cookie: {}, user: 'ada' }),
    });
    for await (const _ of sessions.of('ada')) break;
    expect(steps).toEqual(['a', 'end']);
  });

  test('a list that is there at once is taken, too', async () => {
    const sessions = listedBy({
      ids: () => ['a', 'b'],
      get: async () => JSON.stringify({ cookie: {}, user: 'ada' }),
    });
    expect(await collect(sessions.of('ada'))).toHaveLength(2);
  });
});
