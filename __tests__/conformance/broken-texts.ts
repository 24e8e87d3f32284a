import type { SetOptions } from '../../lib/stores/store.js';
import type { BrokenStore, StoreClass } from './broken-store.js';
import { ReferenceStore } from './reference-store.js';

/** A copy as careless code makes it: assigning `__proto__` sets the prototype. */
function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) copy[key] = copied(part);
  return copy;
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

/** Faults in keeping texts as they are. */
export const brokenTexts: BrokenStore[] = [
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
];
