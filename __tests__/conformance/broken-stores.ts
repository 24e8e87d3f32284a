import { resolve } from 'node:path';
import type { ConformanceOptions } from '../../lib/conformance/index.js';
import type { OwnedRecord, SetOptions } from '../../lib/stores/store.js';
import { brokenOptional } from './broken-optional.js';
import { ReferenceStore, type Row } from './reference-store.js';

/** A store with one realistic fault. */
export interface BrokenStore {
  fault: string;
  /** The name of the check that is meant to catch it. */
  caughtBy: string;
  /** Checks that can't but fail with it. */
  also?: string[];
  Store: new (rows?: Map<string, Row>) => ReferenceStore;
  options?: Partial<ConformanceOptions>;
  /** Whether it shows only with two instances over the same data. */
  twoInstances?: boolean;
}

type StoreClass = BrokenStore['Store'];

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** What comes of an expiry when its life, rounded up to seconds, is taken for milliseconds. */
function inSeconds(expires: number): number {
  return Date.now() + Math.ceil((expires - Date.now()) / 1000);
}

/** JSON with its keys in order, as two texts that mean the same have it. */
function canonical(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (_, value) =>
      typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
  } catch {
    return text;
  }
}

/** A copy as careless code makes it: assigning `__proto__` sets the prototype. */
function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) copy[key] = copied(part);
  return copy;
}

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

