import { SteadyError } from '../errors.js';
import type { SessionStore } from '../stores/store.js';
import { requireMethods } from './backend.js';
import { type KeptText, liveText } from './kept-text.js';
import { lockOf } from './lock.js';
import { inTwoSteps } from './two-steps.js';

/** What is used of a Keyv (version 5; also 4). */
export interface KeyvLike {
  get(key: string): Promise<any>;
  /** Reads without hiding errors; Keyv 5.5 and later. */
  getRaw?(key: string): Promise<{ value?: any } | undefined>;
  set(key: string, value: any, ttl?: number): Promise<any>;
  delete(key: string): Promise<any>;
  iterator?: any;
}

/** What is used of unstorage's storage. */
export interface UnstorageLike {
  getItem(key: string): Promise<any>;
  setItem(key: string, value: any, options?: any): Promise<any>;
  removeItem(key: string): Promise<any>;
  getKeys(): Promise<string[]>;
}

/** What is used of a cache of cache-manager 6 and later. */
export interface CacheManagerLike {
  stores: KeyvLike[];
}

/** How records are read and written in one kind of key-value store. */
interface KeyValue {
  read(key: string): Promise<unknown>;
  /** @param ttl how long the record is needed, in whole ms, at least 1 */
  write(key: string, record: KeptText, ttl: number): Promise<unknown>;
  remove(key: string): Promise<unknown>;
}

/**
 * A {@link https://keyv.org Keyv} as a session store. Use one Keyv, or one `namespace`, for sessions alone.
 *
 * Keyv can't compare and write in one step. It is made safe within this process (`atomic: false`). Errors that Keyv
 * keeps to itself, unless its `throwOnErrors` is set, come out here: a back end that is down is no empty one.
 *
 * @throws TypeError if `keyv` lacks a method.
 */
export function fromKeyv(keyv: KeyvLike): SessionStore {
  requireMethods('fromKeyv', keyv, ['get', 'set', 'delete']);
  if (keyv instanceof Map)
    throw new TypeError('fromKeyv() needs a Keyv, and this is a Map; use fromMap(map)');
  const store = fromKeyValue(keyv, keyvAccess(keyv));
  if (typeof keyv.iterator !== 'function') return store;
  return { ...store, ids: () => liveIds(store, keysOfKeyv(keyv)) };
}

/**
 * A {@link https://unstorage.unjs.io unstorage} storage, with any driver, as a session store. Where others use the
 * storage too, give sessions a `prefixStorage(storage, 'sessions')`.
 *
 * It can't compare and write in one step, and is made safe within this process (`atomic: false`). Drivers that know
 * TTLs are told; with others, such as files, an expired session is never given out, but it stays stored.
 *
 * @throws TypeError if `storage` lacks a method.
 */
export function fromUnstorage(storage: UnstorageLike): SessionStore {
  requireMethods('fromUnstorage', storage, ['getItem', 'setItem', 'removeItem', 'getKeys']);
  const store = fromKeyValue(storage, {
    read: (key) => storage.getItem(key),
    write: (key, record, ttl) => storage.setItem(key, record, { ttl: Math.ceil(ttl / 1000) }),
    remove: (key) => storage.removeItem(key),
  });
  return {
    ...store,
    // A driver for files may show half of what is just being written.
    get: (id) => lockOf(storage).run(id, () => store.get(id)),
    ids: () => liveIds(store, storage.getKeys()),
  };
}

/**
 * A cache of {@link https://cacheable.org/docs/cache-manager/ cache-manager} (6 or later) as a session store. With
 * several tiers each session is written to all and read from the first that has it: a tier in the memory of one
 * process doesn't see what other processes write, so have one only if there is one process.
 *
 * It can't compare and write in one step, and is made safe within this process (`atomic: false`). Errors that
 * cache-manager keeps to itself come out here.
 *
 * @throws TypeError if `cache` is not one of cache-manager 6 or later.
 */
export function fromCacheManager(cache: CacheManagerLike): SessionStore {
  if (!Array.isArray(cache?.stores)) {
    throw new TypeError('fromCacheManager() needs a cache of cache-manager 6 or later, which has `stores`');
  }
  for (const keyv of cache.stores) requireMethods('fromCacheManager', keyv, ['get', 'set', 'delete']);
  const tiers = cache.stores.map(keyvAccess);
  return fromKeyValue(cache, {
    async read(key) {
      for (const tier of tiers) {
        const record = await tier.read(key);
        if (record !== undefined) return record;
      }
      return undefined;
    },
    write: (key, record, ttl) => Promise.all(tiers.map((tier) => tier.write(key, record, ttl))),
    remove: (key) => Promise.all(tiers.map((tier) => tier.remove(key))),
  });
}

function keyvAccess(keyv: KeyvLike): KeyValue {
  const read = async (key: string) =>
    (keyv.getRaw ? (await keyv.getRaw(key))?.value : await keyv.get(key)) ?? undefined;
  return {
    read,
    async write(key, record, ttl) {
      if ((await keyv.set(key, record, ttl)) === false) throw failed('store');
    },
    async remove(key) {
      // `false` says that there was no such key, or that the back end failed.
      if ((await keyv.delete(key)) === false && (await read(key)) !== undefined) throw failed('destroy');
    },
  };
}

function failed(what: string): SteadyError {
  return new SteadyError(
    'ERR_SESSION_STORE_FAILED',
    `Keyv could not ${what} a session; its 'error' event tells why: keyv.on('error', console.error)`,
  );
}

async function keysOfKeyv(keyv: KeyvLike): Promise<string[]> {
  const keys: string[] = [];
  for await (const [key] of keyv.iterator() as AsyncIterable<[string]>) keys.push(key);
  return keys;
}

function fromKeyValue(backend: object, access: KeyValue): SessionStore {
  return inTwoSteps(backend, {
    get: async (id) => liveText(await access.read(keyOf(id))),
    put: (id, text, expires) =>
      access.write(keyOf(id), { text, expires }, Math.max(1, Math.ceil(expires - Date.now()))),
    destroy: (id) => access.remove(keyOf(id)),
  });
}

/** Those of the keys that are ours and live. */
async function* liveIds(store: SessionStore, keys: Promise<string[]>): AsyncGenerator<string> {
  for (const key of await keys) {
    const id = idOf(key);
    if (id !== undefined && (await store.get(id)) !== undefined) yield id;
  }
}

/**
 * An id as a key of letters, digits, `-`, `_` and `%`. Other characters mean something to one back end or another: to
 * unstorage `a/b` is `a:b` and `a?b` is `a`, to Keyv `keyv:a` is `a`, and to a file system much is something else.
 */
function keyOf(id: string): string {
  return encodeURIComponent(id).replace(
    /[.!~*'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
}

function idOf(key: string): string | undefined {
  try {
    return decodeURIComponent(key);
  } catch {
    return undefined; // not a key of ours
  }
}
