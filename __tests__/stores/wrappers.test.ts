import { createHash, createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import Keyv from 'keyv';
import { fromConnectStore } from '../../lib/adapters/connect.js';
import { fromKeyv } from '../../lib/adapters/key-value.js';
import { fromLoadSave } from '../../lib/adapters/load-save.js';
import { fromMap } from '../../lib/adapters/map.js';
import { toConnectStore } from '../../lib/adapters/to-connect.js';
import { conformance } from '../../lib/conformance/index.js';
import type { SteadyError } from '../../lib/errors.js';
import { type EncryptionKey, encrypt } from '../../lib/stores/encrypt.js';
import { hashIds } from '../../lib/stores/hash-ids.js';
import { MemoryStore } from '../../lib/stores/memory.js';
import { RedisStore } from '../../lib/stores/redis.js';
import { serialized } from '../../lib/stores/serialized.js';
import type { SessionStore, SetOptions } from '../../lib/stores/store.js';
import { ReferenceStore, type Row } from '../conformance/reference-store.js';
import { collect } from '../support/collect.js';
import { redisClient } from '../support/redis-client.js';
import { describeWith } from '../support/servers.js';

const { RedisStore: ConnectRedisStore } = require('connect-redis');
const { MemoryStore: TheirMemoryStore } = require('express-session'); // brings no types

const HOUR = 3_600_000;
const KEY = randomBytes(32);
const later = () => Date.now() + HOUR;
const hashOf = (id: string) => `sha256-${createHash('sha256').update(id).digest('base64url')}`;

const wrappers: Record<string, (store: SessionStore) => SessionStore> = {
  hashIds: (store) => hashIds(store),
  'hashIds without plain ids': (store) => hashIds(store, { plain: false }),
  encrypt: (store) => encrypt(store, KEY),
  'encrypt of hashIds': (store) => encrypt(hashIds(store), KEY),
  'hashIds of encrypt': (store) => hashIds(encrypt(store, KEY)),
};

describe.each(Object.entries(wrappers))('%s keeps the contract', (_, wrap) => {
  describe('over an atomic store', () => {
    let rows: Map<string, Row>;
    const store = () => {
      rows = new Map();
      return wrap(new ReferenceStore(rows));
    };
    conformance({ test, store, second: () => wrap(new ReferenceStore(rows)), separate: store });
  });

  describe('over the MemoryStore', () => {
    conformance({ test, store: () => wrap(new MemoryStore() as unknown as SessionStore) });
  });

  describe('over one that is not atomic, and keeps objects', () => {
    const store = () => {
      const sessions = new Map<string, [string, Date]>();
      return wrap(
        fromConnectStore({
          get(id, done) {
            const [json, expires] = sessions.get(id) ?? ['', new Date(0)];
            setImmediate(done, null, expires > new Date() ? JSON.parse(json) : null);
          },
          set(id, session, done) {
            sessions.set(id, [JSON.stringify(session), session.cookie.expires]);
            setImmediate(done!);
          },
          destroy(id, done) {
            sessions.delete(id);
            setImmediate(done!);
          },
        }),
      );
    };
    conformance({ test, atomic: 'in-process', values: 'session', store });
  });
});

/** As most databases say that there is nothing; {@link SessionStore} wants `undefined`. */
const wantsNull = (store: SessionStore): SessionStore => ({
  get: (async (id: string) => (await store.get(id)) ?? null) as SessionStore['get'],
  set: (id, text, how) => store.set(id, text, how),
  touch: (id, expires) => store.touch(id, expires),
  destroy: (id) => store.destroy(id),
});

test.each<[string, (store: SessionStore) => SessionStore]>([
  ...Object.entries(wrappers),
  ['a serializer', (store) => serialized(store, JSON)],
])('%s: a record that the store answers null for is none', async (_, wrap) => {
  const store = wrap(wantsNull(new ReferenceStore()));
  const text = '{"cookie":{}}';

  expect(await store.get('id')).toBeUndefined();
  expect(await store.set('id', text, { expires: later(), expected: text })).toBe(false);
  expect(await store.set('id', text, { expires: later(), expected: null })).toBe(true);
  expect(await store.get('id')).toBe(text);
});

test('toConnectStore(): so it is', async () => {
  const store = toConnectStore(wantsNull(new ReferenceStore()));

  expect(await store.get('id')).toBeUndefined();
});

describe.each(Object.entries(wrappers))('%s passes on', (name, wrap) => {
  test('the error of the store', async () => {
    const error = new Error('no connection');
    const fail = () => Promise.reject(error);
    const store = wrap({ get: fail, set: fail, touch: fail, destroy: fail });

    await expect(store.get('id')).rejects.toBe(error);
    await expect(store.touch('id', later())).rejects.toBe(error);
    await expect(store.destroy('id')).rejects.toBe(error);
    for (const expected of [undefined, null, 'text']) {
      const how: SetOptions = expected === undefined ? { expires: later() } : { expires: later(), expected };
      await expect(store.set('id', 'text', how)).rejects.toBe(error);
    }
  });

  test('close, on the store', async () => {
    const closed: unknown[] = [];
    const inner = Object.assign(new ReferenceStore(), {
      close(this: unknown) {
        closed.push(this);
      },
    });
    await wrap(inner).close!();

    expect(closed).toEqual([inner]);
  });

  test('atomic, as the store says', () => {
    const inner = new ReferenceStore();
    expect('atomic' in wrap(inner)).toBe(false);
    expect(wrap(Object.assign(new ReferenceStore(), { atomic: false })).atomic).toBe(false);
    expect(wrap(Object.assign(new ReferenceStore(), { atomic: true })).atomic).toBe(true);
  });

  test('getAndTouch, in one call to the store', async () => {
    const inner = new (class extends ReferenceStore {
      calls: string[] = [];
      override get(id: string) {
        this.calls.push('get');
        return super.get(id);
      }
      async getAndTouch(id: string, expires: number) {
        this.calls.push('getAndTouch');
        await super.touch(id, expires);
        return super.get(id);
      }
    })();
    const store = wrap(inner);
    await store.set('id', 'text', { expires: later() });
    const expires = later() + HOUR;
    inner.calls = [];
    expect(await store.getAndTouch!('id', expires)).toBe('text');
    expect([...inner.rows.values()].map((row) => row.expires)).toEqual([expires]);
    expect(inner.calls.filter((call) => call === 'get')).toEqual([]);
    expect(await store.getAndTouch!('unknown', expires)).toBe(undefined);
  });

  test('nothing that the store does not have', () => {
    const { get, set, touch, destroy } = fromMap(new Map());
    const optional = Object.keys(wrap({ get, set, touch, destroy })).filter(
      (key) => !['get', 'set', 'touch', 'destroy'].includes(key),
    );

    expect(optional).toEqual([]);
  });

  test(name === 'encrypt' ? 'ids' : 'no ids, since only their hashes are known', async () => {
    const store = wrap(new ReferenceStore());
    await store.set('id', 'text', { expires: later() });

    if (name === 'encrypt') expect(await collect(store.ids!())).toEqual(['id']);
    else expect(store.ids).toBe(undefined);
  });
});

describeWith('redis-server', 'encrypt of hashIds over Redis keeps the contract', () => {
  const client = redisClient();
  const store = (prefix: string) => encrypt(hashIds(new RedisStore({ client: client(), prefix })), KEY);

  conformance({
    test: test.concurrent,
    ttlGranularity: 100,
    store: () => store('sess:'),
    second: () => store('sess:'),
    separate: () => store('other:'),
  });

  test('and shows neither ids nor data', async () => {
    const [id, text] = ['the id', '{"cookie":{},"user":"alice"}'];
    await store('seen:').set(id, text, { expires: later() });
    const keys = await client().keys('seen:*');

    expect(keys).toEqual([`seen:${hashOf(id)}`]);
    expect(await client().get(keys[0]!)).toMatch(/^\{"A256GCM":"[\w-]{75}"\}$/);
  });
});

describe('hashIds', () => {
  let inner: ReferenceStore;
  let store: SessionStore;
  beforeEach(() => {
    inner = new ReferenceStore();
    store = hashIds(inner);
  });

  test('stores under the SHA-256 of the id, in base64url with a mark', async () => {
    await store.set('abc', 'text', { expires: later() });

    // FIPS 180-2, appendix B.1: the digest of "abc" is ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad.
    expect([...inner.rows.keys()]).toEqual(['sha256-ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0']);
  });

  test('what is found in the store opens nothing', async () => {
    await store.set('id', 'text', { expires: later() });
    const [stolen] = [...inner.rows.keys()] as [string];

    expect(await store.get(stolen)).toBe(undefined);
    expect(await store.touch(stolen, later())).toBe(false);
    expect(await store.set(stolen, 'mine', { expires: later(), expected: 'text' })).toBe(false);
    await store.set(stolen, 'mine', { expires: later() });
    await store.destroy(stolen);
    expect(await store.get('id')).toBe('text');
  });

  describe('a record under the plain id', () => {
    const plain = (text = 'text', expires = later()) => inner.rows.set('id', { text, expires });

    test('is moved when it is first read', async () => {
      plain();

      expect(await store.get('id')).toBe('text');
      expect([...inner.rows.keys()]).toEqual([hashOf('id')]);
      expect(await store.get('id')).toBe('text');
    });

    test('is moved by a touch, which gives it its expiry', async () => {
      plain();
      const expires = Date.now() + 5 * HOUR;

      expect(await store.touch('id', expires)).toBe(true);
      expect([...inner.rows]).toEqual([[hashOf('id'), { text: 'text', expires }]]);
    });

    test('is moved by getAndTouch, which gives it its expiry', async () => {
      plain();
      const expires = Date.now() + 5 * HOUR;
      const full = Object.assign(inner, {
        getAndTouch: async (id: string, until: number) =>
          (await inner.touch(id, until)) ? inner.get(id) : undefined,
      });

      expect(await hashIds(full).getAndTouch!('id', expires)).toBe('text');
      expect([...inner.rows]).toEqual([[hashOf('id'), { text: 'text', expires }]]);
    });

    test('counts for `expected: null`', async () => {
      plain();

      expect(await store.set('id', 'other', { expires: later(), expected: null })).toBe(false);
      expect(await store.get('id')).toBe('text');
    });

    test('counts for `expected: text`', async () => {
      plain();
      const expires = later();

      expect(await store.set('id', 'next', { expires, expected: 'other' })).toBe(false);
      expect(await store.set('id', 'next', { expires, expected: 'text' })).toBe(true);
      expect([...inner.rows]).toEqual([[hashOf('id'), { text: 'next', expires }]]);
    });

    test('is replaced by a set', async () => {
      plain();
      const expires = later();

      expect(await store.set('id', 'next', { expires })).toBe(true);
      expect([...inner.rows]).toEqual([[hashOf('id'), { text: 'next', expires }]]);
    });

    test('is destroyed', async () => {
      plain();
      await store.destroy('id');

      expect(inner.rows.size).toBe(0);
    });

    test('is no longer looked for with `plain: false`', async () => {
      plain();
      const strict = hashIds(inner, { plain: false });
      const asked: string[] = [];
      inner.get = async (id) => {
        asked.push(id);
        return undefined;
      };

      expect(await strict.get('id')).toBe(undefined);
      expect(await strict.touch('id', later())).toBe(false);
      expect(await strict.set('id', 'text', { expires: later(), expected: null })).toBe(true);
      expect(await strict.set('id', 'text', { expires: later() })).toBe(true);
      await strict.destroy('id');
      expect(asked).toEqual([hashOf('id')]);
      expect([...inner.rows.keys()]).toEqual(['id']);
    });

    test.each<[string, (now: number) => string, number]>([
      [
        'the expiry of its cookie',
        (now) => `{"cookie":{"expires":"${new Date(now + HOUR).toISOString()}"}}`,
        HOUR,
      ],
      ['a day, if the cookie has no expiry', () => '{"cookie":{"expires":null}}', 24 * HOUR],
      [
        'a day, if touches have moved the expiry on',
        (now) => `{"cookie":{"expires":"${new Date(now).toISOString()}"}}`,
        24 * HOUR,
      ],
      ['a day, if it is no session', () => 'text', 24 * HOUR],
      ['a day, if it has no cookie', () => 'null', 24 * HOUR],
    ])('gets %s', async (_, text, life) => {
      jest.useFakeTimers({ now: Date.UTC(2029, 0) });
      try {
        plain(text(Date.now()));
        await store.get('id');

        expect(inner.rows.get(hashOf('id'))!.expires - Date.now()).toBe(life);
      } finally {
        jest.useRealTimers();
      }
    });

    test('gets `ttl`, if given', async () => {
      jest.useFakeTimers({ now: Date.UTC(2029, 0) });
      try {
        plain();
        await hashIds(inner, { ttl: 5000 }).get('id');

        expect(inner.rows.get(hashOf('id'))!.expires - Date.now()).toBe(5000);
      } finally {
        jest.useRealTimers();
      }
    });
  });

  describe('a move and something else at once', () => {
    /** Two processes: a second wrapper over the same data, whose store waits before each step of the first. */
    function twoProcesses() {
      const rows = new Map<string, Row>([['id', { text: 'text', expires: later() }]]);
      const steps: (() => void)[] = [];
      class Slow extends ReferenceStore {
        async #turn<T>(step: () => Promise<T>): Promise<T> {
          await new Promise<void>((resolve) => steps.push(resolve));
          return step();
        }
        override get(id: string) {
          return this.#turn(() => super.get(id));
        }
        override set(id: string, text: string, how: SetOptions) {
          return this.#turn(() => super.set(id, text, how));
        }
        override destroy(id: string) {
          return this.#turn(() => super.destroy(id));
        }
      }
      const turn = () => new Promise((resolve) => setImmediate(resolve));
      return {
        /** The ids and texts that are stored and have not expired. */
        live: () =>
          [...rows].flatMap(([id, { text, expires }]) => (expires > Date.now() ? [[id, text]] : [])),
        slow: hashIds(new Slow(rows)),
        quick: hashIds(new ReferenceStore(rows)),
        /** Lets the slow one do so many of its steps. */
        async step(count: number) {
          for (let n = 0; n < count; n++) {
            await turn();
            steps.shift()?.();
          }
          await turn();
        },
      };
    }

    /** A move takes at most six steps: get hash, get plain, set hash, get plain, destroy, get hash. */
    const STEPS = [0, 1, 2, 3, 4, 5, 6, 7];

    test.each(STEPS)('a logout after step %i: the session is gone', async (count) => {
      const { live, slow, quick, step } = twoProcesses();
      const reading = slow.get('id');
      await step(count);
      await quick.destroy('id');
      await step(9);
      await reading;

      expect(live()).toEqual([]);
      expect(await quick.get('id')).toBe(undefined);
    });

    test.each(STEPS)('the steps of a logout after step %i of a move: the session is gone', async (count) => {
      const { live, slow, quick, step } = twoProcesses();
      const leaving = slow.destroy('id');
      await step(count % 3);
      await quick.get('id');
      await step(9);
      await leaving;

      expect(live()).toEqual([]);
    });

    test.each(STEPS)('another read after step %i: both see the session, and it stays', async (count) => {
      const { live, slow, quick, step } = twoProcesses();
      const reading = slow.get('id');
      await step(count);
      expect(await quick.get('id')).toBe('text');
      await step(9);

      expect(await reading).toBe('text');
      expect(await quick.get('id')).toBe('text');
      expect(live()).toEqual([[hashOf('id'), 'text']]);
    });

    test.each(STEPS)('a set after step %i: what was set stays', async (count) => {
      const { live, slow, quick, step } = twoProcesses();
      const reading = slow.get('id');
      await step(count);
      await quick.set('id', 'next', { expires: later() });
      await step(9);
      await reading;

      expect(live()).toEqual([[hashOf('id'), 'next']]);
    });

    test('within one process, a read and a logout', async () => {
      for (const first of ['read', 'logout']) {
        const slow = fromLoadSave(asyncBackend({ id: { user: 'alice' } }));
        const hashed = hashIds(slow);
        const read = () => hashed.get('id');
        const logout = () => hashed.destroy('id');
        await Promise.all(first === 'read' ? [read(), logout(), read()] : [logout(), read(), read()]);

        expect(await hashed.get('id')).toBe(undefined);
      }
    });

    test('within one process, many reads', async () => {
      const hashed = hashIds(fromLoadSave(asyncBackend({ id: { user: 'alice' } })));
      const reads = Array.from({ length: 10 }, () => hashed.get('id'));

      expect(await Promise.all(reads)).toEqual(Array(10).fill('{"user":"alice"}'));
    });
  });

  test('an unknown option is refused', () => {
    expect(() => hashIds(inner, { plains: true } as any)).toThrow(
      new TypeError('hashIds has no option plains; did you mean plain?'),
    );
  });

  test.each<[string, unknown, string]>([
    ['plain', 'false', 'hashIds: plain option must be true or false; got "false"'],
    ['ttl', '3600000', 'hashIds: ttl option must be a positive number of milliseconds; got "3600000"'],
    ['ttl', Number.NaN, 'hashIds: ttl option must be a positive number of milliseconds; got NaN (number)'],
  ])('the option %s as %p is refused', (name, value, message) => {
    expect(() => hashIds(inner, { [name]: value })).toThrow(new TypeError(message));
  });

  test('a life without an end: the moved record stays', async () => {
    const stored = fromKeyv(new Keyv());
    await stored.set('id', '{"cookie":{}}', { expires: later() });
    const hashed = hashIds(stored, { ttl: Infinity });
    for (const _ of ['moves it', 'finds it']) expect(await hashed.get('id')).toBe('{"cookie":{}}');
  });
});

