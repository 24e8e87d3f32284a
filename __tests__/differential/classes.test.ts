import { EventEmitter } from 'node:events';
import { inherits, inspect } from 'node:util';
import { passTime, resetClock, START, useFrozenClock } from './clock.js';
import { ignoreWarnings } from './deprecations.js';
import { closeStore } from './stores.js';
import { ours, real, type Subject } from './subjects.js';

useFrozenClock();
ignoreWarnings();

/** Does the same with both packages' classes; ours must come to what the real one comes to, which is returned. */
async function same<T>(run: (subject: Subject) => T | Promise<T>): Promise<Awaited<T>> {
  resetClock();
  const expected = await run(real);
  resetClock();
  expect(await run(ours)).toStrictEqual(expected);
  return expected;
}

/** What a function returns or throws. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return `threw ${String(error)}`;
  }
}

/** What can be seen of an object's members. */
function view(object: object): Record<string, unknown> {
  const listed: string[] = [];
  for (const key in object) listed.push(key);
  return {
    json: JSON.stringify(object),
    log: inspect(object, { depth: 5 }),
    kind: object.constructor.name,
    listed,
    keys: Object.keys(object),
    entries: Object.entries(object).map(([key, value]) => [key, print(value)]),
  };
}

/** A value as text; a date to the millisecond, an invalid one too. */
function print(value: unknown): string {
  return value instanceof Date ? `Date ${value.getTime()}` : String(value);
}

/** The lifetime of a cookie, as text. */
function lifetime({ expires, maxAge, originalMaxAge }: Record<string, any>): string[] {
  return [print(expires), print(maxAge), print(originalMaxAge)];
}

describe('Cookie', () => {
  const given: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['maxAge', { maxAge: 60_000 }],
    ['maxAge 0', { maxAge: 0 }],
    ['a negative maxAge', { maxAge: -5 }],
    ['maxAge null', { maxAge: null }],
    ['maxAge undefined', { maxAge: undefined }],
    ['maxAge false', { maxAge: false }],
    ['maxAge as text', { maxAge: '60000' }],
    ['maxAge as an object', { maxAge: {} }],
    ['maxAge as a Date', { maxAge: new Date(START + 5_000) }],
    ['maxAge NaN', { maxAge: Number.NaN }],
    ['maxAge Infinity', { maxAge: Number.POSITIVE_INFINITY }],
    ['expires', { expires: new Date(START + 5_000) }],
    ['expires in the past', { expires: new Date(START - 5_000) }],
    ['an invalid expires', { expires: new Date('never') }],
    ['expires null', { expires: null }],
    ['expires false', { expires: false }],
    ['expires as text', { expires: '2030-01-15T12:30:00.000Z' }],
    ['maxAge, then expires', { maxAge: 60_000, expires: new Date(START + 5_000) }],
    ['expires, then maxAge', { expires: new Date(START + 5_000), maxAge: 60_000 }],
    ['maxAge, then expires null', { maxAge: 60_000, expires: null }],
    ['originalMaxAge', { originalMaxAge: 60_000 }],
    ['originalMaxAge, then maxAge', { originalMaxAge: 60_000, maxAge: 5_000 }],
    ['originalMaxAge after maxAge', { maxAge: 5_000, originalMaxAge: 60_000 }],
    ['originalMaxAge null', { maxAge: 5_000, originalMaxAge: null }],
    [
      'every attribute',
      { domain: 'a.b', path: '/x', httpOnly: false, secure: true, sameSite: 'lax', priority: 'low' },
    ],
    ['partitioned', { partitioned: true, secure: true, sameSite: 'none' }],
    ['auto', { secure: 'auto', sameSite: 'auto' }],
    ['unknown members', { signed: true, encode: 'x', extra: 1 }],
    ['data', { data: { path: '/evil' }, path: '/good' }],
    ['inherited members', Object.create({ path: '/inherited' })],
    ['a text', 'path=/'],
    ['a number', 5],
    ['true', true],
    ['a function', () => ({})],
    ['an array', ['a']],
  ];

  describe.each(given)('made of %s', (_, options) => {
    test('looks the same', async () => {
      await same(({ Cookie }) =>
        outcome(() => {
          const cookie = new Cookie(options);
          return {
            view: view(cookie),
            lifetime: lifetime(cookie),
            data: view(cookie['data']),
            json: view(cookie['toJSON']()),
          };
        }),
      );
    });

    test('serializes the same', async () => {
      await same(({ Cookie }) => outcome(() => new Cookie(options)['serialize']('sid', 'a b;c"é')));
    });
  });

  const changes: [string, unknown][] = [
    ['maxAge', 5_000],
    ['maxAge', 0],
    ['maxAge', null],
    ['maxAge', undefined],
    ['maxAge', false],
    ['maxAge', ''],
    ['maxAge', 'soon'],
    ['maxAge', true],
    ['maxAge', {}],
    ['maxAge', new Date(START + 5_000)],
    ['maxAge', 1e300],
    ['expires', new Date(START + 5_000)],
    ['expires', null],
    ['expires', false],
    ['expires', 'soon'],
    ['expires', 5],
    ['originalMaxAge', 1],
    ['path', null],
    ['domain', undefined],
    ['data', { path: '/x' }],
  ];

  test.each(changes)('%s = %p', async (property, value) => {
    await same(({ Cookie }) => {
      const cookie = new Cookie({ maxAge: 60_000, path: '/a' });
      passTime(1_000);
      const assigned = outcome(() => {
        cookie[property] = value;
        return 'assigned';
      });
      passTime(1_000);
      return {
        assigned: String(assigned).replace(/#<\w+>/, '#<it>'),
        lifetime: lifetime(cookie),
        view: view(cookie),
      };
    });
  });

  test('maxAge counts down; originalMaxAge stays', async () => {
    const seen = await same(({ Cookie }) => {
      const cookie = new Cookie({ maxAge: 60_000 });
      passTime(1_500);
      return [cookie['maxAge'], cookie['originalMaxAge']];
    });
    expect(seen).toStrictEqual([58_500, 60_000]);
  });

  const names = ['sid', '', 'a b', 'a;b', 'a=b', 'é', '__proto__'];
  test.each(names)('serialize(%p, ...)', async (name) => {
    await same(({ Cookie }) => outcome(() => new Cookie({ maxAge: 1_000 })['serialize'](name, 'value')));
  });

  const bad = [
    { domain: 'a b' },
    { domain: 'a;b' },
    { path: 'a;b' },
    { path: '/\r\nX: 1' },
    { sameSite: 'bogus' },
    { sameSite: 'LAX' },
    { sameSite: 5 },
    { priority: 'bogus' },
    { priority: 'HIGH' },
    { priority: 5 },
    { secure: 1 },
    { httpOnly: 0 },
    { partitioned: 'yes' },
  ];
  test.each(bad)('serialize() with %j', async (options) => {
    await same(({ Cookie }) => outcome(() => new Cookie(options)['serialize']('sid', 'value')));
  });
});

