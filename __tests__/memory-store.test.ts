import { EventEmitter } from 'node:events';
import { inherits, inspect } from 'node:util';
import { conformance } from '../lib/conformance/index.js';
import { Cookie } from '../lib/cookies/cookie.js';
import { Session, type SessionData } from '../lib/session.js';
import { Store } from '../lib/stores/connect-store.js';
import { MemoryStore, type MemoryStoreOptions } from '../lib/stores/memory.js';
import type { SessionStore } from '../lib/stores/store.js';
import { collect } from './support/async.js';

const expressSession = require('express-session') as { MemoryStore: new () => MemoryStore };

const START = new Date('2026-01-01T00:00:00.000Z').getTime();
const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

const open: MemoryStore[] = [];

function makeStore(options?: MemoryStoreOptions): MemoryStore {
  const store = new MemoryStore(options);
  open.push(store);
  return store;
}

afterEach(() => {
  jest.useRealTimers();
  for (const store of open.splice(0)) store.close();
});

/** Time stands still at START until a test advances it. */
function stopTheClock(): void {
  jest.useFakeTimers({ now: START, doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
}

function session(
  data: object = {},
  cookie: object = { path: '/', originalMaxAge: null, expires: null },
): SessionData {
  return { cookie, ...data } as SessionData;
}

function sessionUntil(expires: unknown, data?: object): SessionData {
  return session(data, { path: '/', expires });
}

/** What a callback is given, all of it. */
function argumentsOf(operation: (callback: (...args: unknown[]) => void) => void): Promise<unknown[]> {
  return new Promise((resolve) => operation((...args) => resolve(args)));
}

/** As text, prototypes and all: Jest takes an own key `constructor` for the real one. */
function inEveryDetail(value: unknown): string {
  return inspect(value, { depth: Infinity, sorted: true });
}

conformance({ test, store: () => makeStore() });

describe('the contract of express-session, by callback', () => {
  type Operation = (store: MemoryStore, callback: (...args: unknown[]) => void) => void;
  const set =
    (id: string, data: SessionData): Operation =>
    (store, callback) =>
      store.set(id, data, callback);
  const get =
    (id: string): Operation =>
    (store, callback) =>
      store.get(id, callback);
  const touch =
    (id: string, data: SessionData): Operation =>
    (store, callback) =>
      store.touch(id, data, callback);
  const destroy =
    (id: string): Operation =>
    (store, callback) =>
      store.destroy(id, callback);
  const all: Operation = (store, callback) => store.all(callback);
  const length: Operation = (store, callback) => store.length(callback);
  const clear: Operation = (store, callback) => store.clear(callback);
  const later = new Date(START + HOUR).toISOString();
  const past = new Date(START - HOUR);

  test.each<[string, Operation[]]>([
    ['nothing stored', [get('a'), touch('a', session()), destroy('a'), all, length, clear, get('a')]],
    ['set and get', [set('a', session({ x: 1 })), get('a'), get('b'), all, length]],
    ['set again', [set('a', session({ x: 1 })), set('a', session({ y: 2 })), get('a'), length]],
    ['touch', [set('a', session({ x: 1 })), touch('a', sessionUntil(later, { x: 2, y: 3 })), get('a'), all]],
    ['destroy', [set('a', session()), set('b', session()), destroy('a'), get('a'), get('b'), length]],
    ['clear', [set('a', session()), set('b', session()), clear, get('a'), all, length]],
    ['an expiry that is past', [set('a', sessionUntil(past)), get('a'), length, all]],
    ['an expiry now', [set('a', sessionUntil(new Date(START))), get('a')]],
    ['an expiry 1 ms from now', [set('a', sessionUntil(new Date(START + 1))), get('a'), length]],
    [
      'an expiry as a number',
      [set('a', sessionUntil(START + 1)), get('a'), set('b', sessionUntil(START)), get('b')],
    ],
    ['an expiry that is past, as text', [set('a', sessionUntil(past.toISOString())), get('a'), length]],
    [
      'an expiry that is no date',
      [set('a', sessionUntil('soon')), set('b', sessionUntil(new Date(Number.NaN))), all],
    ],
    ['an expiry of false', [set('a', sessionUntil(false)), get('a')]],
    ['expired by a touch', [set('a', session()), touch('a', sessionUntil(past)), get('a'), length]],
    ['no touch of the expired', [set('a', sessionUntil(past)), touch('a', sessionUntil(later)), get('a')]],
    ['no cookie', [set('a', { x: 1 } as unknown as SessionData), get('a')]],
    [
      'nothing to store',
      [set('a', session()), set('a', undefined as unknown as SessionData), get('a'), length],
    ],
    [
      'a number for an id',
      [set(5 as unknown as string, session({ x: 1 })), get('5'), destroy(5 as unknown as string), get('5')],
    ],
    [
      'no id',
      [
        set('undefined', session()),
        get(undefined as unknown as string),
        destroy(undefined as unknown as string),
        length,
      ],
    ],
    [
      'odd ids',
      ['__proto__', 'constructor', 'toString', '', 'a\0b', '\ud800'].flatMap((id) => [
        get(id),
        set(id, session({ id })),
        get(id),
        all,
      ]),
    ],
    [
      'odd data',
      [
        set('a', JSON.parse('{"cookie":{},"__proto__":{"x":1},"constructor":1}')),
        get('a'),
        touch('a', session()),
        get('a'),
      ],
    ],
  ])('gives what the real one gives: %s', async (_name, operations) => {
    stopTheClock();
    const ours = makeStore();
    const theirs = new expressSession.MemoryStore();
    for (const operation of operations) {
      const expected = await argumentsOf((callback) => operation(theirs, callback));
      const actual = await argumentsOf((callback) => operation(ours, callback));
      expect(inEveryDetail(actual)).toBe(inEveryDetail(expected));
    }
    const texts = Object.entries(theirs.sessions).filter(([, text]) => text !== undefined);
    expect(new Map(Object.entries(ours.sessions))).toEqual(new Map(texts));
  });

  test('calls back in a later turn, and returns nothing', () => {
    const store = makeStore();
    const calls: string[] = [];
    const returned = [
      store.set('a', session(), () => calls.push('set')),
      store.get('a', () => calls.push('get')),
      store.touch('a', session(), () => calls.push('touch')),
      store.all(() => calls.push('all')),
      store.destroy('a', () => calls.push('destroy')),
      store.clear(() => calls.push('clear')),
      store.length(() => calls.push('length')),
    ];
    expect(returned).toEqual([undefined, undefined, undefined, undefined, undefined, undefined, undefined]);
    expect(calls).toEqual([]);
    return new Promise<void>((resolve) => {
      setTimeout(() => {
        expect(calls).toEqual(['set', 'get', 'touch', 'all', 'destroy', 'clear', 'length']);
        resolve();
      }, 5);
    });
  });

  test('stores the JSON of a live Session, and no part of the object itself', async () => {
    stopTheClock();
    const store = makeStore();
    const live = new Session({ sessionID: 'a' }, { cookie: new Cookie({ maxAge: HOUR }), list: [1] });
    await argumentsOf((done) => store.set('a', live, done));
    (live as unknown as { list: number[] }).list.push(2);
    expect(store.sessions['a']).toBe(
      '{"cookie":{"originalMaxAge":3600000,"expires":"2026-01-01T01:00:00.000Z","httpOnly":true,"path":"/"},"list":[1]}',
    );
  });

  test('gives each caller an object of its own', async () => {
    const store = makeStore();
    await store.set('a', session({ list: [1] }));
    const [, first] = (await argumentsOf((done) => store.get('a', done))) as [null, { list: number[] }];
    first.list.push(2);
    expect(await argumentsOf((done) => store.get('a', done))).toEqual([null, session({ list: [1] })]);
  });

  test('gives an error for what has no JSON, and keeps what is stored', async () => {
    const store = makeStore();
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    await store.set('a', session({ x: 1 }));
    const [error] = await argumentsOf((done) => store.set('a', circular, done));
    expect(error).toBeInstanceOf(TypeError);
    await expect(store.set('a', circular)).rejects.toBeInstanceOf(TypeError);
    await expect(store.get('a')).resolves.toEqual(session({ x: 1 }));
  });

  test('gives an error for a record that is not JSON, without quoting it', async () => {
    const store = makeStore();
    await store.set('a', 'secret', { expires: Date.now() + HOUR });
    const error = {
      code: 'ERR_SESSION_RECORD_NOT_JSON',
      message:
        'the stored record is not JSON; it was stored as text, so read it by get(id), without a callback',
    };
    expect(await argumentsOf((done) => store.get('a', done))).toEqual([expect.objectContaining(error)]);
    expect(await argumentsOf((done) => store.touch('a', session(), done))).toEqual([
      expect.objectContaining(error),
    ]);
    expect(await argumentsOf((done) => store.all(done))).toEqual([expect.objectContaining(error)]);
    await expect(store.all()).rejects.toMatchObject(error);
    await expect(store.get('a')).resolves.toBe('secret');
  });

  test.each(['null', '5', '"text"', 'true'])('finds no session in a record of %s', async (text) => {
    const store = makeStore();
    await store.set('a', text, { expires: Date.now() + HOUR });
    expect(await argumentsOf((done) => store.get('a', done))).toEqual([null, undefined]);
    expect(await argumentsOf((done) => store.touch('a', session(), done))).toEqual([]);
    expect(await store.all()).toEqual({});
    await expect(store.get('a')).resolves.toBe(text);
  });
});

describe('the contract of express-session, by promise', () => {
  test('each method resolves to what the callback would be given', async () => {
    const store = makeStore();
    await expect(store.set('a', session({ x: 1 }))).resolves.toBeUndefined();
    await expect(store.get('a')).resolves.toEqual(session({ x: 1 }));
    await expect(store.get('b')).resolves.toBeUndefined();
    await expect(store.touch('a', session({ x: 2 }, { path: '/new' }))).resolves.toBeUndefined();
    await expect(store.all()).resolves.toEqual({ a: session({ x: 1 }, { path: '/new' }) });
    await expect(store.length()).resolves.toBe(1);
    await expect(store.destroy('a')).resolves.toBeUndefined();
    await expect(store.get('a')).resolves.toBeUndefined();
    await store.set('b', session());
    await expect(store.clear()).resolves.toBeUndefined();
    await expect(store.length()).resolves.toBe(0);
  });

  test('undefined and null are no callback', async () => {
    const store = makeStore();
    store.set('a', session(), undefined);
    store.set('a', session({ x: 1 }), null as unknown as undefined);
    await expect(store.get('a')).resolves.toEqual(session({ x: 1 }));
  });

  test('a touch without a session fails', async () => {
    const store = makeStore();
    await store.set('a', session());
    await expect(store.touch('a', undefined as unknown as object)).rejects.toBeInstanceOf(TypeError);
  });
});

describe('both contracts on one record', () => {
  const how = { expires: START + HOUR };
  beforeEach(stopTheClock);

  test('get by promise gives back the form that was put in', async () => {
    const store = makeStore();
    await store.set('a', session({ x: 1 }));
    await store.set('b', JSON.stringify(session({ x: 2 })), how);
    await expect(store.get<SessionData>('a')).resolves.toEqual(session({ x: 1 }));
    await expect(store.get('b')).resolves.toBe(JSON.stringify(session({ x: 2 })));
  });

  test('the last set decides on the form', async () => {
    const store = makeStore();
    await store.set('a', session());
    await store.set('a', '{}', how);
    await expect(store.get('a')).resolves.toBe('{}');
    await store.set('a', session());
    await expect(store.get('a')).resolves.toEqual(session());
  });

  test('a touch does not change the form', async () => {
    const store = makeStore();
    await store.set('a', session());
    await store.set('b', JSON.stringify(session()), how);
    for (const id of ['a', 'b']) {
      await store.touch(id, session({}, { path: '/new' }));
      await store.touch(id, START + 2 * HOUR);
    }
    await expect(store.get('a')).resolves.toEqual(session({}, { path: '/new' }));
    await expect(store.get('b')).resolves.toBe(JSON.stringify(session({}, { path: '/new' })));
  });

  test('the form stays with its record while others come and go', async () => {
    const store = makeStore();
    const ids = Array.from({ length: 2000 }, (_, i) => `id-${i}`);
    for (const [i, id] of ids.entries())
      await (i % 3 ? store.set(id, `{"i":${i}}`, how) : store.set(id, { i }));
    for (const [i, id] of ids.entries()) if (i % 2) await store.destroy(id);
    const expected = ids.map((_, i) => (i % 2 ? undefined : i % 3 ? `{"i":${i}}` : { i }));
    expect(await Promise.all(ids.map((id) => store.get(id)))).toEqual(expected);
  });

  test('get by callback gives an object, whatever was put in', async () => {
    const store = makeStore();
    await store.set('a', '{"cookie":{},"x":1}', how);
    expect(await argumentsOf((done) => store.get('a', done))).toEqual([null, { cookie: {}, x: 1 }]);
  });

  test('`texts` gives the text, whatever was put in', async () => {
    const store = makeStore();
    const { texts } = store;
    await store.set('a', session({ x: 1 }));
    await expect(texts.get('a')).resolves.toBe(JSON.stringify(session({ x: 1 })));
    await expect(texts.set('a', 'new', { ...how, expected: 'other' })).resolves.toBe(false);
    await expect(texts.set('a', 'new', how)).resolves.toBe(true);
    await expect(store.get('a')).resolves.toBe('new');
    await expect(texts.touch('a', START)).resolves.toBe(true);
    await expect(store.get('a')).resolves.toBeUndefined();
    await texts.set('a', 'x', how);
    await texts.destroy('a');
    await expect(store.length()).resolves.toBe(0);
  });

  test('a conditional write compares with the JSON of a session', async () => {
    const store = makeStore();
    await store.set('a', session({ x: 1 }));
    const expected = JSON.stringify(session({ x: 1 }));
    await expect(store.set('a', 'new', { ...how, expected: 'other' })).resolves.toBe(false);
    await expect(store.set('a', 'new', { ...how, expected })).resolves.toBe(true);
    await expect(store.get('a')).resolves.toBe('new');
  });
});

describe('the contract of text', () => {
  beforeEach(stopTheClock);

  test('a write is done when set returns, so that nothing comes between its check and it', async () => {
    const store = makeStore();
    const writes = ['x', 'y', 'z'].map((text) =>
      store.set('a', text, { expires: START + HOUR, expected: null }),
    );
    const destroyed = store.destroy('a');
    const again = store.set('a', 'w', { expires: START + HOUR, expected: null });
    await expect(Promise.all([...writes, destroyed, again])).resolves.toEqual([
      true,
      false,
      false,
      undefined,
      true,
    ]);
    await expect(store.get('a')).resolves.toBe('w');
  });

  test('something that has expired is not kept, but counts as written', async () => {
    const store = makeStore();
    await store.set('a', 'x', { expires: START + HOUR });
    await expect(store.set('a', 'y', { expires: START })).resolves.toBe(true);
    await expect(store.get('a')).resolves.toBeUndefined();
    await expect(store.length()).resolves.toBe(0);
  });

  test('a touch into the past ends the record', async () => {
    const store = makeStore();
    await store.set('a', 'x', { expires: START + HOUR });
    await expect(store.touch('a', START)).resolves.toBe(true);
    await expect(store.get('a')).resolves.toBeUndefined();
    await expect(store.touch('a', START + HOUR)).resolves.toBe(false);
  });

  test('ids are those of live records, each once, though records come and go meanwhile', async () => {
    const store = makeStore();
    const expected = new Set<string>();
    for (let i = 0; i < 3000; i++) {
      const expires = START + (i % 3 === 0 ? 1 : HOUR);
      await store.set(`id-${i}`, 'x', { expires });
      if (i % 3 !== 0) expected.add(`id-${i}`);
    }
    jest.setSystemTime(START + 1);
    const seen: string[] = [];
    for await (const id of store.ids()) {
      seen.push(id);
      await store.destroy(id);
      await store.set(`new-${id}`, 'x', { expires: START + HOUR });
    }
    const old = seen.filter((id) => id.startsWith('id-'));
    expect(new Set(old)).toEqual(expected);
    expect(new Set(seen).size).toBe(seen.length);
    expect((await collect(store.ids())).filter((id) => id.startsWith('id-'))).toEqual([]);
  });

  test.each([
    ['undefined', undefined, 'undefined'],
    ['NaN', Number.NaN, 'NaN (number)'],
    ['a Date', new Date(START), 'an object (Date)'],
    ['text', '5', 'a string'],
  ])('%s is no expiry', async (_name, expires, given) => {
    const store = makeStore();
    const error = new TypeError(`the expiry of a record must be a time in epoch milliseconds; got ${given}`);
    await expect(store.set('a', 'x', { expires: expires as number })).rejects.toEqual(error);
    await expect(store.length()).resolves.toBe(0);
  });

  test('NaN is no expiry for a touch', async () => {
    const store = makeStore();
    await store.set('a', 'x', { expires: START + HOUR });
    await expect(store.touch('a', Number.NaN)).rejects.toEqual(
      new TypeError('the expiry of a record must be a time in epoch milliseconds; got NaN (number)'),
    );
    await expect(store.get('a')).resolves.toBe('x');
  });

  test('text needs an expiry, and an expiry text', async () => {
    const store = makeStore();
    const loose = store as unknown as { set(...args: unknown[]): Promise<unknown> };
    await expect(loose.set('a', 'x')).rejects.toEqual(
      new TypeError('the expiry of a record must be a time in epoch milliseconds; got undefined'),
    );
    await expect(loose.set('a', { x: 1 }, { expires: START + HOUR })).rejects.toEqual(
      new TypeError('the text of a record must be a string; got an object (Object)'),
    );
    await expect(store.length()).resolves.toBe(0);
  });

  test('it is a SessionStore by type', async () => {
    const store: SessionStore = makeStore();
    await store.set('a', 'x', { expires: START + HOUR });
    const text: string | undefined = await store.get('a');
    expect(text).toBe('x');
  });
});

describe('expiry', () => {
  beforeEach(stopTheClock);

  test('a session ends the instant its cookie does', async () => {
    const store = makeStore();
    await store.set('a', sessionUntil(new Date(START + 1000)));
    jest.setSystemTime(START + 999);
    await expect(store.get('a')).resolves.toEqual(sessionUntil('2026-01-01T00:00:01.000Z'));
    jest.setSystemTime(START + 1000);
    await expect(store.get('a')).resolves.toBeUndefined();
  });

  test.each([
    ['24 hours by default', {}, DAY],
    ['`ttl`', { ttl: 5000 }, 5000],
  ])('one without an expiry ends after %s without a set or touch', async (_name, options, ttl) => {
    const store = makeStore(options);
    const ids = ['idle', 'set', 'touched'];
    for (const id of ids) await store.set(id, session());
    const half = START + ttl / 2;
    jest.setSystemTime(half);
    await store.set('set', session());
    await store.touch('touched', session());
    const lives = async () => Promise.all(ids.map(async (id) => (await store.get(id)) !== undefined));
    jest.setSystemTime(START + ttl - 1);
    expect(await lives()).toEqual([true, true, true]);
    jest.setSystemTime(START + ttl);
    expect(await lives()).toEqual([false, true, true]);
    jest.setSystemTime(half + ttl - 1);
    expect(await lives()).toEqual([false, true, true]);
    jest.setSystemTime(half + ttl);
    expect(await lives()).toEqual([false, false, false]);
  });

  test('`ttl` is not for sessions that have an expiry', async () => {
    const store = makeStore({ ttl: 1000 });
    await store.set('a', sessionUntil(new Date(START + HOUR)));
    jest.setSystemTime(START + HOUR - 1);
    await expect(store.length()).resolves.toBe(1);
  });

  test('with a ttl of Infinity one without an expiry never ends', async () => {
    const store = makeStore({ ttl: Infinity });
    await store.set('a', session());
    expect(jest.getTimerCount()).toBe(0);
    jest.setSystemTime(START + 10_000 * DAY);
    await expect(store.length()).resolves.toBe(1);
  });

  test('what has expired is in no answer, before any sweep', async () => {
    const store = makeStore();
    await store.set('a', sessionUntil(new Date(START + 1000)));
    await store.set('b', '{}', { expires: START + 1000 });
    await store.set('c', '{}', { expires: START + 1001 });
    jest.setSystemTime(START + 1000);
    expect(store.sessions).toEqual({ c: '{}' });
    await expect(store.all()).resolves.toEqual({ c: {} });
    await expect(collect(store.ids())).resolves.toEqual(['c']);
    await expect(store.length()).resolves.toBe(1);
    await expect(store.touch('a', START + HOUR)).resolves.toBe(false);
    await expect(store.set('b', 'new', { expires: START + HOUR, expected: '{}' })).resolves.toBe(false);
    await expect(store.set('b', 'new', { expires: START + HOUR, expected: null })).resolves.toBe(true);
  });

  test('length counts what has not expired, also when very much has just expired', async () => {
    const store = makeStore();
    for (let i = 0; i < 5000; i++)
      store.records.write(`${i}`, 'x', { expires: START + (i < 4500 ? 1 : HOUR) });
    jest.setSystemTime(START + 1);
    expect(await argumentsOf((done) => store.length(done))).toEqual([null, 500]);
  });
});

describe('max', () => {
  beforeEach(stopTheClock);
  const until = (minutes: number) => ({ expires: START + minutes * 60_000 });

  test('one more than `max`, and the one that would expire first is dropped', async () => {
    const store = makeStore({ max: 3 });
    await store.set('a', 'x', until(30));
    await store.set('b', 'x', until(10));
    await store.set('c', 'x', until(20));
    await store.set('d', 'x', until(5));
    expect(Object.keys(store.sessions).sort()).toEqual(['a', 'c', 'd']);
    await store.set('e', 'x', until(40));
    expect(Object.keys(store.sessions).sort()).toEqual(['a', 'c', 'e']);
  });

  test('a new text for what is stored drops nothing', async () => {
    const store = makeStore({ max: 2 });
    await store.set('a', 'x', until(10));
    await store.set('b', 'x', until(20));
    await store.set('b', 'y', until(20));
    expect(store.sessions).toEqual({ a: 'x', b: 'y' });
  });

  test('a touch changes the order', async () => {
    const store = makeStore({ max: 2 });
    await store.set('a', 'x', until(10));
    await store.set('b', 'x', until(20));
    await store.touch('a', START + HOUR);
    await store.set('c', 'x', until(30));
    expect(Object.keys(store.sessions).sort()).toEqual(['a', 'c']);
  });

  test('a write that does not come about, and one that has expired, drop nothing', async () => {
    const store = makeStore({ max: 1 });
    await store.set('a', 'x', until(10));
    await store.set('b', 'x', { ...until(10), expected: 'y' });
    await store.set('c', 'x', until(0));
    expect(store.sessions).toEqual({ a: 'x' });
  });

  test('exactly the soonest of many is dropped, each time', async () => {
    const store = makeStore({ max: 500 });
    const minutes = Array.from({ length: 1000 }, (_, i) => 1 + ((i * 7919) % 1000)); // each once
    for (const minute of minutes.slice(0, 500)) await store.set(`${minute}`, 'x', until(minute));
    const kept = new Set(minutes.slice(0, 500));
    for (const minute of minutes.slice(500)) {
      kept.delete(Math.min(...kept));
      kept.add(minute);
      await store.set(`${minute}`, 'x', until(minute));
      expect(store.records.read(`${minute}`)).toBe('x');
    }
    expect(new Set(Object.keys(store.sessions).map(Number))).toEqual(kept);
  });
});

describe('construction', () => {
  test('by an ES class', async () => {
    class Mine extends MemoryStore {
      override set(id: string, data: any, callback?: any): any {
        return super.set(id, { ...data, mine: true }, callback);
      }
    }
    const store = new Mine({ ttl: 60_000 });
    open.push(store);
    await store.set('a', session());
    expect(store).toBeInstanceOf(MemoryStore);
    expect(store).toBeInstanceOf(Store);
    expect(store).toBeInstanceOf(EventEmitter);
    await expect(store.get('a')).resolves.toEqual(session({ mine: true }));
  });

  test('by a constructor that calls it without `new`', async () => {
    function Old(this: object): void {
      MemoryStore.call(this, { max: 1 });
    }
    inherits(Old, MemoryStore);
    const store = new (Old as unknown as new () => MemoryStore)();
    open.push(store);
    await store.set('a', session());
    await store.set('b', session());
    await expect(store.length()).resolves.toBe(1);
    expect(store).toBeInstanceOf(MemoryStore);
  });

  test('it is called MemoryStore', () => {
    expect(MemoryStore.name).toBe('MemoryStore');
    expect(makeStore().constructor).toBe(MemoryStore);
  });

  test('an options object may be empty, and an option undefined', async () => {
    const store = makeStore({ ttl: undefined, max: undefined });
    await store.set('a', session());
    await expect(store.length()).resolves.toBe(1);
    await expect(makeStore({}).length()).resolves.toBe(0);
  });

  test.each<[unknown, string]>([
    [null, 'MemoryStore needs an object of options ({ ttl, max }); got null'],
    [5, 'MemoryStore needs an object of options ({ ttl, max }); got 5 (number)'],
    [{ tll: 5 }, 'MemoryStore has no option tll; did you mean ttl?'],
    [{ limit: 5 }, 'MemoryStore has no option limit; it has ttl, max'],
    [
      { checkPeriod: 5 },
      'MemoryStore has no option checkPeriod; expired sessions leave memory by themselves, so leave it out',
    ],
    [{ ttl: 0 }, 'MemoryStore: ttl option must be a positive number of milliseconds; got 0 (number)'],
    [{ ttl: -1 }, 'MemoryStore: ttl option must be a positive number of milliseconds; got -1 (number)'],
    [
      { ttl: Number.NaN },
      'MemoryStore: ttl option must be a positive number of milliseconds; got NaN (number)',
    ],
    [{ ttl: '1d' }, 'MemoryStore: ttl option must be a positive number of milliseconds; got "1d"'],
    [{ max: 0 }, 'MemoryStore: max option must be a positive whole number; got 0 (number)'],
    [{ max: 1.5 }, 'MemoryStore: max option must be a positive whole number; got 1.5 (number)'],
    [{ max: '10' }, 'MemoryStore: max option must be a positive whole number; got "10"'],
  ])('%p is refused', (options, message) => {
    expect(() => new MemoryStore(options as MemoryStoreOptions)).toThrow(new TypeError(message));
  });

  test('who logs the store does not log the sessions', async () => {
    const store = makeStore();
    await store.set('a', session({ user: 'Ada' }));
    expect(inspect(store, { depth: 10 })).not.toContain('Ada');
  });

  test('`sessions` has no prototype', async () => {
    const store = makeStore();
    await store.set('__proto__', '{"x":1}', { expires: Date.now() + HOUR });
    expect(Object.getPrototypeOf(store.sessions)).toBeNull();
    expect(Object.entries(store.sessions)).toEqual([['__proto__', '{"x":1}']]);
    expect([store.sessions, '__proto__' in store.sessions, 'constructor' in store.sessions]).toEqual([
      store.sessions,
      true,
      false,
    ]);
  });

  test('it is plain until a method is replaced', () => {
    expect(makeStore().isPlain).toBe(true);
    class Extended extends MemoryStore {}
    expect(new Extended().isPlain).toBe(true);
    for (const method of ['get', 'set', 'touch', 'destroy', 'regenerate'] as const) {
      const store = makeStore();
      Object.assign(store, { [method]: () => undefined });
      expect(store.isPlain).toBe(false);
    }
  });
});

describe.each([
  ['of ours', MemoryStore as unknown as new () => MemoryStore],
  ['of express-session', expressSession.MemoryStore],
])('`sessions` %s', (_, Store) => {
  const made: MemoryStore[] = [];
  const make = (): MemoryStore => {
    const store = new Store();
    made.push(store);
    return store;
  };
  afterEach(() => {
    for (const store of made.splice(0)) store.close?.();
  });
  const text = (data: object) => JSON.stringify(session(data));
  const read = (store: MemoryStore, id: string) =>
    argumentsOf((done) => store.get(id, done)).then(([, found]) => found);
  const write = (store: MemoryStore, id: string, data: object) =>
    argumentsOf((done) => store.set(id, session(data), done));

  test('is read, with all that has been stored', async () => {
    const store = make();
    await write(store, 'a', { n: 1 });
    const { sessions } = store;
    await write(store, 'b', { n: 2 });
    const keys: string[] = [];
    for (const id in sessions) keys.push(id);

    expect(keys).toEqual(['a', 'b']);
    expect({ ...sessions }).toEqual({ a: text({ n: 1 }), b: text({ n: 2 }) });
    expect(['a' in sessions, 'c' in sessions, Object.hasOwn(sessions, 'b'), sessions['c']]).toEqual([
      true,
      false,
      true,
      undefined,
    ]);
    expect(JSON.parse(JSON.stringify(sessions))).toEqual({ a: text({ n: 1 }), b: text({ n: 2 }) });
  });

  test('takes sessions that are planted, changed and deleted', async () => {
    const store = make();
    store.sessions['a'] = text({ n: 1 });
    expect(await read(store, 'a')).toMatchObject({ n: 1 });
    store.sessions['a'] = text({ n: 2 });
    expect(await read(store, 'a')).toMatchObject({ n: 2 });
    Object.assign(store.sessions, { b: text({ n: 3 }) });
    expect(await read(store, 'b')).toMatchObject({ n: 3 });
    expect(delete store.sessions['a']).toBe(true);
    expect([await read(store, 'a'), await read(store, 'b')]).toMatchObject([undefined, { n: 3 }]);
    (store.sessions as Record<string, unknown>)['b'] = undefined;
    expect(await read(store, 'b')).toBe(undefined);
  });

  test('is emptied by another object in its place', async () => {
    const store = make();
    await write(store, 'a', { n: 1 });
    store.sessions = { b: text({ n: 2 }) };
    expect([await read(store, 'a'), await read(store, 'b')]).toMatchObject([undefined, { n: 2 }]);
    store.sessions = {};
    expect(await read(store, 'b')).toBe(undefined);
  });

  test('is put aside, and put back', async () => {
    const store = make();
    await write(store, 'a', { n: 1 });
    const before = store.sessions;
    store.sessions = {};
    await write(store, 'b', { n: 2 });
    before['c'] = text({ n: 3 });
    expect([Object.keys(store.sessions), Object.keys(before)]).toEqual([['b'], ['a', 'c']]);
    store.sessions = before;
    expect([await read(store, 'a'), await read(store, 'b')]).toMatchObject([{ n: 1 }, undefined]);
  });

  test('shows in a log what is in it', async () => {
    const store = make();
    await write(store, 'a', { n: 1 });
    expect(inspect({ ...store.sessions })).toContain('"n":1');
    expect(inspect(store.sessions)).toContain('"n":1');
  });

  test('is shared by two stores', async () => {
    const [one, other] = [make(), make()];
    other.sessions = one.sessions;
    await write(one, 'a', { n: 1 });
    expect(await read(other, 'a')).toMatchObject({ n: 1 });
    await write(other, 'b', { n: 2 });
    expect(await read(one, 'b')).toMatchObject({ n: 2 });
  });

  test('serves the methods of a subclass', async () => {
    class Own extends Store {
      override set(id: any, value: any, done?: any): any {
        this.sessions[id] = JSON.stringify(value);
        setImmediate(() => done());
      }
      override get(id: any, done?: any): any {
        const found = this.sessions[id];
        setImmediate(() => done(null, found && JSON.parse(found)));
      }
    }
    const store = new Own();
    made.push(store);
    await write(store, 'a', { n: 1 });
    expect(await read(store, 'a')).toMatchObject({ n: 1 });
  });
});

test('what can not be stored does no harm to what is', async () => {
  const store = makeStore();
  const { sessions } = store;
  sessions['a'] = '{"cookie":{}}';
  expect(Reflect.defineProperty(sessions, 'a', { enumerable: false })).toBe(false);
  expect(Reflect.defineProperty(sessions, 'a', { get: () => 'x' })).toBe(false);
  expect(Reflect.defineProperty(sessions, 'b', { value: 'x' })).toBe(true);
  expect(Reflect.defineProperty(sessions, 'c', { value: 'x', configurable: false })).toBe(false);
  expect(() => Object.freeze(sessions)).toThrow(TypeError);
  expect(Reflect.setPrototypeOf(sessions, {})).toBe(false);
  expect(() => {
    store.sessions = {
      d: 'x',
      e: {
        toString: () => {
          throw new Error('no text');
        },
      } as never,
    };
  }).toThrow('no text');
  expect({ ...sessions }).toEqual({ a: '{"cookie":{}}', b: 'x' });
  expect({ ...store.sessions }).toEqual({ a: '{"cookie":{}}', b: 'x' });
});

test('a session that is planted ends when its cookie does; a text that says nothing of that, after `ttl`', async () => {
  stopTheClock();
  const store = makeStore({ ttl: HOUR });
  store.sessions['a'] = JSON.stringify(sessionUntil(new Date(START + 1000)));
  store.sessions['b'] = JSON.stringify(session());
  store.sessions['c'] = 'no JSON';
  (store.sessions as Record<string, unknown>)['d'] = 7;
  store.sessions['e'] = JSON.stringify(sessionUntil(new Date(START - 1)));
  expect(Object.keys(store.sessions)).toEqual(['a', 'b', 'c', 'd']);
  jest.setSystemTime(START + 1000);
  expect(Object.keys(store.sessions)).toEqual(['b', 'c', 'd']);
  jest.setSystemTime(START + HOUR);
  expect(Object.keys(store.sessions)).toEqual([]);
});
