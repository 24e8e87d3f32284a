import type { SetOptions } from '../../lib/stores/store.js';
import type { BrokenStore } from './broken-store.js';
import { ReferenceStore } from './reference-store.js';

/** Faults in storing, prolonging and ending records as such. */
export const brokenBasics: BrokenStore[] = [
  {
    fault: 'ids gives the keys with their prefix',
    caughtBy: 'basics: ids lists each live record once',
    also: [
      'many records: each is kept, found and removed',
      'ids: look-alikes are different records',
      'ids: `__proto__` and the like are ordinary ids',
      'ids: patterns, separators and quotes in an id are only characters',
      'ids: unicode, control characters and great length are kept apart, or refused with an error',
    ],
    Store: class extends ReferenceStore {
      override async *ids() {
        for (const id of this.rows.keys()) if (this.live(id)) yield `sess:${id}`;
      }
    },
  },
  {
    fault: 'get gives null when there is nothing',
    caughtBy: 'basics: get of an unknown id is undefined',
    Store: class extends ReferenceStore {
      override async get(id: string) {
        return this.live(id)?.text ?? (null as unknown as undefined);
      }
    },
  },
  {
    fault: "set resolves to the client's OK",
    caughtBy: 'basics: set resolves to true, and get gives the text exactly',
    also: [
      'basics: set without `expected` replaces what is there',
      'expected null: writes where there is no record',
      'expected null: writes again after a destroy',
      'expected text: writes over exactly that text',
      'touch: what was stored still counts as `expected` afterwards',
      'expiry: `expected: null` writes over an expired record',
      'values: a long text comes back whole',
      'values: control characters, NUL included, come back unchanged',
      'values: keys such as `__proto__` stay data',
      'values: quotes, escapes and code are only text',
      'values: text that is no JSON of a session is kept too',
      'values: unicode comes back unchanged',
      'values: the empty text is a text, and not the lack of one',
      'expected text: writing what is there already is a write too',
      'expiry: a set with a time in the past ends a record only if `expected` holds',
    ],
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        return (await super.set(id, text, how)) && ('OK' as unknown as true);
      }
    },
  },
  {
    fault: 'two-step writes are passed off as atomic',
    caughtBy: 'basics: `atomic` says how `expected` works',
    options: { atomic: false },
    Store: ReferenceStore,
  },
  {
    fault: 'touch upserts',
    caughtBy: 'touch: of an unknown id is false and makes no record',
    also: [
      'touch: after a destroy is false and makes no record',
      'expiry: touch does not revive an expired record',
      'races: a touch never brings back what is being destroyed',
    ],
    Store: class extends ReferenceStore {
      override async touch(id: string, expires: number) {
        this.rows.set(id, { text: this.live(id)?.text ?? '{}', expires });
        return true;
      }
    },
  },
  {
    fault: 'touch says false when nothing changes (the affected rows of MySQL)',
    caughtBy: 'touch: with the expiry that the record already has is true',
    Store: class extends ReferenceStore {
      override async touch(id: string, expires: number) {
        return this.live(id)?.expires !== expires && super.touch(id, expires);
      }
    },
  },
  {
    fault: 'touch says true whatever there is',
    caughtBy: 'touch: of an unknown id is false and makes no record',
    also: [
      'touch: after a destroy is false and makes no record',
      'expiry: touch does not revive an expired record',
    ],
    Store: class extends ReferenceStore {
      override async touch(id: string, expires: number) {
        await super.touch(id, expires);
        return true;
      }
    },
  },
  {
    fault: 'touch rewrites the text with the new expiry in the cookie',
    caughtBy: 'touch: resolves to true and leaves the text alone',
    also: [
      'touch: what was stored still counts as `expected` afterwards',
      'expiry: touch prolongs a record, up to the new expiry',
      'expiry: a record may live for years',
      'races: a touch never undoes a set',
      'expiry: touch shortens the life of a record',
    ],
    Store: class extends ReferenceStore {
      override async touch(id: string, expires: number) {
        const row = this.live(id);
        if (row)
          row.text = row.text.replace(/"expires":[^,]*/, `"expires":"${new Date(expires).toISOString()}"`);
        return super.touch(id, expires);
      }
    },
  },
  {
    fault: 'destroy rejects when there is no record',
    caughtBy: 'destroy: of an unknown id is fine',
    also: ['destroy: twice is fine', 'ids: `__proto__` and the like are ordinary ids'],
    Store: class extends ReferenceStore {
      override async destroy(id: string) {
        if (!this.rows.delete(id)) throw new Error('no such session');
      }
    },
  },
  {
    fault: 'destroy only marks the record for a sweep',
    caughtBy: 'destroy: removes the record',
    also: [
      'basics: ids lists each live record once',
      'expected null: writes again after a destroy',
      'expected text: refuses after a destroy, and makes no record',
      'touch: after a destroy is false and makes no record',
      'destroy: twice is fine',
      'races: a touch never brings back what is being destroyed',
      'races: a set that expects a text never brings back what is being destroyed',
      'many records: each is kept, found and removed',
      'ids: `__proto__` and the like are ordinary ids',
      'ids: look-alikes are different records',
      'ids: patterns, separators and quotes in an id are only characters',
      'ids: unicode, control characters and great length are kept apart, or refused with an error',
    ],
    Store: class extends ReferenceStore {
      override async destroy(id: string) {
        const row = this.rows.get(id);
        if (row) row.expires = Date.now() + 60_000;
      }
    },
  },
  {
    fault: 'ids gives the first page only',
    caughtBy: 'many records: each is kept, found and removed',
    Store: class extends ReferenceStore {
      override async *ids() {
        yield* [...this.rows.keys()].filter((id) => this.live(id)).slice(0, 100);
      }
    },
  },
  {
    fault: 'ids gives the first 1000, as many a database does',
    caughtBy: 'many records: each is kept, found and removed',
    Store: class extends ReferenceStore {
      override async *ids() {
        yield* [...this.rows.keys()].filter((id) => this.live(id)).slice(0, 1000);
      }
    },
  },
  {
    fault: 'what does not fit is thrown out, as a cache does',
    caughtBy: 'many records: each is kept, found and removed',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        for (const oldest of this.rows.keys()) {
          if (this.rows.size < 500) break;
          this.rows.delete(oldest);
        }
        return super.set(id, text, how);
      }
    },
  },
  {
    fault: 'nothing else can be done while ids lists, as with a cursor over the only connection',
    caughtBy: 'basics: ids lists each live record once',
    Store: class extends ReferenceStore {
      #isBusy = false;
      override async *ids() {
        this.#isBusy = true;
        yield* super.ids();
        this.#isBusy = false;
      }
      override async get(id: string) {
        if (this.#isBusy) throw new Error('this connection is busy with a query');
        return super.get(id);
      }
    },
  },
];
