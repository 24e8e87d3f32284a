import { oneOf, readLife, readMilliseconds } from '../option-checks.js';
import type { SessionStore } from '../stores/store.js';
import { checkOptions } from '../stores/store-options.js';
import { answerOf } from './answer.js';
import { requireMethods } from './backend.js';
import {
  type ConnectSession,
  type Expiry,
  hasCookieExpiry,
  sessionOf,
  textOf,
  withExpiry,
} from './connect-session.js';
import { inTwoSteps } from './two-steps.js';

/** A store of express-session's (connect's) kind. Methods may also return promises instead of calling back. */
export interface ConnectStoreLike {
  get(sid: string, callback: (error?: any, session?: any) => void): unknown;
  set(sid: string, session: any, callback?: (error?: any) => void): unknown;
  destroy(sid: string, callback?: (error?: any) => void): unknown;
  touch?(sid: string, session: any, callback?: (error?: any) => void): unknown;
}

export interface ConnectStoreOptions {
  /**
   * How the store knows that a session has expired. Most note the expiry, or have the database do it, when they write:
   * `'store'`. Some look at the stored cookie when they read, and need the expiry there: `'cookie'`, for
   * session-file-store and express-session's own MemoryStore.
   * @default 'store'
   */
  expiry?: 'store' | 'cookie' | undefined;
  /**
   * The unit in which the store counts lives, in ms. Lives are rounded up to it. connect-memcached needs `1000`: it
   * rounds down, and would keep a session whose last second has begun for ever.
   * @default 1
   */
  ttlUnit?: number | undefined;
  /**
   * The longest life that the store can give, in ms. connect-memcached needs `2_592_000_000` (30 days): memcached
   * takes a longer one for a date long past.
   * @default Infinity
   */
  maxTtl?: number | undefined;
}

/**
 * Any store that was written for express-session, as a session store: connect-redis, connect-pg-simple,
 * connect-mongo, memorystore, session-file-store, better-sqlite3-session-store, connect-memcached and others. What
 * is stored stays express-session's JSON.
 *
 * Such a store can't compare and write in one step. It is made safe within this process (`atomic: false`); processes
 * that share it can still overwrite one another's changes. `touch` reads first, since such a store doesn't tell
 * whether there was something to touch.
 *
 * @throws TypeError if `store` lacks a method, or for an option that is unknown or no good.
 */
export function fromConnectStore(store: ConnectStoreLike, options: ConnectStoreOptions = {}): SessionStore {
  requireMethods('fromConnectStore', store, ['get', 'set', 'destroy']);
  checkOptions('fromConnectStore', options, ['expiry', 'ttlUnit', 'maxTtl']);
  const expiry = oneOf('fromConnectStore: expiry', options.expiry ?? 'store', ['store', 'cookie']);
  const ttlUnit = readMilliseconds('fromConnectStore: ttlUnit', options.ttlUnit ?? 1);
  const maxTtl = readLife('fromConnectStore: maxTtl', options.maxTtl ?? Infinity);

  const until = (expires: number, verbatim: boolean): Expiry => ({
    expires: Math.min(expires, Date.now() + maxTtl),
    unit: ttlUnit,
    verbatim,
  });

  const find = async (id: string): Promise<ConnectSession | undefined> =>
    (await answerOf<ConnectSession>(store, 'get', id).catch(nothingIfNoFile)) ?? undefined;

  const get = async (id: string): Promise<string | undefined> => {
    const session = await find(id);
    return session && textOf(session);
  };

  const adapted = inTwoSteps(store, {
    get,
    put: (id, text, expires) =>
      answerOf(store, 'set', id, sessionOf(text, until(expires, expiry === 'store'))),
    async touch(id, expires) {
      const session = await find(id);
      if (!session) return false;
      // A store that rewrites the record on touch may need the new expiry in it; one that doesn't never sees it.
      const verbatim = expiry === 'store' && !hasCookieExpiry(session);
      const touched = withExpiry(session, until(expires, verbatim));
      await answerOf(store, typeof store.touch === 'function' ? 'touch' : 'set', id, touched);
      return true;
    },
    destroy: (id) => answerOf(store, 'destroy', id),
  });
  return { ...adapted, ...optional(store, get) };
}

/** express-session takes the error of a missing file for "no session". */
function nothingIfNoFile(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

function optional(store: object, get: SessionStore['get']): Pick<SessionStore, 'ids' | 'close'> {
  const { ids, close } = store as { ids?: unknown; close?: unknown };

  // Some list what has expired too.
  async function* live(): AsyncGenerator<string> {
    for (const id of (await answerOf<string[]>(store, 'ids')) ?? []) {
      if ((await get(id)) !== undefined) yield id;
    }
  }
  return {
    ...(typeof ids === 'function' && { ids: live }),
    ...(typeof close === 'function' && { close: () => close.call(store) as Promise<void> | void }),
  };
}
