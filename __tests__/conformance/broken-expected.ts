import type { SetOptions } from '../../lib/stores/store.js';
import { type BrokenStore, tick } from './broken-store.js';
import { ReferenceStore } from './reference-store.js';

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

/** Faults in what `expected` means, alone and when calls meet. */
export const brokenExpected: BrokenStore[] = [
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
    fault: "set says false when nothing changes (the affected rows of MySQL's ON DUPLICATE KEY UPDATE)",
    caughtBy: 'expected text: writing what is there already is a write too',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const before = this.live(id);
        const changes = before?.text !== text || before.expires !== how.expires;
        return (await super.set(id, text, how)) && (changes || how.expected !== undefined);
      }
    },
  },
  {
    fault: '`expected` is compared without regard to case, as by a collation',
    caughtBy: 'expected text: compares every character',
    Store: class extends ReferenceStore {
      override async set(id: string, text: string, how: SetOptions) {
        const same =
          typeof how.expected === 'string' &&
          this.live(id)?.text.toLowerCase() === how.expected.toLowerCase();
        return super.set(id, text, same ? { expires: how.expires } : how);
      }
    },
  },
];
