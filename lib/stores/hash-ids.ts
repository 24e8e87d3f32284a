import { lockOf } from '../adapters/lock.js';
import { readBoolean, readLife } from '../option-checks.js';
import { hashOf, MARK } from './id-hash.js';
import { requireSessionStore } from './require-session-store.js';
import type { OwnedRecord, SessionStore, SetOptions } from './store.js';
import { checkOptions } from './store-options.js';
import { endOfLife } from './time-left.js';

const DAY = 86_400_000;

export interface HashIdsOptions {
  /**
   * Whether records may still be stored under plain ids, from before the ids were hashed. Each is moved when it is
   * first read. Set `false` once those sessions have expired: it saves a read for each new session.
   * @default true
   */
  plain?: boolean | undefined;
  /**
   * The life, in ms, that a moved record gets if its cookie tells no expiry that is still to come; the next write or
   * touch, normally at the end of the same request, gives the right one.
   * @default 86_400_000 (24 hours)
   */
  ttl?: number | undefined;
}

/**
 * A session store that keeps no ids, only their SHA-256: who reads the database, or a copy of it, can't take over a
 * session with what is found there. An id has 192 random bits, so that its hash can't be reversed by trying.
 *
 * A record of id `x` is stored under `sha256-` and the base64url of the hash. What already looks like that is never
 * looked up as a plain id: or else a hash that was read in the database would be an id that works.
 *
 * There is no `ids`, since they are not known. There is `owned` if the store within has it; a session that was moved is
 * found once it has been written again. All else is as with the store within, `atomic` and `onDestroy` too.
 *
 * @throws TypeError if `store` lacks a method or is of express-session's kind, or for an option that is unknown or no good.
 */
export function hashIds(store: SessionStore, options: HashIdsOptions = {}): SessionStore {
  requireSessionStore('hashIds', store);
  checkOptions('hashIds', options, ['plain', 'ttl']);
  const plain = readBoolean('hashIds: plain', options.plain ?? true);
  const ttl = readLife('hashIds: ttl', options.ttl ?? DAY);
  const lock = lockOf(store);
  const mayBePlain = (id: string) => plain && !id.startsWith(MARK);

  /** Runs an operation on the hashed id; once more if that fails and the record may have yet to be moved. */
  const run = async <T>(id: string, operation: (hash: string) => Promise<T>): Promise<T> => {
    const result = await operation(hashOf(id));
    if (result || !mayBePlain(id)) return result;
    await lock.run(id, () => move(store, id, ttl));
    return operation(hashOf(id));
  };

  return {
    get: (id) => run(id, async (hash) => (await store.get(hash)) ?? undefined),
    async set(id: string, text: string, how: SetOptions) {
      const write = (hash: string) => store.set(hash, text, how);
      if (typeof how.expected === 'string') return run(id, write);
      if (how.expected === null && mayBePlain(id)) await lock.run(id, () => move(store, id, ttl));
      const written = await write(hashOf(id));
      if (how.expected === undefined && mayBePlain(id)) await store.destroy(id);
      return written;
    },
    touch: (id, expires, ...owner) => run(id, (hash) => store.touch(hash, expires, ...owner)),
    destroy: (id, ...owner) =>
      lock.run(id, async () => {
        // In this order: `move` takes a plain record that is gone for a logout.
        if (mayBePlain(id)) await store.destroy(id, ...owner);
        await store.destroy(hashOf(id), ...owner);
      }),
    ...(store.atomic !== undefined && { atomic: store.atomic }),
    ...(store.getAndTouch && {
      getAndTouch: (id: string, expires: number) => run(id, (hash) => store.getAndTouch!(hash, expires)),
    }),
    ...(store.owned && { owned: (owner: string) => underHashes(store.owned!(owner)) }),
    ...(store.onDestroy && { onDestroy: (listener) => store.onDestroy!(listener) }),
    ...(store.close && { close: () => store.close!() }),
  };
}

/** A record that has yet to be moved is known by its plain id. */
async function* underHashes(records: AsyncIterable<OwnedRecord>): AsyncGenerator<OwnedRecord> {
  for await (const found of records)
    yield {
      key: found.key,
      value: found.value,
      destroy: (...owner) => found.destroy(...owner),
      matches: (id) => found.matches(hashOf(id)) || (!id.startsWith(MARK) && found.matches(id)),
    };
}

/**
 * Moves the record of a plain id, if there is one, to its hash.
 *
 * Another process may move it too: only one of them creates the copy. Another process may destroy the session: the
 * copy stays only if the plain record was still there after it was made. Over a store that is not atomic, two processes
 * that move it at the same moment may lose it, and the user logs in again.
 */
async function move(store: SessionStore, id: string, ttl: number): Promise<void> {
  const text = await store.get(id);
  if (text == null) return;
  const hash = hashOf(id);
  const copied = await store.set(hash, text, { expires: expiryOf(text) ?? endOfLife(ttl), expected: null });
  if (!copied) return;
  if ((await store.get(id)) != null) await store.destroy(id);
  else await destroyIf(store, hash, text);
}

/** Destroys a record unless it was changed: an expiry in the past ends it, and `expected` makes that conditional. */
async function destroyIf(store: SessionStore, id: string, text: string): Promise<void> {
  await store.set(id, text, { expires: 0, expected: text });
}

/** When the cookie of a stored session expires, if it tells and that time is still to come. */
function expiryOf(text: string): number | undefined {
  try {
    const expires = Date.parse(JSON.parse(text).cookie.expires);
    return expires > Date.now() ? expires : undefined;
  } catch {
    return undefined; // encrypted, say
  }
}