describe('Session', () => {
  const request = () => ({ sessionID: 'some-id', sessionStore: new EventEmitter() });

  const data: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a text', 'text'],
    ['an object', { a: 1, b: { c: [] } }],
    ['an array', ['x']],
    ['reserved names', { id: 1, req: 2, touch: 3, save: 4, toString: 5, constructor: 6, kept: 7 }],
    ['names of our methods', { clear: 1, update: 2 }],
    ['__proto__', JSON.parse('{"__proto__":{"polluted":1},"a":2}')],
    ['inherited members', Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } })],
    ['a cookie', { cookie: { path: '/' } }],
  ];

  test.each(data)('made of %s', async (_, given) => {
    await same(({ Session }) => {
      const session = new Session(request(), given);
      return {
        ...view(session),
        id: session['id'],
        instance: session instanceof Session,
        prototypeIsUntouched: Object.getPrototypeOf(session) === Session.prototype,
        members: [
          'req',
          'id',
          'cookie',
          'toString',
          'save',
          'a',
          'kept',
          'polluted',
          'inherited',
          'clear',
        ].map((name) => [
          name,
          Object.hasOwn(session, name),
          Object.getOwnPropertyDescriptor(session, name)?.enumerable,
        ]),
      };
    });
  });

  test.each(['id', 'req'])('%s is its own, and read-only', async (name) => {
    await same(({ Session }) => {
      const session = new Session(request(), {});
      const { writable, enumerable } = Object.getOwnPropertyDescriptor(session, name)!;
      const assigned = outcome(() => {
        session[name] = 'other';
        return 'assigned';
      });
      return { writable, enumerable, assigned };
    });
  });

  const methods = ['touch', 'resetMaxAge', 'save', 'reload', 'destroy', 'regenerate'];
  test.each(methods)('%s is a method that does not show', async (name) => {
    await same(({ Session }) => {
      const { enumerable, writable, configurable, value } = Object.getOwnPropertyDescriptor(
        Session.prototype,
        name,
      )!;
      return { enumerable, writable, configurable, type: typeof value };
    });
  });

  test('touch() and resetMaxAge() start the lifetime anew, and return the session', async () => {
    const seen = await same(({ Session, Cookie }) => {
      const session = new Session(request(), {});
      session['cookie'] = new Cookie({ maxAge: 60_000 });
      passTime(1_000);
      const left = [session['cookie'].maxAge];
      const returned = [session['touch']() === session, session['resetMaxAge']() === session];
      return { left: [...left, session['cookie'].maxAge], returned };
    });
    expect(seen).toStrictEqual({ left: [59_000, 60_000], returned: [true, true] });
  });

  test.each(['touch', 'resetMaxAge'])('%s() without a cookie', async (name) => {
    await same(({ Session }) => typeof outcome(() => new Session(request(), {})[name]()));
  });
});

