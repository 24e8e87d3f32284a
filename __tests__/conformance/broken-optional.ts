import type { OwnedRecord } from '../../lib/stores/store.js';
import type { BrokenStore } from './broken-stores.js';
import { FullStore } from './full-store.js';

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** Stores that have all optional methods, with a fault in one of them. */
export const brokenOptional: BrokenStore[] = [
  {
    fault: 'getAndTouch gives an expired record that was not swept yet',
    caughtBy: 'getAndTouch: neither gives nor revives an expired record',
    Store: class extends FullStore {
      override async getAndTouch(id: string, expires: number) {
        const row = this.rows.get(id);
        const text = row?.text;
        if (this.live(id)) row!.expires = expires;
        return text;
      }
    },
  },
  {
    fault: 'getAndTouch revives an expired record that was not swept yet',
    caughtBy: 'getAndTouch: neither gives nor revives an expired record',
    Store: class extends FullStore {
      override async getAndTouch(id: string, expires: number) {
        const text = this.live(id)?.text;
        const row = this.rows.get(id);
        if (row) row.expires = expires;
        return text;
      }
    },
  },
  {
    fault: 'getAndTouch never shortens a life',
    caughtBy: 'getAndTouch: gives a record an earlier expiry, and ends it by one in the past',
    Store: class extends FullStore {
      override async getAndTouch(id: string, expires: number) {
        return super.getAndTouch(id, Math.max(expires, this.live(id)?.expires ?? 0));
      }
    },
  },
  {
    fault: 'getAndTouch with a time in the past only reads',
    caughtBy: 'getAndTouch: gives a record an earlier expiry, and ends it by one in the past',
    Store: class extends FullStore {
      override async getAndTouch(id: string, expires: number) {
        return expires > Date.now() ? super.getAndTouch(id, expires) : this.get(id);
      }
    },
  },
  {
    fault: 'getAndTouch notes the time of the visit in the text',
    caughtBy: 'getAndTouch: what was stored still counts as `expected` afterwards',
    also: ['getAndTouch: gives the text and prolongs the record', 'races: a getAndTouch never undoes a set'],
    Store: class extends FullStore {
      override async getAndTouch(id: string, expires: number) {
        const text = await super.getAndTouch(id, expires);
        const row = this.live(id);
        if (row) row.text = row.text.replace(/^\{/, '{"seen":1,');
        return text;
      }
    },
  },
  {
    fault: 'getAndTouch writes back what it has read',
    caughtBy: 'races: a getAndTouch never brings back what is being destroyed',
    also: ['races: a getAndTouch never undoes a set'],
    Store: class extends FullStore {
      override async getAndTouch(id: string, expires: number) {
        const row = this.live(id);
        await tick();
        if (row) this.rows.set(id, { text: row.text, expires });
        return row?.text;
      }
    },
  },
  {
    fault: 'getAndTouch writes back what it has read, if the record is still there',
    caughtBy: 'races: a getAndTouch never undoes a set',
    Store: class extends FullStore {
      override async getAndTouch(id: string, expires: number) {
        const text = this.live(id)?.text;
        await tick();
        const row = this.live(id);
        if (row && text !== undefined) this.rows.set(id, { text, expires });
        return text;
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
    fault: 'onDestroy never tells anything',
    caughtBy: 'onDestroy: tells of each record that is destroyed',
    also: [
      'onDestroy: tells of a record from owned() that is destroyed',
      'onDestroy: tells nothing any more once that was ended',
    ],
    options: { patience: 100 },
    Store: class extends FullStore {
      protected override tell() {}
    },
  },
  {
    fault: 'onDestroy tells keys with their prefix',
    caughtBy: 'onDestroy: tells of each record that is destroyed',
    also: [
      'onDestroy: tells of a record from owned() that is destroyed',
      'onDestroy: tells nothing any more once that was ended',
    ],
    options: { patience: 100 },
    Store: class extends FullStore {
      protected override tell(id: string) {
        super.tell(`sess:${id}`);
      }
    },
  },
  {
    fault: 'onDestroy tells once',
    caughtBy: 'onDestroy: tells of each record that is destroyed',
    options: { patience: 100 },
    Store: class extends FullStore {
      protected override tell(id: string) {
        super.tell(id);
        this.shared.listeners.clear();
      }
    },
  },
  {
    fault: 'onDestroy does not tell of what is destroyed by a record from owned',
    caughtBy: 'onDestroy: tells of a record from owned() that is destroyed',
    options: { patience: 100 },
    Store: class extends FullStore {
      override async *owned(owner: string): AsyncGenerator<OwnedRecord> {
        for await (const record of super.owned(owner))
          yield { ...record, destroy: async () => void this.rows.delete(record.key) };
      }
    },
  },
  {
    fault: 'what onDestroy resolves to does nothing',
    caughtBy: 'onDestroy: tells nothing any more once that was ended',
    Store: class extends FullStore {
      override async onDestroy(listener: (id: string) => void) {
        await super.onDestroy(listener);
        return () => {};
      }
    },
  },
  {
    fault: 'onDestroy resolves to nothing',
    caughtBy: 'onDestroy: tells of each record that is destroyed',
    also: [
      'onDestroy: tells of a record from owned() that is destroyed',
      'onDestroy: tells nothing any more once that was ended',
    ],
    Store: class extends FullStore {
      override async onDestroy(listener: (id: string) => void) {
        await super.onDestroy(listener);
        return undefined as unknown as () => void;
      }
    },
  },
  {
    fault: 'onDestroy tells only of what the same instance destroys',
    twoInstances: true,
    caughtBy: 'two instances: onDestroy tells of what the other destroys',
    options: { patience: 300 },
    Store: class extends FullStore {
      readonly #listeners = new Set<(id: string) => void>();
      protected override tell(id: string) {
        for (const listener of this.#listeners) listener(id);
      }
      override async onDestroy(listener: (id: string) => void) {
        const own = (id: string) => listener(id);
        this.#listeners.add(own);
        return () => void this.#listeners.delete(own);
      }
    },
  },
];
