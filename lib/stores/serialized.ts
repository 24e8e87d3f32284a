import type { OwnedRecord, SessionStore } from './store.js';

/** How records become text, and back. Both work on plain JSON data: objects, arrays, strings, numbers, booleans, null. */
export interface Serializer {
  stringify(record: object): string;
  parse(text: string): unknown;
}

/** What stands for a text that the serializer can't read: no JSON, and so no session. */
const UNREADABLE = '';

/** A store whose texts are the serializer's, used by a core whose texts are JSON. */
export function serialized(store: SessionStore, serializer: Serializer): SessionStore {
  const { atomic, getAndTouch, ids, owned, onDestroy, close } = store;
  const toJson = (text: string): string => {
    try {
      return JSON.stringify(serializer.parse(text)) ?? UNREADABLE;
    } catch {
      return UNREADABLE;
    }
  };
  const fromJson = (json: string): string => serializer.stringify(JSON.parse(json));
  const optional = (text: string | null | undefined) => (text == null ? undefined : toJson(text));

  return {
    ...(atomic !== undefined && { atomic }),
    get: async (id) => optional(await store.get(id)),
    async set(id, json, how) {
      if (typeof how.expected !== 'string') return store.set(id, fromJson(json), how);
      // the same data may have several texts: the one that is stored is what the store is to compare with
      const stored = await store.get(id);
      if (stored == null || toJson(stored) !== how.expected) return false;
      return store.set(id, fromJson(json), { ...how, expected: stored });
    },
    touch: (id, expires, ...owner) => store.touch(id, expires, ...owner),
    destroy: (id, ...owner) => store.destroy(id, ...owner),
    ...(getAndTouch && {
      getAndTouch: async (id, expires) => optional(await getAndTouch.call(store, id, expires)),
    }),
    ...(ids && { ids: () => ids.call(store) }),
    ...(owned && { owned: (owner) => readable(owned.call(store, owner), toJson) }),
    ...(onDestroy && { onDestroy: (listener) => onDestroy.call(store, listener) }),
    ...(close && { close: () => close.call(store) }),
  };
}

async function* readable(
  records: AsyncIterable<OwnedRecord>,
  toJson: (text: string) => string,
): AsyncGenerator<OwnedRecord> {
  for await (const record of records) {
    yield {
      key: record.key,
      value: toJson(record.value),
      matches: (id) => record.matches(id),
      destroy: (...owner) => record.destroy(...owner),
    };
  }
}
