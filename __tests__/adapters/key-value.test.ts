import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCache } from 'cache-manager';
import Keyv from 'keyv';
import { createStorage, prefixStorage } from 'unstorage';
import fsDriver from 'unstorage/drivers/fs-lite';
import { fromCacheManager, fromKeyv, fromUnstorage } from '../../lib/adapters/key-value.js';
import { conformance } from '../../lib/conformance/index.js';
import type { SessionStore } from '../../lib/stores/store.js';
import { verdict } from '../conformance/run-kit.js';
import { collect } from '../support/collect.js';

const OUTAGE = 'outage: without its back end the store rejects or is right, and it recovers';
const HOUR = 3_600_000;
const later = () => Date.now() + HOUR;

/** A back end of Keyv that can be taken away: then it rejects, as one over a network does. */
class FragileMap extends Map<string, unknown> {
  down = false;
  #up() {
    if (this.down) throw new Error('no connection');
  }
  override get(key: string) {
    this.#up();
    return super.get(key);
  }
  override set(key: string, value: unknown) {
    this.#up();
    return super.set(key, value);
  }
  override delete(key: string) {
    this.#up();
    return super.delete(key);
  }
  interrupt() {
    this.down = true;
    return async () => {
      this.down = false;
    };
  }
}

describe('Keyv keeps the contract', () => {
  let map: Map<string, unknown>;
  let keyv: Keyv;
  const store = () => {
    map = new Map();
    keyv = new Keyv({ store: map });
    return fromKeyv(keyv);
  };
  conformance({
    test,
    atomic: 'in-process',
    store,
    second: () => fromKeyv(new Keyv({ store: map })),
    separate: () => fromKeyv(new Keyv({ store: map, namespace: 'other' })),
  });
});

describe('cache-manager keeps the contract', () => {
  describe('in memory', () => {
    conformance({ test, atomic: 'in-process', store: () => fromCacheManager(createCache()) });
  });
  describe('with two tiers', () => {
    const store = () => fromCacheManager(createCache({ stores: [new Keyv(), new Keyv()] }));
    conformance({ test, atomic: 'in-process', store, separate: store });
  });
});

describe('unstorage keeps the contract', () => {
  describe('in memory', () => {
    const storage = createStorage();
    conformance({
      test,
      atomic: 'in-process',
      store: () => fromUnstorage(storage),
      second: () => fromUnstorage(storage),
      separate: () => fromUnstorage(prefixStorage(storage, 'other')),
    });
  });
  describe('in files', () => {
    let base: string;
    beforeAll(() => {
      base = mkdtempSync(join(tmpdir(), 'steady-unstorage-'));
    });
    afterAll(() => rmSync(base, { recursive: true }));
    const store = () => fromUnstorage(createStorage({ driver: fsDriver({ base }) }));

    conformance({ test, atomic: 'in-process', count: 200, store });
    test('names of files are plain', async () => {
      await store().set('../é', 'text', { expires: later() });

      expect(readdirSync(base)).toContain('%2e%2e%2F%C3%A9');
    });
  });
});

describe('an outage is no empty store', () => {
  const adapters: Record<string, (map: FragileMap) => SessionStore> = {
    Keyv: (store) => fromKeyv(new Keyv({ store })),
    'Keyv that throws': (store) => fromKeyv(new Keyv({ store, throwOnErrors: true })),
    'cache-manager': (store) => fromCacheManager(createCache({ stores: [new Keyv({ store })] })),
  };
  test.each(Object.keys(adapters))('%s', async (name) => {
    let map = new FragileMap();
    const error = await verdict(OUTAGE, {
      store: () => {
        map = new FragileMap();
        return adapters[name]!(map);
      },
      interrupt: async () => map.interrupt(),
    });

    expect(error).toBe(undefined);
  });

  const hint = "its 'error' event tells why: keyv.on('error', console.error)";
  test('Keyv hides why it could not write: the error says where to look', async () => {
    const map = new FragileMap();
    const store = fromKeyv(new Keyv({ store: map }));
    map.down = true;

    await expect(store.set('id', 'text', { expires: later() })).rejects.toMatchObject({
      code: 'ERR_SESSION_STORE_FAILED',
      message: `Keyv could not store a session; ${hint}`,
    });
  });

  test('a record that Keyv could not delete has not been destroyed', async () => {
    class Sticky extends Map<string, unknown> {
      override delete() {
        return false;
      }
    }
    const store = fromKeyv(new Keyv({ store: new Sticky() }));
    await store.destroy('id');
    await store.set('id', 'text', { expires: later() });

    await expect(store.destroy('id')).rejects.toMatchObject({
      code: 'ERR_SESSION_STORE_FAILED',
      message: `Keyv could not destroy a session; ${hint}`,
    });
  });
});