describe.each([
  ['hashIds', (store: any) => hashIds(store)],
  ['encrypt', (store: any) => encrypt(store, KEY)],
])('%s refuses at start', (name, wrap) => {
  const needs = `${name}() needs a session store, with the methods get(), set(), touch(), destroy(), but it has no`;
  const wrapFirst =
    `${name}() needs a session store of this package's kind, and this one was made for express-session; ` +
    `wrap it first: ${name}(fromConnectStore(store))`;

  const withCallbacks = {
    get: (_id: string, _done: () => void) => {},
    set: (_id: string, _session: object, _done: () => void) => {},
    destroy: (_id: string, _done: () => void) => {},
  };

  test.each([
    ['nothing', undefined, `${needs} get(); got undefined`],
    ['a key, which it does not show', 'b8f1c0ffee', `${needs} get(); got a string`],
    ['an empty object', {}, `${needs} get(); got an object (Object)`],
    ['a store without touch', new Map(), `${needs} touch(); got an object (Map)`],
    [
      'a class',
      ReferenceStore,
      `${needs} get(); got a function (ReferenceStore); pass an instance of it: \`new ...\``,
    ],
    ['connect-redis', new ConnectRedisStore({ client: {} }), wrapFirst],
    ["express-session's own memory store", new TheirMemoryStore(), wrapFirst],
    ['what toConnectStore() gives', toConnectStore(new ReferenceStore()), wrapFirst],
    ['one that only calls back', withCallbacks, wrapFirst],
  ])('%s', (_, store, message) => {
    expect(() => wrap(store)).toThrow(new TypeError(message));
  });

  test('but not a store that was wrapped first', async () => {
    const store = wrap(fromConnectStore(new TheirMemoryStore(), { expiry: 'cookie' }));
    const text = '{"cookie":{}}';
    expect(await store.set('id', text, { expires: later() })).toBe(true);
    expect(await store.get('id')).toBe(text);
  });
});