/** A store of plain objects, in the way that stores were written before ES classes, or by `class`. */
function makeStore(subject: Subject, style: 'class' | 'inherits', records: Record<string, unknown> = {}) {
  const calls: string[] = [];
  const methods = {
    get(id: string, callback: (error: unknown, session?: unknown) => void) {
      calls.push(`get ${id}`);
      if (id === 'broken') callback(new Error('get failed'));
      else callback(null, structuredClone(records[id]));
    },
    set(id: string, session: unknown, callback: (error?: unknown) => void) {
      calls.push(`set ${id} ${JSON.stringify(session)}`);
      callback();
    },
    destroy(id: string, callback: (error?: unknown) => void) {
      calls.push(`destroy ${id}`);
      callback(id === 'broken' ? new Error('destroy failed') : undefined);
    },
  };
  const store = style === 'class' ? new (class extends subject.Store {})() : oldStyle(subject);
  return { store: Object.assign(store, methods) as EventEmitter & Record<string, any>, methods, calls };
}

function oldStyle(subject: Subject): EventEmitter {
  function OldStore(this: object) {
    (subject.Store as unknown as (this: object, options: object) => void).call(this, {});
  }
  inherits(OldStore, subject.Store);
  return new (OldStore as unknown as new () => EventEmitter)();
}