describe('Keyv', () => {
  test('is told the life, so that the back end lets the record go', async () => {
    const lives: unknown[] = [];
    class Telling extends Map<string, unknown> {
      override set(key: string, value: unknown, ...rest: unknown[]) {
        lives.push(...rest);
        return super.set(key, value);
      }
    }
    const before = Date.now();
    const store = fromKeyv(new Keyv({ store: new Telling() }));
    await store.set('id', 'text', { expires: before + HOUR });
    await store.set('id', 'text', { expires: before - 1 });

    expect(lives).toHaveLength(1);
    expect(lives[0]).toBeGreaterThan(HOUR - 1000);
    expect(lives[0]).toBeLessThanOrEqual(HOUR);
  });

  test('of version 4, without getRaw, works too', async () => {
    const rows = new Map<string, unknown>();
    const store = fromKeyv({
      get: async (key) => rows.get(key),
      set: async (key, value) => Boolean(rows.set(key, value)),
      delete: async (key) => rows.delete(key),
    });
    expect(store.ids).toBe(undefined);
    expect(await store.set('id', 'text', { expires: later(), expected: null })).toBe(true);
    expect(await store.get('id')).toBe('text');
    await store.destroy('id');
    expect(await store.get('id')).toBe(undefined);
  });

  test('what others have put in is no record', async () => {
    const keyv = new Keyv();
    const store = fromKeyv(keyv);
    for (const value of [
      'text',
      5,
      null,
      { text: 'text' },
      { text: 1, expires: later() },
      { text: 'a', expires: 'b' },
    ]) {
      await keyv.set('id', value);
      expect(await store.get('id')).toBe(undefined);
    }
    await keyv.set('%', { text: 'text', expires: later() }); // no key that an id gives
    await store.set('mine', 'text', { expires: later() });
    expect(await collect(store.ids!())).toEqual(['mine']);
  });
});

describe('unstorage', () => {
  test('is told the life in whole seconds, rounded up', async () => {
    const options: unknown[] = [];
    const storage = createStorage();
    const store = fromUnstorage({
      ...storage,
      setItem: (key: string, value: any, option: unknown) => {
        options.push(option);
        return storage.setItem(key, value);
      },
    });
    await store.set('id', 'text', { expires: Date.now() + 900 });
    await store.set('id', 'text', { expires: Date.now() + 59_900 });

    expect(options).toEqual([{ ttl: 1 }, { ttl: 60 }]);
  });

  test('lists only what is ours and live', async () => {
    const storage = createStorage();
    const store = fromUnstorage(storage);
    await storage.setItem('theirs', 'text');
    await store.set('mine/and yours?', 'text', { expires: later() });
    await store.set('short', 'text', { expires: Date.now() + 5 });
    await new Promise((resolve) => setTimeout(resolve, 10));

    expect(await collect(store.ids!())).toEqual(['mine/and yours?']);
  });

  test('a read waits for a write of the same id, which a file may show half done', async () => {
    const storage = createStorage();
    let finish!: () => void;
    const written = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let half = true;
    const store = fromUnstorage({
      ...storage,
      getItem: async (key: string) => (half ? '{"te' : storage.getItem(key)),
      setItem: async (key: string, value: any) => {
        await written;
        half = false;
        await storage.setItem(key, value);
      },
    });
    const set = store.set('id', 'text', { expires: later() });
    const get = store.get('id');
    finish();

    expect([await set, await get]).toEqual([true, 'text']);
  });
});

describe('cache-manager', () => {
  test('writes to each tier, reads from the first that has the record, and destroys in all', async () => {
    const tiers = [new Keyv(), new Keyv()] as const;
    const store = fromCacheManager(createCache({ stores: [...tiers] }));
    const texts = async () => Promise.all(tiers.map(async (tier) => (await tier.get('id'))?.text));
    await store.set('id', 'text', { expires: later() });
    expect(await texts()).toEqual(['text', 'text']);

    await tiers[1].set('id', { text: 'second', expires: later() });
    expect(await store.get('id')).toBe('text');
    await tiers[0].delete('id');
    expect(await store.get('id')).toBe('second');

    await store.destroy('id');
    expect(await texts()).toEqual([undefined, undefined]);
  });

  test('ids can not be listed', () => {
    expect(fromCacheManager(createCache()).ids).toBe(undefined);
  });
});

describe('bad arguments', () => {
  test.each<[string, () => unknown, string]>([
    [
      'no Keyv',
      () => fromKeyv({ get() {}, set() {} } as any),
      'fromKeyv() needs an object with the methods get(), set(), delete(), but it has no delete();',
    ],
    [
      'a Map',
      () => fromKeyv(new Map() as any),
      'fromKeyv() needs a Keyv, and this is a Map; use fromMap(map)',
    ],
    ['the class', () => fromKeyv(Keyv as any), 'got a function (Keyv); pass an instance of it: `new ...`'],
    [
      'no storage',
      () => fromUnstorage(new Map() as any),
      'fromUnstorage() needs an object with the methods getItem(), setItem(), removeItem(), getKeys(), but it has no getItem(); got an object (Map)',
    ],
    [
      'no cache',
      () => fromCacheManager(undefined as any),
      'fromCacheManager() needs a cache of cache-manager 6 or later, which has `stores`',
    ],
    [
      'an old cache',
      () => fromCacheManager({ get() {}, set() {}, del() {} } as any),
      'fromCacheManager() needs a cache of cache-manager 6',
    ],
    [
      'a cache of something else',
      () => fromCacheManager({ stores: [{}] } as any),
      'fromCacheManager() needs an object with the methods get(), set(), delete(), but it has no get();',
    ],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });
});