/** A store that changes the texts on their way to the data, those to compare with too. */
function onTexts(change: (text: string) => string): StoreClass {
  return class extends ReferenceStore {
    override set(id: string, text: string, how: SetOptions) {
      const { expected } = how;
      return super.set(
        id,
        change(text),
        typeof expected === 'string' ? { ...how, expected: change(expected) } : how,
      );
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

const shared = new Map<string, Row>();

export const brokenStores: BrokenStore[] = [
  ...brokenOptional,
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
    fault: 'ids gives the keys with their prefix',
    caughtBy: 'basics: ids lists each live record once',
    also: ['many records: each is kept, found and removed'],
    Store: class extends ReferenceStore {
      override async *ids() {
        for (const id of this.rows.keys()) if (this.live(id)) yield `sess:${id}`;
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
    Store: class extends OwningStore {
      override async set(id: string, text: string, how: SetOptions) {
        const written = await super.set(id, text, how);
        if (typeof how.expected === 'string') this.owners.get(how.owner ?? '')?.delete(id);
        return written;
      }
    },
  },
  {
    fault: 'touch reads and writes in two steps',
    caughtBy: 'races: a touch never brings back what is being destroyed',
    also: ['races: a touch never undoes a set'],
    Store: class extends ReferenceStore {
      override async touch(id: string, expires: number) {
        const row = this.live(id);
        await tick();
        if (row) this.rows.set(id, { text: row.text, expires });
        return row !== undefined;
      }
    },
  },
  {
    fault: '`expected` is compared and written in two steps',
    caughtBy: 'races: of many that expect the same text, exactly one wins',
    also: [
      'races: of many that create a record, exactly one wins',
      'races: no increment by compare-and-set is lost',
      'races: a set that expects a text never brings back what is being destroyed',
    ],
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, { expires, expected }: SetOptions) {
        if (expected !== undefined && this.live(id)?.text !== (expected ?? undefined)) return false;
        await tick();
        return super.set(id, text, { expires });
      }
    },
  },
  {
    fault: '`expected: null` is checked and written in two steps',
    caughtBy: 'races: of many that create a record, exactly one wins',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        if (how.expected !== null) return super.set(id, text, how);
        if (this.live(id)) return false;
        await tick();
        return super.set(id, text, { expires: how.expires });
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
    fault: '`expected: null` overwrites',
    caughtBy: 'expected null: leaves a live record alone',
    also: [
      'expiry: a set that is refused does not prolong the record',
      'races: of many that create a record, exactly one wins',
      'expiry: a set with a time in the past ends a record only if `expected` holds',
      'values: the empty text is a text, and not the lack of one',
    ],
    Store: class extends ReferenceStore {
      override set(id: string, text: string, { expires, expected }: SetOptions) {
        return super.set(id, text, { expires, ...(expected && { expected }) });
      }
    },
  },
  {
    fault: '`expected` is ignored',
    caughtBy: 'expected text: refuses when another text is stored',
    also: [
      'expected null: leaves a live record alone',
      'expected text: refuses the text that it has replaced',
      'expected text: refuses when there is no record, and makes none',
      'expected text: refuses after a destroy, and makes no record',
      'expected text: compares every character',
      'expiry: a set that is refused does not prolong the record',
      'expiry: `expected: text` does not hold for an expired record',
      'races: of many that create a record, exactly one wins',
      'races: of many that expect the same text, exactly one wins',
      'races: no increment by compare-and-set is lost',
      'races: a set that expects a text never brings back what is being destroyed',
      'expiry: a set with a time in the past ends a record only if `expected` holds',
      'values: the empty text is a text, and not the lack of one',
    ],
    Store: class extends ReferenceStore {
      override set(id: string, text: string, { expires }: SetOptions) {
        return super.set(id, text, { expires });
      }
    },
  },
  {
    fault: '`expected: text` writes where there is no record',
    caughtBy: 'expected text: refuses when there is no record, and makes none',
    also: [
      'expected text: refuses after a destroy, and makes no record',
      'expiry: `expected: text` does not hold for an expired record',
      'races: a set that expects a text never brings back what is being destroyed',
      'values: the empty text is a text, and not the lack of one',
    ],
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        return super.set(id, text, this.live(id) ? how : { expires: how.expires });
      }
    },
  },
  {
    fault: 'set says true even when it did not write',
    caughtBy: 'expected text: refuses when another text is stored',
    also: [
      'expected null: leaves a live record alone',
      'expected text: refuses the text that it has replaced',
      'expected text: refuses when there is no record, and makes none',
      'expected text: refuses after a destroy, and makes no record',
      'expected text: compares every character',
      'expiry: `expected: text` does not hold for an expired record',
      'races: of many that create a record, exactly one wins',
      'races: of many that expect the same text, exactly one wins',
      'races: no increment by compare-and-set is lost',
      'expiry: a set with a time in the past ends a record only if `expected` holds',
      'values: the empty text is a text, and not the lack of one',
    ],
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        await super.set(id, text, how);
        return true;
      }
    },
  },
  {
    fault: '`expected` is compared as JSON',
    caughtBy: 'expected text: compares every character',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const there = this.live(id)?.text;
        const same =
          typeof how.expected === 'string' &&
          there !== undefined &&
          canonical(there) === canonical(how.expected);
        return super.set(id, text, same ? { expires: how.expires } : how);
      }
    },
  },
  {
    fault: '`expected` is compared without regard to spaces around it',
    caughtBy: 'expected text: compares every character',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const same = typeof how.expected === 'string' && this.live(id)?.text.trim() === how.expected.trim();
        return super.set(id, text, same ? { expires: how.expires } : how);
      }
    },
  },
  {
    fault: '`expected` is compared in the first 64 KB',
    caughtBy: 'expected text: compares every character',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const same =
          typeof how.expected === 'string' &&
          this.live(id)?.text.slice(0, 65536) === how.expected.slice(0, 65536);
        return super.set(id, text, same ? { expires: how.expires } : how);
      }
    },
  },
  {
    fault: 'get gives null when there is nothing',
    caughtBy: 'basics: get of an unknown id is undefined',
    also: [
      'destroy: removes the record',
      'destroy: twice is fine',
      'expected text: refuses after a destroy, and makes no record',
      'expected text: refuses when there is no record, and makes none',
      'expiry: `expected: text` does not hold for an expired record',
      'expiry: a record is gone at the very millisecond that it expires',
      'expiry: a record is there until it expires, and then gone',
      'expiry: a record that is set with a time in the past is gone',
      'expiry: a set that is refused does not prolong the record',
      'expiry: a touch with a time in the past ends the record',
      'expiry: set gives a record an earlier expiry',
      'expiry: touch does not revive an expired record',
      'expiry: touch prolongs a record, up to the new expiry',
      'expiry: touch shortens the life of a record',
      'ids: `__proto__` and the like are ordinary ids',
      'ids: look-alikes are different records',
      'ids: patterns, separators and quotes in an id are only characters',
      'ids: unicode, control characters and great length are kept apart, or refused with an error',
      'many records: each is kept, found and removed',
      'races: a set that expects a text never brings back what is being destroyed',
      'races: a touch never brings back what is being destroyed',
      'touch: after a destroy is false and makes no record',
      'touch: of an unknown id is false and makes no record',
      'expiry: a record made with `expected: null` is there until it expires, and then gone',
      'expiry: a set with `expected: text` gives a record a later expiry, and no more than that',
      'expiry: a set with `expected: text` gives a record an earlier expiry',
      'expiry: a set with a time in the past ends a record only if `expected` holds',
    ],
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
    ],
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        return (await super.set(id, text, how)) && ('OK' as unknown as true);
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
    also: ['basics: ids lists each live record once', 'many records: each is kept, found and removed'],
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
    fault: 'texts are cut at 64 KB',
    caughtBy: 'values: a long text comes back whole',
    also: ['expected text: compares every character'],
    Store: onTexts((text) => text.slice(0, 65_535)),
  },
  {
    fault: 'texts are kept as latin1',
    caughtBy: 'values: unicode comes back unchanged',
    also: [
      'expected text: compares every character',
      'ids: unicode, control characters and great length are kept apart, or refused with an error',
    ],
    Store: onTexts((text) => Buffer.from(text, 'latin1').toString('latin1')),
  },
  {
    fault: 'texts end at a NUL',
    caughtBy: 'values: text that is no JSON of a session is kept too',
    Store: onTexts((text) => text.split('\0')[0]!),
  },
  {
    fault: 'the empty text counts as none',
    caughtBy: 'values: the empty text is a text, and not the lack of one',
    Store: class extends ReferenceStore {
      override async get(id: string) {
        return (await super.get(id)) || undefined;
      }
    },
  },
  {
    fault: '`expected` is looked at only if it is truthy',
    caughtBy: 'values: the empty text is a text, and not the lack of one',
    Store: class extends ReferenceStore {
      override set(id: string, text: string, { expires, expected }: SetOptions) {
        const how = expected || expected === null ? { expires, expected } : { expires };
        return super.set(id, text, how);
      }
    },
  },
  {
    fault: "`expected: ''` is taken for null",
    caughtBy: 'values: the empty text is a text, and not the lack of one',
    Store: class extends ReferenceStore {
      override set(id: string, text: string, how: SetOptions) {
        return super.set(id, text, how.expected === '' ? { ...how, expected: null } : how);
      }
    },
  },
  {
    fault: 'escaped control characters are dropped (jsonb refuses \\u0000)',
    caughtBy: 'values: control characters, NUL included, come back unchanged',
    also: [
      'values: quotes, escapes and code are only text',
      'ids: unicode, control characters and great length are kept apart, or refused with an error',
    ],
    Store: onTexts((text) => text.replaceAll('\\u0000', '')),
  },
  {
    fault: 'texts are parsed into objects and printed again',
    caughtBy: 'values: text that is no JSON of a session is kept too',
    also: ['expected text: compares every character'],
    Store: onTexts((text) => {
      try {
        return JSON.stringify(JSON.parse(text));
      } catch {
        return text;
      }
    }),
  },
  {
    fault: 'parsed objects are copied key by key',
    caughtBy: 'values: keys such as `__proto__` stay data',
    also: [
      'values: text that is no JSON of a session is kept too',
      'expected text: compares every character',
    ],
    Store: onTexts((text) => {
      try {
        return JSON.stringify(copied(JSON.parse(text)));
      } catch {
        return text;
      }
    }),
  },
  {
    fault: 'texts are spliced into a template, where $ means something',
    caughtBy: 'values: quotes, escapes and code are only text',
    Store: onTexts((text) => '<?>'.replace('<?>', text)),
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
    fault: 'two-step writes are passed off as atomic',
    caughtBy: 'basics: `atomic` says how `expected` works',
    options: { atomic: false },
    Store: ReferenceStore,
  },
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
    fault: 'get throws instead of rejecting',
    caughtBy: 'ids: unicode, control characters and great length are kept apart, or refused with an error',
    Store: class extends ReferenceStore {
      override get(id: string) {
        if (id.includes('\0')) throw new Error('bad id');
        return super.get(id);
      }
    },
  },
];
