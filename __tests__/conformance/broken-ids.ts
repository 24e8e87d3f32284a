import { resolve } from 'node:path';
import type { SetOptions } from '../../lib/stores/store.js';
import type { BrokenStore, StoreClass } from './broken-store.js';
import { ReferenceStore, type Row } from './reference-store.js';

/** A store that changes the ids on their way to the data. */
function onKeys(change: (id: string) => string): StoreClass {
  return class extends ReferenceStore {
    override get(id: string) {
      return super.get(change(id));
    }
    override set(id: string, text: string, how: SetOptions) {
      return super.set(change(id), text, how);
    }
    override touch(id: string, expires: number) {
      return super.touch(change(id), expires);
    }
    override destroy(id: string) {
      return super.destroy(change(id));
    }
  };
}

/** A map that keeps its entries as properties of an ordinary object. */
class PlainObjectMap extends Map<string, Row> {
  readonly #object: Record<string, Row> = {};
  override get(key: string) {
    return this.#object[key];
  }
  override has(key: string) {
    return this.#object[key] !== undefined;
  }
  override set(key: string, row: Row) {
    this.#object[key] = row;
    return this;
  }
  override delete(key: string) {
    return delete this.#object[key];
  }
  override keys() {
    return new Map(Object.entries(this.#object)).keys();
  }
}

/** Faults in telling ids apart. */
export const brokenIds: BrokenStore[] = [
  {
    fault: 'destroy removes every key with that prefix',
    caughtBy: 'ids: look-alikes are different records',
    also: [
      'ids: patterns, separators and quotes in an id are only characters',
      'ids: unicode, control characters and great length are kept apart, or refused with an error',
    ],
    Store: class extends ReferenceStore {
      override async destroy(id: string) {
        for (const key of this.rows.keys()) if (key.startsWith(id)) this.rows.delete(key);
      }
    },
  },
  {
    fault: 'destroy takes * for a pattern',
    caughtBy: 'ids: patterns, separators and quotes in an id are only characters',
    Store: class extends ReferenceStore {
      override async destroy(id: string) {
        const [head, tail] = id.split('*') as [string, string?];
        for (const key of this.rows.keys()) {
          if (tail === undefined ? key === id : key.startsWith(head) && key.endsWith(tail))
            this.rows.delete(key);
        }
      }
    },
  },
  {
    fault: 'ids are lower-cased',
    caughtBy: 'ids: look-alikes are different records',
    also: [
      'basics: ids lists each live record once',
      'many records: each is kept, found and removed',
      'ids: `__proto__` and the like are ordinary ids',
      'ids: patterns, separators and quotes in an id are only characters',
      'ids: unicode, control characters and great length are kept apart, or refused with an error',
    ],
    Store: onKeys((id) => id.toLowerCase()),
  },
  {
    fault: 'ids are cut at 32 characters, as in a narrow column',
    caughtBy: 'ids: look-alikes are different records',
    also: [
      'ids: patterns, separators and quotes in an id are only characters',
      'ids: unicode, control characters and great length are kept apart, or refused with an error',
    ],
    Store: onKeys((id) => id.slice(0, 32)),
  },
  {
    fault: 'ids end at a NUL',
    caughtBy: 'ids: unicode, control characters and great length are kept apart, or refused with an error',
    Store: onKeys((id) => id.split('\0')[0]!),
  },
  {
    fault: 'ids become the path of a URL or a file',
    caughtBy: 'ids: patterns, separators and quotes in an id are only characters',
    Store: onKeys((id) => resolve('/sessions', id).slice('/sessions/'.length)),
  },
  {
    fault: 'records are the properties of a plain object',
    caughtBy: 'ids: `__proto__` and the like are ordinary ids',
    Store: class extends ReferenceStore {
      constructor() {
        super(new PlainObjectMap());
      }
    },
  },
  {
    fault: 'get throws instead of rejecting',
    caughtBy: 'ids: unicode, control characters and great length are kept apart, or refused with an error',
    Store: class extends ReferenceStore {
      override get(id: string) {
        if (id.includes('\0')) throw new Error('bad id');
        return super.get(id);
      }
    },
  },
  {
    fault: 'ids takes the prefix away by splitting the key at each colon',
    caughtBy: 'ids: patterns, separators and quotes in an id are only characters',
    Store: class extends ReferenceStore {
      override async *ids() {
        for await (const id of super.ids()) yield `sess:${id}`.split(':')[1]!;
      }
    },
  },
  {
    fault: 'ids that do not fit are refused with a text',
    caughtBy: 'ids: unicode, control characters and great length are kept apart, or refused with an error',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        if (id.length > 250) throw 'key too long';
        return super.set(id, text, how);
      }
    },
  },
];