describe.each(['class', 'inherits'] as const)('Store, extended by %s', (style) => {
  const cookie = { originalMaxAge: 60_000, expires: '2030-01-15T12:00:30.000Z', httpOnly: true, path: '/' };

  test('is an event emitter of its class', async () => {
    const seen = await same((subject) => {
      const { store } = makeStore(subject, style);
      const heard: unknown[] = [];
      store.on('connect', (...args) => heard.push(args));
      store.emit('connect', 1);
      return {
        heard,
        is: [store instanceof EventEmitter, store instanceof subject.Store],
        view: Object.keys(store),
      };
    });
    expect(seen).toMatchObject({ heard: [[1]], is: [true, true] });
  });

  test.each<[string, Record<string, unknown>]>([
    ['a session', { known: { cookie, a: 1 } }],
    ['no session', {}],
    ['null', { known: null }],
    ['an expiry as a Date', { known: { cookie: { ...cookie, expires: new Date(START) } } }],
    ['no expiry', { known: { cookie: { ...cookie, expires: null, originalMaxAge: null } } }],
    ['an expiry that is no date', { known: { cookie: { ...cookie, expires: 'soon' } } }],
    ['reserved names', { known: { cookie, id: 1, save: 2, kept: 3 } }],
  ])('load() of %s', async (_, records) => {
    await same(
      (subject) =>
        new Promise((resolve) => {
          const { store, calls } = makeStore(subject, style, records);
          store['load']('known', (error: unknown, session: Record<string, any> | undefined) => {
            if (!session) return resolve({ error, session, calls });
            resolve({
              ...view(session),
              ...{ error, calls, lifetime: lifetime(session['cookie']) },
              id: session['id'],
              is: [session instanceof subject.Session, session['cookie'] instanceof subject.Cookie],
              req: [
                session['req'].sessionID,
                session['req'].sessionStore === store,
                session['req'].session === session,
              ],
            });
          });
        }),
    );
  });

  test('load() that fails', async () => {
    const message = await same(
      (subject) =>
        new Promise<string>((resolve) => {
          makeStore(subject, style).store['load']('broken', (error: Error) => resolve(error.message));
        }),
    );
    expect(message).toBe('get failed');
  });

  test('createSession() puts the session on the request, and a Cookie into the data', async () => {
    const seen = await same((subject) => {
      const { store } = makeStore(subject, style);
      const req: Record<string, any> = { sessionID: 'known' };
      const data: Record<string, any> = { cookie: { ...cookie }, a: { b: 1 } };
      const session = store['createSession'](req, data);
      return {
        onRequest: req['session'] === session,
        sameCookie: session.cookie === data['cookie'],
        sameMembers: session.a === data['a'],
        isCookie: data['cookie'] instanceof subject.Cookie,
        maxAge: session.cookie.maxAge,
        originalMaxAge: session.cookie.originalMaxAge,
        keys: Object.keys(session),
      };
    });
    expect(seen).toStrictEqual({
      ...{ onRequest: true, sameCookie: true, sameMembers: true, isCookie: true },
      ...{ maxAge: 30_000, originalMaxAge: 60_000, keys: ['cookie', 'a'] },
    });
  });

  test.each([undefined, null, {}, 'text', { cookie: null }, { cookie: 'text' }])(
    'createSession() of %p',
    async (data) => {
      await same((subject) => {
        const { store } = makeStore(subject, style);
        const result = outcome(() => store['createSession']({ sessionID: 'x' }, structuredClone(data)));
        // The engine words an error about a missing member by how the member was asked for.
        return typeof result === 'string'
          ? result.replace(/^(threw TypeError: Cannot ).*/, '$1...')
          : view(result as object);
      });
    },
  );

  test.each(['known', 'broken'])('regenerate() of %s destroys, generates, calls back', async (id) => {
    const seen = await same(
      (subject) =>
        new Promise((resolve) => {
          const { store, calls } = makeStore(subject, style);
          const req: Record<string, any> = { sessionID: id };
          store['generate'] = (request: unknown) => calls.push(`generate ${request === req}`);
          store['regenerate'](req, (error?: Error) => resolve({ calls, error: error?.message }));
        }),
    );
    expect(seen).toStrictEqual({
      calls: [`destroy ${id}`, 'generate true'],
      error: id === 'broken' ? 'destroy failed' : undefined,
    });
  });

  test('methods of a loaded session use the store', async () => {
    const calls = await same(
      (subject) =>
        new Promise<string[]>((resolve) => {
          const { store, calls } = makeStore(subject, style, { known: { cookie, a: 1 } });
          store['load']('known', (_error: unknown, session: Record<string, any>) => {
            session['a'] = 2;
            session['save'](() => session['reload'](() => session['destroy'](() => resolve(calls))));
          });
        }),
    );
    expect(calls).toStrictEqual([
      'get known',
      `set known {"cookie":{"originalMaxAge":60000,"expires":"2030-01-15T12:00:30.000Z","httpOnly":true,"path":"/"},"a":2}`,
      'get known',
      'destroy known',
    ]);
  });
});

