import type { OwnedRecord } from '../../lib/stores/store.js';
import { type BrokenStore, tick } from './broken-store.js';
import { FullStore } from './full-store.js';

/** Faults in telling of destroyed records. */
export const brokenOnDestroy: BrokenStore[] = [
  {
    fault: 'onDestroy never tells anything',
    caughtBy: 'onDestroy: tells of each record that is destroyed',
    also: [
      'onDestroy: tells of a record from owned() that is destroyed',
      'onDestroy: tells nothing any more once that was ended',
    ],
    options: { patience: 1000 },
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
    options: { patience: 1000 },
    Store: class extends FullStore {
      protected override tell(id: string) {
        super.tell(`sess:${id}`);
      }
    },
  },
  {
    fault: 'onDestroy tells once',
    caughtBy: 'onDestroy: tells of each record that is destroyed',
    also: ['onDestroy: tells nothing any more once that was ended'],
    options: { patience: 1000 },
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
    options: { patience: 1000 },
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
    options: { patience: 1000 },
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
  {
    fault: 'onDestroy tells before the record is gone',
    caughtBy: 'onDestroy: tells of each record that is destroyed',
    options: { patience: 1000 },
    Store: class extends FullStore {
      override async destroy(id: string) {
        this.tell(id);
        await tick();
        this.rows.delete(id);
      }
    },
  },
];
