import type { SetOptions } from '../../lib/stores/store.js';
import type { BrokenStore } from './broken-store.js';
import { ReferenceStore } from './reference-store.js';

/** What comes of an expiry when its life, rounded up to seconds, is taken for milliseconds. */
function inSeconds(expires: number): number {
  return Date.now() + Math.ceil((expires - Date.now()) / 1000);
}

/** Faults in when a record ends. */
export const brokenExpiry: BrokenStore[] = [
  {
    fault: '`expected: null` stores without an expiry (SET ... NX)',
    caughtBy: 'expiry: a record made with `expected: null` is there until it expires, and then gone',
    Store: class extends ReferenceStore {
      override set(id: string, text: string, how: SetOptions) {
        return super.set(id, text, how.expected === null ? { ...how, expires: Infinity } : how);
      }
    },
  },
  {
    fault: '`expected: null` over an expired record keeps its expiry (ON CONFLICT DO UPDATE SET value)',
    caughtBy: 'expiry: a record made with `expected: null` is there until it expires, and then gone',
    Store: class extends ReferenceStore {
      override set(id: string, text: string, how: SetOptions) {
        const before = this.rows.get(id);
        return super.set(
          id,
          text,
          how.expected === null && before ? { ...how, expires: before.expires } : how,
        );
      }
    },
  },
  {
    fault: '`expected: text` stores without an expiry (SET drops the TTL)',
    caughtBy: 'expiry: a set with `expected: text` gives a record a later expiry, and no more than that',
    also: [
      'expiry: a set with `expected: text` gives a record an earlier expiry',
      'expiry: a set with a time in the past ends a record only if `expected` holds',
    ],
    Store: class extends ReferenceStore {
      override set(id: string, text: string, how: SetOptions) {
        return super.set(id, text, typeof how.expected === 'string' ? { ...how, expires: Infinity } : how);
      }
    },
  },
  {
    fault: '`expected: text` keeps the expiry of the record (UPDATE ... SET value)',
    caughtBy: 'expiry: a set with `expected: text` gives a record a later expiry, and no more than that',
    also: [
      'expiry: a set with `expected: text` gives a record an earlier expiry',
      'expiry: a set with a time in the past ends a record only if `expected` holds',
    ],
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const row = this.live(id);
        return super.set(
          id,
          text,
          row && typeof how.expected === 'string' ? { ...how, expires: row.expires } : how,
        );
      }
    },
  },
  {
    fault: '`expected: text` never shortens a life',
    caughtBy: 'expiry: a set with `expected: text` gives a record an earlier expiry',
    also: ['expiry: a set with a time in the past ends a record only if `expected` holds'],
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const before = typeof how.expected === 'string' ? (this.live(id)?.expires ?? 0) : 0;
        return super.set(id, text, { ...how, expires: Math.max(how.expires, before) });
      }
    },
  },
  {
    fault: 'a set with a time in the past deletes before it compares',
    caughtBy: 'expiry: a set with a time in the past ends a record only if `expected` holds',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const written = await super.set(id, text, how);
        if (how.expires <= Date.now()) this.rows.delete(id);
        return written;
      }
    },
  },
  {
    fault: 'a TTL in seconds is given where milliseconds are wanted',
    caughtBy: 'expiry: a record is there until it expires, and then gone',
    also: [
      'expiry: set gives a record a later expiry',
      'expiry: touch prolongs a record, up to the new expiry',
      'expiry: a set that is refused does not prolong the record',
      'expiry: a record made with `expected: null` is there until it expires, and then gone',
      'expiry: a set with `expected: text` gives a record a later expiry, and no more than that',
      'expiry: set gives a record an earlier expiry',
      'expiry: touch shortens the life of a record',
      'expiry: a set with `expected: text` gives a record an earlier expiry',
    ],
    Store: class extends ReferenceStore {
      override set(id: string, text: string, how: SetOptions) {
        return super.set(id, text, { ...how, expires: inSeconds(how.expires) });
      }
      override touch(id: string, expires: number) {
        return super.touch(id, inSeconds(expires));
      }
    },
  },
  {
    fault: 'a TTL in milliseconds is given where seconds are wanted',
    caughtBy: 'expiry: a record is there until it expires, and then gone',
    also: [
      'expiry: `expected: null` writes over an expired record',
      'expiry: `expected: text` does not hold for an expired record',
      'expiry: a record is gone at the very millisecond that it expires',
      'expiry: a set that is refused does not prolong the record',
      'expiry: ids does not list an expired record',
      'expiry: set gives a record an earlier expiry',
      'expiry: touch does not revive an expired record',
      'expiry: a record made with `expected: null` is there until it expires, and then gone',
      'expiry: a set with `expected: text` gives a record a later expiry, and no more than that',
      'expiry: a set with `expected: text` gives a record an earlier expiry',
      'expiry: set gives a record a later expiry',
    ],
    Store: class extends ReferenceStore {
      override set(id: string, text: string, how: SetOptions) {
        return super.set(id, text, { ...how, expires: Date.now() + (how.expires - Date.now()) * 1000 });
      }
    },
  },
  {
    fault: 'the TTL is handed to setTimeout, which takes 32 bits',
    caughtBy: 'expiry: a record may live for years',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const life = how.expires - Date.now();
        return super.set(id, text, life > 2 ** 31 - 1 ? { ...how, expires: Date.now() + 1 } : how);
      }
    },
  },
  {
    fault: 'the expiry is kept in 32-bit seconds',
    caughtBy: 'expiry: a record may live for years',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const seconds = how.expires / 1000;
        return super.set(
          id,
          text,
          seconds > 2 ** 31 - 1 ? { ...how, expires: (seconds - 2 ** 32) * 1000 } : how,
        );
      }
    },
  },
  {
    fault: 'an expired record is returned until a sweep removes it',
    caughtBy: 'expiry: a record is there until it expires, and then gone',
    also: [
      'expiry: `expected: text` does not hold for an expired record',
      'expiry: a record is gone at the very millisecond that it expires',
      'expiry: a record that is set with a time in the past is gone',
      'expiry: a set that is refused does not prolong the record',
      'expiry: a touch with a time in the past ends the record',
      'expiry: set gives a record an earlier expiry',
      'expiry: touch does not revive an expired record',
      'expiry: touch prolongs a record, up to the new expiry',
      'expiry: touch shortens the life of a record',
      'expiry: a record made with `expected: null` is there until it expires, and then gone',
      'expiry: a set with `expected: text` gives a record a later expiry, and no more than that',
      'expiry: a set with `expected: text` gives a record an earlier expiry',
      'expiry: a set with a time in the past ends a record only if `expected` holds',
      'expiry: set gives a record a later expiry',
    ],
    Store: class extends ReferenceStore {
      override async get(id: string) {
        return this.rows.get(id)?.text;
      }
    },
  },
  {
    fault: 'a record is returned in the millisecond of its expiry',
    caughtBy: 'expiry: a record is gone at the very millisecond that it expires',
    Store: class extends ReferenceStore {
      protected override live(id: string) {
        const row = this.rows.get(id);
        return row && row.expires >= Date.now() ? row : undefined;
      }
    },
  },
  {
    fault: 'a time in the past means "for ever", as a TTL of 0 or less does in some caches',
    caughtBy: 'expiry: a record that is set with a time in the past is gone',
    also: ['expiry: a set with a time in the past ends a record only if `expected` holds'],
    Store: class extends ReferenceStore {
      override set(id: string, text: string, how: SetOptions) {
        return super.set(id, text, how.expires <= Date.now() ? { ...how, expires: Infinity } : how);
      }
    },
  },
  {
    fault: 'set keeps the expiry of the record that it overwrites',
    caughtBy: 'expiry: set gives a record a later expiry',
    also: [
      'expiry: a record that is set with a time in the past is gone',
      'expiry: set gives a record an earlier expiry',
      'expiry: a set with `expected: text` gives a record a later expiry, and no more than that',
      'expiry: a set with `expected: text` gives a record an earlier expiry',
      'expiry: a set with a time in the past ends a record only if `expected` holds',
    ],
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        return super.set(id, text, { ...how, expires: this.live(id)?.expires ?? how.expires });
      }
    },
  },
  {
    fault: 'a refused set renews the expiry',
    caughtBy: 'expiry: a set that is refused does not prolong the record',
    also: ['expiry: a set with a time in the past ends a record only if `expected` holds'],
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const written = await super.set(id, text, how);
        const row = this.live(id);
        if (row) row.expires = how.expires;
        return written;
      }
    },
  },
  {
    fault: 'touch does nothing but say that the record is there',
    caughtBy: 'expiry: touch prolongs a record, up to the new expiry',
    also: [
      'expiry: a touch with a time in the past ends the record',
      'expiry: touch shortens the life of a record',
    ],
    Store: class extends ReferenceStore {
      override async touch(id: string) {
        return this.live(id) !== undefined;
      }
    },
  },
  {
    fault: 'touch never shortens a life',
    caughtBy: 'expiry: touch shortens the life of a record',
    also: ['expiry: a touch with a time in the past ends the record'],
    Store: class extends ReferenceStore {
      override async touch(id: string, expires: number) {
        return super.touch(id, Math.max(expires, this.live(id)?.expires ?? 0));
      }
    },
  },
  {
    fault: 'touch revives what has expired but was not swept yet',
    caughtBy: 'expiry: touch does not revive an expired record',
    Store: class extends ReferenceStore {
      override async touch(id: string, expires: number) {
        const row = this.rows.get(id);
        if (row) row.expires = expires;
        return row !== undefined;
      }
    },
  },
  {
    fault: '`expected: null` fails on an expired record (INSERT ... ON CONFLICT DO NOTHING)',
    caughtBy: 'expiry: `expected: null` writes over an expired record',
    also: ['expiry: a record made with `expected: null` is there until it expires, and then gone'],
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        return how.expected === null && this.rows.has(id) ? false : super.set(id, text, how);
      }
    },
  },
  {
    fault: '`expected: text` matches an expired record (UPDATE without a look at the expiry)',
    caughtBy: 'expiry: `expected: text` does not hold for an expired record',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const expired = this.rows.get(id)?.text === how.expected && typeof how.expected === 'string';
        return super.set(id, text, expired ? { expires: how.expires } : how);
      }
    },
  },
  {
    fault: 'ids lists expired records',
    caughtBy: 'expiry: ids does not list an expired record',
    Store: class extends ReferenceStore {
      override async *ids() {
        yield* this.rows.keys();
      }
    },
  },
  {
    fault: '`expected: null` hands its TTL to setTimeout',
    caughtBy: 'expiry: a record may live for years',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const isTooLong = how.expected === null && how.expires - Date.now() > 2 ** 31 - 1;
        return super.set(id, text, isTooLong ? { ...how, expires: Date.now() + 1 } : how);
      }
    },
  },
  {
    fault: 'a touch that shortens a life ends it at once',
    caughtBy: 'expiry: touch shortens the life of a record',
    Store: class extends ReferenceStore {
      override async touch(id: string, expires: number) {
        const shortens = expires < (this.live(id)?.expires ?? 0);
        const found = await super.touch(id, expires);
        if (shortens) this.rows.delete(id);
        return found;
      }
    },
  },
  {
    fault: 'a set with a time in the past says false, since nothing is stored then',
    caughtBy: 'expiry: a set with a time in the past ends a record only if `expected` holds',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        return (await super.set(id, text, how)) && how.expires > Date.now();
      }
    },
  },
];
