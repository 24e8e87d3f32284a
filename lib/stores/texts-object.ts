import { inspect } from 'node:util';
import type { MemoryRecords } from './memory-records.js';

/** Texts by id. Without a prototype: an id may be any string. */
export type Texts = Record<string, string>;

const recordsOf = new WeakMap<object, MemoryRecords>();

/**
 * Live records as an object, as express-session's `MemoryStore` has its sessions in one: apps look at it, end sessions by
 * `delete`, and plant them in tests.
 *
 * @param write stores what is assigned
 */
export function textsObject(records: MemoryRecords, write: (id: string, value: unknown) => void): Texts {
  const read = (id: string | symbol) => (typeof id === 'string' ? records.read(id) : undefined);
  const target = Object.defineProperty(Object.create(null), inspect.custom, {
    value: () => ({ ...texts }), // for logs, which would show the target
    configurable: true,
  });
  const texts: Texts = new Proxy(target, {
    get: (_, id) => read(id),
    has: (_, id) => read(id) !== undefined,
    ownKeys: () => Array.from(records.entries(), ([id]) => id),
    getOwnPropertyDescriptor(_, id) {
      const value = read(id);
      return value === undefined
        ? undefined
        : { value, writable: true, enumerable: true, configurable: true };
    },
    /** An assignment comes by here, too. What is no plain value can't be stored. */
    defineProperty(_, id, descriptor) {
      if (typeof id !== 'string' || !('value' in descriptor) || descriptor.configurable === false)
        return false;
      write(id, descriptor.value);
      return true;
    },
    preventExtensions: () => false,
    setPrototypeOf: () => false,
    deleteProperty(_, id) {
      if (typeof id === 'string') records.remove(id);
      return true;
    },
  });
  recordsOf.set(texts, records);
  return texts;
}

/** The records that such an object is made of. */
export function recordsBehind(texts: object): MemoryRecords | undefined {
  return recordsOf.get(texts);
}
