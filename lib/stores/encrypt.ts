import { SteadyError } from '../errors.js';
import { readFunction } from '../option-checks.js';
import { warnOnce } from '../warnings.js';
import { type EncryptionKey, readKeys } from './encryption-keys.js';
import { requireSessionStore } from './require-session-store.js';
import { seal, unseal } from './sealed-text.js';
import type { OwnedRecord, SessionStore, SetOptions } from './store.js';
import { checkOptions } from './store-options.js';

export type { EncryptionKey } from './encryption-keys.js';

export interface EncryptOptions {
  /**
   * Told of each stored record that could not be decrypted, with an error of the code `ERR_SESSION_DECRYPT`. Such a
   * record counts as no session.
   * @default one warning per process
   */
  report?: ((error: SteadyError) => void) | undefined;
}

/**
 * A session store that keeps its texts encrypted, by AES-256-GCM: who reads the database learns nothing from them,
 * and who writes to it can't forge one, nor give a session the record of another, since the id is authenticated
 * with it. An earlier record of the same session can still be put back.
 *
 * The first key encrypts, all of them decrypt. To change keys: add the new one at the end everywhere, then put it
 * first, then take the old one out when what it encrypted has expired. What was stored without encryption is not
 * read: those users log in again.
 *
 * `expected` works as with the store within, `atomic` too; it takes one more read. Whose a session is (the option `owner`
 * of `session()`) is not encrypted, since the store has to find it. There is `owned` if the store within knows the ids, as
 * they are needed to decrypt: so `hashIds(encrypt(store, key))`, not the other way round.
 *
 * @throws TypeError if `store` lacks a method or is of express-session's kind, or for an option that is unknown or no good.
 * @throws TypeError, RangeError for a key that is none; the message never shows it.
 */
export function encrypt(
  store: SessionStore,
  keys: EncryptionKey | readonly EncryptionKey[],
  options: EncryptOptions = {},
): SessionStore {
  requireSessionStore('encrypt', store);
  checkOptions('encrypt', options, ['report']);
  const report = readFunction('encrypt: report', options.report ?? warn);
  const all = readKeys(keys);
  const sealed = (id: string, text: string) => seal(text, id, all[0]!);

  const textOf: TextOf = (id, stored) => {
    if (stored == null) return undefined; // as most databases say it
    const text = unseal(stored, id, all);
    if (text === undefined) report(unreadable());
    return text;
  };

  return {
    get: async (id) => textOf(id, await store.get(id)),
    async set(id: string, text: string, how: SetOptions) {
      const { expected } = how;
      if (expected === undefined) return store.set(id, sealed(id, text), how);
      if (expected === null && (await store.set(id, sealed(id, text), how))) return true;
      return replace({ store, textOf, id, how, expected, seal: () => sealed(id, text) });
    },
    touch: (id, expires, ...owner) => store.touch(id, expires, ...owner),
    destroy: (id, ...owner) => store.destroy(id, ...owner),
    ...(store.getAndTouch && {
      getAndTouch: async (id: string, expires: number) => textOf(id, await store.getAndTouch!(id, expires)),
    }),
    ...(store.ids && { ids: () => store.ids!() }),
    ...(store.ids && store.owned && { owned: (owner: string) => unsealed(store.owned!(owner), textOf) }),
    ...(store.onDestroy && { onDestroy: (listener) => store.onDestroy!(listener) }),
    ...(store.close && { close: () => store.close!() }),
    ...(store.atomic !== undefined && { atomic: store.atomic }),
  };
}

/** The text that was encrypted; `undefined` for none, and for what can't be decrypted. */
type TextOf = (id: string, stored: string | null | undefined) => string | undefined;

/** Writes if what is stored decrypts to `expected`, naming the stored text to the store: it is never twice the same. */
async function replace({
  store,
  textOf,
  id,
  how,
  expected,
  seal,
}: {
  store: SessionStore;
  textOf: TextOf;
  id: string;
  how: SetOptions;
  expected: string | null;
  seal: () => string;
}): Promise<boolean> {
  let stored = await store.get(id);
  for (;;) {
    if (textOf(id, stored) !== (expected ?? undefined)) return false;
    if (await store.set(id, seal(), { ...how, expected: stored ?? null })) return true;
    const before = stored;
    stored = await store.get(id);
    if (stored === before) return false;
  }
}

/** What can't be decrypted is left out, as it counts as no session. */
async function* unsealed(records: AsyncIterable<OwnedRecord>, textOf: TextOf): AsyncGenerator<OwnedRecord> {
  for await (const found of records) {
    const value = textOf(found.key, found.value);
    if (value === undefined) continue;
    yield {
      key: found.key,
      value,
      matches: (id) => found.matches(id),
      destroy: (...owner) => found.destroy(...owner),
    };
  }
}

function unreadable(): SteadyError {
  return new SteadyError(
    'ERR_SESSION_DECRYPT',
    'a stored session could not be decrypted: it was changed, moved to another id, or encrypted with a key that is ' +
      'not given; it counts as no session',
  );
}

function warn(error: SteadyError): void {
  warnOnce('WARN_SESSION_DECRYPT', error.message);
}
