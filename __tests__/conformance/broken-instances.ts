import type { OwnedRecord, SetOptions } from '../../lib/stores/store.js';
import { type BrokenStore, tick } from './broken-store.js';
import { FullStore } from './full-store.js';
import { ReferenceStore, type Row } from './reference-store.js';

const shared = new Map<string, Row>();

/** Keeps in one place whose records those of all instances are. */
class UnprefixedOwners extends FullStore {
  static readonly #all = new Map<string, { its: string; store: UnprefixedOwners }>();

  override async set(id: string, text: string, how: SetOptions) {
    const written = await super.set(id, text, how);
    if (written && how.owner !== undefined) UnprefixedOwners.#all.set(id, { its: how.owner, store: this });
    return written;
  }

  override async *owned(owner: string): AsyncGenerator<OwnedRecord> {
    for (const [key, { its, store }] of UnprefixedOwners.#all) {
      const value = its === owner ? await store.get(key) : undefined;
      if (value !== undefined)
        yield { key, value, matches: (id) => id === key, destroy: () => store.destroy(key) };
    }
  }
}

/** Faults that show with two instances. */
export const brokenInstances: BrokenStore[] = [
  {
    fault: 'an instance keeps a cache of its own in front of the data',
    twoInstances: true,
    caughtBy: 'two instances: one reads what the other has set',
    also: [
      'two instances: one no longer sees what the other has destroyed',
      'races of two instances: no increment by compare-and-set is lost',
    ],
    Store: class extends ReferenceStore {
      readonly #read = new Map<string, string>();
      override async get(id: string) {
        const text = this.#read.get(id) ?? (await super.get(id));
        if (text !== undefined && this.rows.get(id)!.expires > Date.now() + 60_000) this.#read.set(id, text);
        return text;
      }
      override set(id: string, text: string, how: SetOptions) {
        const written = super.set(id, text, how);
        if (how.expires < Date.now() + 60_000) this.#read.delete(id);
        else if (this.rows.get(id)?.text === text) this.#read.set(id, text);
        return written;
      }
      override async touch(id: string, expires: number) {
        this.#read.delete(id);
        return super.touch(id, expires);
      }
      override async destroy(id: string) {
        this.#read.delete(id);
        return super.destroy(id);
      }
    },
  },
  {
    fault: 'compare-and-set is locked within one instance only',
    twoInstances: true,
    caughtBy: 'races of two instances: of many that expect the same text, exactly one wins',
    also: [
      'races of two instances: of many that create a record, exactly one wins',
      'races of two instances: no increment by compare-and-set is lost',
      'races of two instances: a set that expects a text never brings back what is being destroyed',
      'races of two instances: a touch never brings back what is being destroyed',
      'races of two instances: a touch never undoes a set',
    ],
    Store: class extends ReferenceStore {
      #last: Promise<unknown> = Promise.resolve();
      #alone<T>(step: () => Promise<T>): Promise<T> {
        const result = this.#last.then(step);
        this.#last = result;
        return result;
      }
      override set(id: string, text: string, { expires, expected }: SetOptions) {
        return this.#alone(async () => {
          if (expected !== undefined && this.live(id)?.text !== (expected ?? undefined)) return false;
          await tick();
          return super.set(id, text, { expires });
        });
      }
      override touch(id: string, expires: number) {
        return this.#alone(async () => {
          const row = this.live(id);
          await tick();
          if (row) this.rows.set(id, { text: row.text, expires });
          return row !== undefined;
        });
      }
      override destroy(id: string) {
        return this.#alone(() => super.destroy(id));
      }
    },
  },
  {
    fault: 'the prefix is forgotten',
    caughtBy: 'separate instances: none of the records is shared',
    options: { separate: () => new ReferenceStore(shared) },
    Store: class extends ReferenceStore {
      constructor() {
        super(shared);
      }
    },
  },
  {
    fault: 'the list of an owner is the same for all prefixes',
    caughtBy: 'separate instances: none of the records is shared',
    options: { separate: () => new UnprefixedOwners() },
    Store: UnprefixedOwners,
  },
  {
    fault: 'each instance removes its records by timers of its own',
    twoInstances: true,
    caughtBy: 'two instances: one reads what the other has set',
    Store: class extends ReferenceStore {
      readonly #timers = new Map<string, NodeJS.Timeout>();
      override set(id: string, text: string, how: SetOptions) {
        this.#removeAt(id, how.expires);
        return super.set(id, text, how);
      }
      override touch(id: string, expires: number) {
        this.#removeAt(id, expires);
        return super.touch(id, expires);
      }
      #removeAt(id: string, expires: number) {
        clearTimeout(this.#timers.get(id));
        const life = expires - Date.now();
        if (life < 60_000)
          this.#timers.set(
            id,
            setTimeout(() => this.rows.delete(id), life),
          );
      }
    },
  },
];
