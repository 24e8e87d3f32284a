import type { OwnedRecord, SetOptions } from '../../lib/stores/store.js';
import { type BrokenStore, tick } from './broken-store.js';
import { FullStore } from './full-store.js';
import { ReferenceStore } from './reference-store.js';

/** A store that lists by owner. */
class OwningStore extends ReferenceStore {
  readonly owners = new Map<string, Set<string>>();

  note(owner: string, id: string): void {
    this.owners.set(owner, (this.owners.get(owner) ?? new Set()).add(id));
  }

  override async set(id: string, text: string, how: SetOptions) {
    if (how.owner !== undefined) this.note(how.owner, id);
    return super.set(id, text, how);
  }

  async *owned(owner: string): AsyncGenerator<OwnedRecord> {
    for (const id of this.owners.get(owner) ?? []) {
      const value = await this.get(id);
      if (value !== undefined)
        yield { key: id, value, matches: (other) => other === id, destroy: () => this.destroy(id) };
    }
  }
}

/** Faults in listing by owner. */
export const brokenOwned: BrokenStore[] = [
  {
    fault: 'owned knows only what was set last',
    caughtBy: "owned: gives a user's live records, and what it gives can be destroyed",
    also: ['owned: gives all records of a user, also where they are many'],
    Store: class extends OwningStore {
      override note(owner: string, id: string) {
        this.owners.set(owner, new Set([id]));
      }
    },
  },
  {
    fault: 'a write that says what it expects takes the record out of the list',
    caughtBy: 'owned: a record stays in the list for as long as it lives',
    also: ["owned: gives a user's live records, and what it gives can be destroyed"],
    Store: class extends OwningStore {
      override async set(id: string, text: string, how: SetOptions) {
        const written = await super.set(id, text, how);
        if (typeof how.expected === 'string') this.owners.get(how.owner ?? '')?.delete(id);
        return written;
      }
    },
  },
  {
    fault: 'owned gives the first ten',
    caughtBy: 'owned: gives all records of a user, also where they are many',
    Store: class extends FullStore {
      override async *owned(owner: string) {
        let left = 10;
        for await (const record of super.owned(owner)) if (left-- > 0) yield record;
      }
    },
  },
  {
    fault: 'owned lists expired records',
    caughtBy: 'owned: leaves out a record that has expired',
    Store: class extends FullStore {
      override async *owned(owner: string) {
        for (const [key, its] of this.shared.owners) {
          const row = this.rows.get(key);
          if (its !== owner || !row) continue;
          yield {
            key,
            value: row.text,
            matches: (id: string) => id === key,
            destroy: () => this.destroy(key),
          };
        }
      }
    },
  },
  {
    fault: 'a record from owned is destroyed only if its text is still the same',
    caughtBy: 'owned: what it gives is destroyed even if it was written meanwhile',
    Store: class extends FullStore {
      override async *owned(owner: string): AsyncGenerator<OwnedRecord> {
        for await (const record of super.owned(owner))
          yield {
            ...record,
            destroy: async () => {
              if (this.live(record.key)?.text === record.value) await record.destroy();
            },
          };
      }
    },
  },
  {
    fault: 'the owner is noted only when the record is made',
    caughtBy: "owned: gives a user's live records, and what it gives can be destroyed",
    Store: class extends FullStore {
      override async set(id: string, text: string, { owner, ...how }: SetOptions) {
        const isNew = !this.live(id);
        return super.set(id, text, owner !== undefined && isNew ? { ...how, owner } : how);
      }
    },
  },
  {
    fault: 'a record that passes to another owner stays in the list of the first',
    caughtBy: "owned: gives a user's live records, and what it gives can be destroyed",
    Store: class extends FullStore {
      override async set(id: string, text: string, { owner, ...how }: SetOptions) {
        const first = this.shared.owners.get(id) ?? owner;
        return super.set(id, text, first === undefined ? how : { ...how, owner: first });
      }
    },
  },
  {
    fault: 'owners are the properties of a plain object',
    caughtBy: "owned: gives a user's live records, and what it gives can be destroyed",
    Store: class extends FullStore {
      override async *owned(owner: string): AsyncGenerator<OwnedRecord> {
        if (owner in {}) return;
        yield* super.owned(owner);
      }
    },
  },
  {
    fault: 'the list has an expiry of its own, which touch forgets',
    caughtBy: 'owned: a record stays in the list for as long as it lives',
    Store: class extends FullStore {
      readonly #listedUntil = new Map<string, number>();
      override async set(id: string, text: string, how: SetOptions) {
        this.#listedUntil.set(id, how.expires);
        return super.set(id, text, how);
      }
      override async *owned(owner: string): AsyncGenerator<OwnedRecord> {
        for await (const record of super.owned(owner))
          if (this.#listedUntil.get(record.key)! > Date.now()) yield record;
      }
    },
  },
  {
    fault: 'a touch that is told the owner makes a record',
    caughtBy: 'owned: a record stays in the list for as long as it lives',
    Store: class extends FullStore {
      override async touch(id: string, expires: number, owner?: string) {
        if (owner !== undefined && !this.live(id)) await this.set(id, '{}', { expires, owner });
        return super.touch(id, expires);
      }
    },
  },
  {
    fault: 'the list is read and written back, so that one of two entries at once is lost',
    caughtBy: 'owned: gives all records of a user, also where they are many',
    Store: class extends FullStore {
      #lists = new Map<string, string[]>();
      override async set(id: string, text: string, how: SetOptions) {
        const list = this.#lists.get(how.owner!) ?? [];
        await tick();
        this.#lists.set(how.owner!, [...list, id]);
        return super.set(id, text, how);
      }
      override async *owned(owner: string): AsyncGenerator<OwnedRecord> {
        for await (const record of super.owned(owner))
          if (this.#lists.get(owner)?.includes(record.key)) yield record;
      }
    },
  },
  {
    fault: 'the records from owned are called by their owner',
    caughtBy: 'owned: gives all records of a user, also where they are many',
    Store: class extends FullStore {
      override async *owned(owner: string): AsyncGenerator<OwnedRecord> {
        for await (const record of super.owned(owner)) yield { ...record, key: owner };
      }
    },
  },
];
