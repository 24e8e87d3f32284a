import { type BrokenStore, tick } from './broken-store.js';
import { FullStore } from './full-store.js';
import { ReferenceStore } from './reference-store.js';

/** Faults in `getAndTouch`. */
export const brokenGetAndTouch: BrokenStore[] = [
  {
    fault: 'getAndTouch is no more than get',
    caughtBy: 'getAndTouch: gives the text and prolongs the record',
    also: ['getAndTouch: gives a record an earlier expiry, and ends it by one in the past'],
    Store: class extends ReferenceStore {
      getAndTouch(id: string) {
        return this.get(id);
      }
    },
  },
  {
    fault: 'getAndTouch makes the record last for ever (GETEX with PERSIST)',
    caughtBy: 'getAndTouch: gives the text and prolongs the record',
    also: ['getAndTouch: gives a record an earlier expiry, and ends it by one in the past'],
    Store: class extends ReferenceStore {
      async getAndTouch(id: string) {
        const row = this.live(id);
        if (row) row.expires = Infinity;
        return row?.text;
      }
    },
  },
  {
    fault: 'getAndTouch gives null when there is nothing',
    caughtBy: 'getAndTouch: where there is no record it gives undefined and makes none',
    Store: class extends FullStore {
      override async getAndTouch(id: string, expires: number) {
        return (await super.getAndTouch(id, expires)) ?? (null as unknown as undefined);
      }
    },
  },
  {
    fault: 'getAndTouch upserts',
    caughtBy: 'getAndTouch: where there is no record it gives undefined and makes none',
    also: [
      'getAndTouch: neither gives nor revives an expired record',
      'races: a getAndTouch never brings back what is being destroyed',
    ],
    Store: class extends ReferenceStore {
      async getAndTouch(id: string, expires: number) {
        const text = this.live(id)?.text;
        this.rows.set(id, { text: text ?? '{}', expires });
        return text;
      }
    },
  },
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
    also: [
      'getAndTouch: gives the text and prolongs the record',
      'races: a getAndTouch never undoes a set',
      'getAndTouch: gives a record an earlier expiry, and ends it by one in the past',
    ],
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
];
