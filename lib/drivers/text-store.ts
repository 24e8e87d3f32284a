import { fromConnectStore } from '../adapters/connect.js';
import { withTombstones } from '../adapters/tombstones.js';
import type { Settings } from '../read-options.js';
import { isCallbackStore } from '../stores/contract.js';
import { inTurn } from '../stores/in-turn.js';
import { MemoryStore } from '../stores/memory.js';
import { type Serializer, serialized } from '../stores/serialized.js';
import type { SessionStore } from '../stores/store.js';
import type { TextStore } from './awaitable.js';
import { timedStore } from './timed-store.js';

/**
 * The store as one of text, that is silent no longer than it may. A callback store is made into one that is safe within
 * this process. The memory store answers at once, so that its answers need no timer.
 */
export function asTextStore({ store, storeTimeout, serializer }: Settings): TextStore {
  if (store instanceof MemoryStore) return textsOf(store);
  const texts = isCallbackStore(store)
    ? withTombstones(store, fromConnectStore(store))
    : safe(readable(store, serializer));
  return timedStore(texts, storeTimeout);
}

/** A store that can't compare and write in one step is at least safe within this process. */
function safe(store: SessionStore): SessionStore {
  return store.atomic === false ? inTurn(store) : store;
}

export function readable(store: SessionStore, serializer: Serializer | undefined): SessionStore {
  return serializer ? serialized(store, serializer) : store;
}

/** A memory store's texts, whatever they were put in as; at once, unless the app has replaced a method. */
function textsOf(store: MemoryStore): TextStore {
  return {
    get: (id) => store.records.read(id),
    set: (id, text, how) =>
      store.isPlain ? store.records.writeCompact(id, text, how) : store.set(id, text, how),
    touch: (id, expires) => (store.isPlain ? store.records.prolong(id, expires) : store.touch(id, expires)),
    destroy: (id) => (store.isPlain ? store.records.remove(id) : store.destroy(id)),
    ids: () => store.ids(),
    isSession: (id) => store.records.isSession(id),
  };
}