describe.each(['Store', 'MemoryStore'] as const)('the methods of %s', (kind) => {
  test('show on the prototype', async () => {
    const names = await same((subject) => {
      const { prototype } = subject[kind];
      const listed: string[] = [];
      for (const name in prototype) listed.push(name);
      return { listed: listed.sort(), own: Object.keys(prototype).sort() };
    });
    expect(names.listed).toEqual(expect.arrayContaining([...names.own, 'createSession', 'once']));
  });

  test('show neither in a log of a store nor in a comparison of two', () => {
    class OwnStore extends ours[kind] {}
    const [one, other] = [new OwnStore(), new OwnStore()];
    expect(inspect(one)).toMatch(/^OwnStore \{/);
    expect(inspect(one)).not.toMatch(/load|createSession/);
    expect(one).toEqual(other);
    for (const store of [one, other]) closeStore(store);
  });

  test('can be given to a constructor that does not inherit them', async () => {
    const seen = await same(async (subject) => {
      function Mixed(this: object) {
        (subject[kind] as unknown as (this: object) => void).call(this);
      }
      Object.assign(
        Mixed.prototype,
        EventEmitter.prototype,
        subject.Store.prototype,
        subject[kind].prototype,
      );
      const store = new (Mixed as unknown as new () => EventEmitter & Record<string, any>)();
      if (kind === 'Store') Object.assign(store, makeStore(subject, 'class', records).methods);
      else await call(store, 'set', 'known', records.known);
      const session = await new Promise<Record<string, any>>((resolve) => {
        store['load']('known', (_error: unknown, loaded: any) => resolve(loaded));
      });
      await call(session, 'save');
      const again = await call(store, 'get', 'known');
      await call(session, 'destroy');
      closeStore(store);
      return { a: session['a'], is: store instanceof subject.Store, again };
    });
    expect(seen).toMatchObject({ a: 1, is: false, again: [null, { a: 1 }] });
  });

  const cookie = { originalMaxAge: 60_000, expires: '2030-01-15T12:00:30.000Z', httpOnly: true, path: '/' };
  const records = { known: { cookie, a: 1 } };
});

/** Calls a method and resolves to what it calls back with. */
function call(store: Record<string, any>, method: string, ...args: unknown[]): Promise<unknown[]> {
  return new Promise((resolve) => {
    store[method](...args, (...answer: unknown[]) => resolve(JSON.parse(JSON.stringify(answer))));
  });
}

describe('MemoryStore', () => {
  const session = (maxAge: number | null, more: object = {}) => ({
    cookie: { originalMaxAge: maxAge, expires: maxAge === null ? null : new Date(START + maxAge), path: '/' },
    ...more,
  });

  /** As `same`, with a memory store that is closed afterwards. */
  function sameStore<T>(run: (store: Record<string, any>) => Promise<T>): Promise<Awaited<T>> {
    return same(async ({ MemoryStore }) => {
      const store = new MemoryStore();
      try {
        return await run(store);
      } finally {
        closeStore(store);
      }
    });
  }

  test('is a Store', async () => {
    const is = await same(({ MemoryStore, Store }) => new MemoryStore() instanceof Store);
    expect(is).toBe(true);
  });

  test('set, get, all, length, touch, destroy, clear', async () => {
    const answers = await sameStore(async (store) => {
      return [
        await call(store, 'get', 'a'),
        await call(store, 'set', 'a', session(60_000, { x: 1 })),
        await call(store, 'set', 'b', session(null, { y: [null] })),
        await call(store, 'get', 'a'),
        await call(store, 'all'),
        await call(store, 'length'),
        await call(store, 'touch', 'a', session(90_000, { x: 'not written' })),
        await call(store, 'touch', 'unknown', session(90_000)),
        await call(store, 'get', 'a'),
        await call(store, 'get', 'unknown'),
        await call(store, 'destroy', 'a'),
        await call(store, 'destroy', 'unknown'),
        await call(store, 'length'),
        await call(store, 'clear'),
        await call(store, 'all'),
        await call(store, 'length'),
      ];
    });
    expect(answers[5]).toStrictEqual([null, 2]);
  });

  test.each([0, 999, 1_000, 1_001])('a session of 1 s after %d ms', async (ms) => {
    await sameStore(async (store) => {
      await call(store, 'set', 'a', session(1_000));
      passTime(ms);
      return [
        await call(store, 'length'),
        await call(store, 'all'),
        await call(store, 'touch', 'a', session(5_000)),
        await call(store, 'get', 'a'),
      ];
    });
  });

  test.each(['__proto__', 'constructor', '', 'ünï', 'a'.repeat(10_000)])('the id %p', async (id) => {
    await sameStore(async (store) => {
      await call(store, 'set', id, session(null, { x: 1 }));
      return [
        await call(store, 'get', id),
        await call(store, 'length'),
        await call(store, 'destroy', id),
        await call(store, 'get', id),
      ];
    });
  });

  test('what is got and what was set share nothing with what is stored', async () => {
    const answers = await sameStore(async (store) => {
      const data = session(null, { list: [1] }) as Record<string, any>;
      await call(store, 'set', 'a', data);
      data['list'].push(2);
      await new Promise<void>((resolve) => {
        store['get']('a', (_: unknown, got: Record<string, any>) => {
          got['list'].push(3);
          resolve();
        });
      });
      return call(store, 'get', 'a');
    });
    expect(answers[1]).toHaveProperty('list', [1]);
  });

  test('callbacks come later, also when there is none', async () => {
    const order = await sameStore(async (store) => {
      const seen: string[] = [];
      store['set']('a', session(null));
      store['touch']('a', session(null));
      store['get']('a', () => seen.push('got'));
      store['destroy']('a');
      store['clear']();
      seen.push('went on');
      await call(store, 'length');
      return seen;
    });
    expect(order).toStrictEqual(['went on', 'got']);
  });

  test('a session object shows its texts under `sessions`', async () => {
    await sameStore(async (store) => {
      await call(store, 'set', 'a', session(60_000, { x: 1 }));
      return { ...store['sessions'] };
    });
  });
});