/** A load/save back end that takes a turn of the event loop for each call. */
function asyncBackend(sessions: Record<string, object>) {
  const rows = new Map(Object.entries(sessions));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    async load(id: string) {
      await turn();
      return rows.get(id) ?? {};
    },
    async save(id: string, data: object, seconds: number) {
      await turn();
      if (seconds === 0) rows.delete(id);
      else rows.set(id, data);
    },
  };
}

describe('encrypt', () => {
  let inner: ReferenceStore;
  let reported: SteadyError[];
  const report = (error: SteadyError) => void reported.push(error);
  const sealed = (id = 'id') => inner.rows.get(id)!.text;
  const bytesOf = (text: string) => Buffer.from(JSON.parse(text).A256GCM, 'base64url');
  const put = (text: string, id = 'id') => inner.rows.set(id, { text, expires: later() });
  const expectUnreadable = async (store: SessionStore, id = 'id') => {
    reported = [];
    expect(await store.get(id)).toBe(undefined);
    expect(reported.map(({ code, message }) => [code, message])).toEqual([
      [
        'ERR_SESSION_DECRYPT',
        'a stored session could not be decrypted: it was changed, moved to another id, or encrypted with a key that is ' +
          'not given; it counts as no session',
      ],
    ]);
  };
  beforeEach(() => {
    inner = new ReferenceStore();
    reported = [];
  });

  test('stores JSON of an object that holds nonce, ciphertext and tag, and nothing of the text', async () => {
    const text = '{"cookie":{},"secret":"attack at dawn"}';
    await encrypt(inner, KEY).set('id', text, { expires: later() });

    expect(sealed()).toMatch(/^\{"A256GCM":"[\w-]+"\}$/);
    expect(bytesOf(sealed())).toHaveLength(12 + text.length + 16);
    expect(bytesOf(sealed()).includes('attack')).toBe(false);
  });

  test('the same text is stored differently each time', async () => {
    const store = encrypt(inner, KEY);
    const seen = new Set<string>();
    const nonces = new Set<string>();
    for (let n = 0; n < 100; n++) {
      await store.set('id', 'text', { expires: later() });
      seen.add(sealed());
      nonces.add(bytesOf(sealed()).subarray(0, 12).toString('hex'));
    }

    expect([seen.size, nonces.size]).toEqual([100, 100]);
  });

  test('a changed byte anywhere, or a missing one, makes it no session, and is reported', async () => {
    const store = encrypt(inner, KEY, { report });
    await store.set('id', 'text', { expires: later() });
    const bytes = bytesOf(sealed());
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      put(JSON.stringify({ A256GCM: changed.toString('base64url') }));
      await expectUnreadable(store);
      put(JSON.stringify({ A256GCM: bytes.subarray(0, at).toString('base64url') }));
      await expectUnreadable(store);
    }
    put(JSON.stringify({ A256GCM: bytes.toString('base64url') }));
    expect(await store.get('id')).toBe('text');
  });

  test.each([
    '',
    'text',
    'null',
    '5',
    '[]',
    '{}',
    '{"A256GCM":5}',
    '{"A256GCM":""}',
    '{"cookie":{},"user":"alice"}',
  ])('%p is no session, and is reported', async (text) => {
    put(text);

    await expectUnreadable(encrypt(inner, KEY, { report }));
  });

  test("another id's record is no session, and is reported", async () => {
    const store = encrypt(inner, KEY, { report });
    await store.set('admin', 'admin', { expires: later() });
    put(sealed('admin'));

    await expectUnreadable(store);
    expect(await store.get('admin')).toBe('admin');
  });

  test('a record that is no session counts as none for `expected`, and is overwritten', async () => {
    const store = encrypt(inner, KEY, { report });
    put('broken');

    expect(await store.set('id', 'text', { expires: later(), expected: 'broken' })).toBe(false);
    expect(sealed()).toBe('broken');
    expect(await store.set('id', 'text', { expires: later(), expected: null })).toBe(true);
    expect(await store.get('id')).toBe('text');
  });

  test('is reported by a warning, once, if there is no `report`', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    put('broken');
    await encrypt(inner, KEY).get('id');
    await encrypt(inner, KEY).get('id');
    const calls = warn.mock.calls;
    warn.mockRestore();

    expect(calls).toEqual([
      [
        expect.stringMatching(/^a stored session could not be decrypted: /),
        { type: 'SteadySessionWarning', code: 'WARN_SESSION_DECRYPT' },
      ],
    ]);
  });

  test('there is no report of a record that is not there', async () => {
    expect(await encrypt(inner, KEY, { report }).get('id')).toBe(undefined);
    expect(reported).toEqual([]);
  });

  describe('expected', () => {
    test('is compared once more when the same text was stored anew meanwhile', async () => {
      const store = encrypt(inner, KEY);
      await store.set('id', 'text', { expires: later() });
      const set = inner.set.bind(inner);
      let interfered = 0;
      inner.set = async (id, text, how) => {
        if (interfered++ < 3)
          await encrypt(new ReferenceStore(inner.rows), KEY).set('id', 'text', { expires: later() });
        return set(id, text, how);
      };

      expect(await store.set('id', 'next', { expires: later(), expected: 'text' })).toBe(true);
      expect(await store.get('id')).toBe('next');
      expect(interfered).toBe(4);
    });

    test('does not hold when another text was stored meanwhile', async () => {
      const store = encrypt(inner, KEY);
      await store.set('id', 'text', { expires: later() });
      const set = inner.set.bind(inner);
      inner.set = async (id, text, how) => {
        await encrypt(new ReferenceStore(inner.rows), KEY).set('id', 'other', { expires: later() });
        return set(id, text, how);
      };

      expect(await store.set('id', 'next', { expires: later(), expected: 'text' })).toBe(false);
      expect(await store.get('id')).toBe('other');
    });

    test('does not hold for ever when the store refuses for no reason', async () => {
      const store = encrypt(inner, KEY);
      await store.set('id', 'text', { expires: later() });
      inner.set = async () => false;

      expect(await store.set('id', 'next', { expires: later(), expected: 'text' })).toBe(false);
      expect(await store.set('new', 'next', { expires: later(), expected: null })).toBe(false);
    });

    test('a new record takes one step', async () => {
      const store = encrypt(inner, KEY);
      let reads = 0;
      inner.get = async () => {
        reads++;
        return undefined;
      };

      expect(await store.set('id', 'text', { expires: later(), expected: null })).toBe(true);
      expect(reads).toBe(0);
    });
  });

  describe('keys', () => {
    const TEXT_KEY = 'a text of just thirty-two chars.';

    test.each<[string, EncryptionKey, EncryptionKey]>([
      ['a Buffer, a Uint8Array or a KeyObject of the same bytes', KEY, new Uint8Array(KEY)],
      ['a Buffer or a KeyObject of the same bytes', KEY, createSecretKey(KEY)],
      ['a text', TEXT_KEY, TEXT_KEY],
    ])('%s', async (_, writing, reading) => {
      await encrypt(inner, writing).set('id', 'text', { expires: later() });

      expect(await encrypt(inner, [reading], { report }).get('id')).toBe('text');
      await expectUnreadable(encrypt(inner, randomBytes(32), { report }));
    });

    test('a text is not used as the key itself', async () => {
      await encrypt(inner, TEXT_KEY).set('id', 'text', { expires: later() });

      await expectUnreadable(encrypt(inner, Buffer.from(TEXT_KEY), { report }));
    });

    test('changing the bytes that were given changes nothing', async () => {
      const bytes = randomBytes(32);
      const store = encrypt(inner, bytes);
      await store.set('id', 'text', { expires: later() });
      bytes.fill(0);

      expect(await store.get('id')).toBe('text');
    });

    test('rotation: the first one encrypts, all of them decrypt', async () => {
      const [older, newer] = [randomBytes(32), randomBytes(32)];
      await encrypt(inner, older).set('id', 'text', { expires: later() });
      const both = encrypt(inner, [newer, older], { report });

      expect(await both.get('id')).toBe('text');
      expect(await both.set('id', 'next', { expires: later(), expected: 'text' })).toBe(true);
      expect(await encrypt(inner, newer, { report }).get('id')).toBe('next');
      expect(reported).toEqual([]);
      await expectUnreadable(encrypt(inner, older, { report }));
    });

    test.each<[string, unknown, string]>([
      ['none', [], 'encrypt() needs at least one key'],
      [
        'nothing',
        undefined,
        'a key of encrypt() must be a string, a Buffer or a secret KeyObject; got undefined',
      ],
      [
        'a number',
        [5],
        'a key of encrypt() must be a string, a Buffer or a secret KeyObject; got 5 (number)',
      ],
      [
        'a public key',
        generateKeyPairSync('ed25519').publicKey,
        'a key of encrypt() must be a string, a Buffer or a secret KeyObject; got a public key',
      ],
      [
        '16 bytes',
        randomBytes(16),
        'a key of encrypt() needs 32 bytes, as crypto.randomBytes(32) gives; got 16',
      ],
      [
        '33 bytes',
        [KEY, randomBytes(33)],
        'a key of encrypt() needs 32 bytes, as crypto.randomBytes(32) gives; got 33',
      ],
      [
        '16 bytes in a KeyObject',
        createSecretKey(randomBytes(16)),
        'a key of encrypt() needs 32 bytes, as crypto.randomBytes(32) gives; got 16',
      ],
      [
        'a password',
        'correct horse battery staple...',
        "a key of encrypt() that is a string needs at least 32 characters; got 31; make one with crypto.randomBytes(32).toString('base64')",
      ],
    ])('%s is refused', (_, keys, message) => {
      expect(() => encrypt(inner, keys as EncryptionKey)).toThrow(message);
    });
  });

  test('an unknown option is refused', () => {
    expect(() => encrypt(inner, KEY, { onError: report } as any)).toThrow(
      new TypeError('encrypt has no option onError; it has report'),
    );
    expect(() => encrypt(inner, KEY, { report: true } as any)).toThrow(
      new TypeError('encrypt: report option must be a function; got true (boolean)'),
    );
  });
});
