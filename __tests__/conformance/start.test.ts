/** What the kit refuses before any check, and how it ends one. */

import { type ConformanceOptions, conformance } from '../../lib/conformance/index.js';
import { MemoryStore } from '../../lib/stores/memory.js';
import type { SessionStore, SetOptions } from '../../lib/stores/store.js';
import { ReferenceStore } from './reference-store.js';
import { verdict } from './run-kit.js';

const UNKNOWN = 'basics: get of an unknown id is undefined';

describe('what is no store', () => {
  const errorOver = (store: unknown) => verdict(UNKNOWN, { store: () => store as SessionStore });

  test.each([
    [{ get() {}, set() {}, destroy() {} }, 'touch', 'an object (Object)'],
    [undefined, 'get', 'undefined'],
    [ReferenceStore, 'get', 'a function (ReferenceStore)'],
  ])('%p fails, by what it lacks', async (store, method, got) => {
    expect((await errorOver(store))?.message).toBe(
      `A store has the methods get(), set(), touch() and destroy(); this one has no ${method}(). Got: ${got}
Why it matters: the core calls each of them.`,
    );
  });

  test('a store that the core would call with callbacks fails', async () => {
    class Decorated extends ReferenceStore {
      override get(id: string, _trace?: object) {
        return super.get(id);
      }
      override destroy(...args: [id: string]) {
        return super.destroy(...args);
      }
    }

    expect((await errorOver(new Decorated()))?.message.split('\n')[0]).toBe(
      'The parameters of a store are those of the contract: get(id) and destroy(id) have one each. ' +
        "A store of express-session's kind is checked as fromConnectStore(store).",
    );
    expect(await errorOver(new MemoryStore())).toBeUndefined();
  });
});

describe('options that make no sense are refused:', () => {
  const store = () => new ReferenceStore();

  test.each<[object, string]>([
    [{ second: store() }, 'conformance: second option must be a function; got an object (ReferenceStore)'],
    [{ separate: true }, 'conformance: separate option must be a function; got true (boolean)'],
    [{ interrupt: 'kill' }, 'conformance: interrupt option must be a function; got "kill"'],
    [{ close: null }, 'conformance: close option must be a function; got null'],
    [{ count: 0 }, 'conformance: count option must be a positive whole number; got 0 (number)'],
    [{ valueBytes: '1MB' }, 'conformance: valueBytes option must be a positive whole number; got "1MB"'],
    [
      { patience: Infinity },
      'conformance: patience option must be a finite number of milliseconds; got Infinity',
    ],
    [{ ttlGranularity: '1000' }, "is in milliseconds and at least 1, not '1000'."],
    [{ ttlGranularity: Infinity }, 'is in milliseconds and at least 1, not Infinity.'],
  ])('%p', (options, message) => {
    expect(() => conformance({ test, store, ...options } as ConformanceOptions)).toThrow(message);
  });
});

describe('closing', () => {
  class Unclosable extends ReferenceStore {
    async close(): Promise<void> {
      throw new Error('not now');
    }
  }

  test('that fails is reported', async () => {
    expect(await verdict(UNKNOWN, { store: () => new Unclosable() })).toEqual(new Error('not now'));
  });

  test('that hangs is reported', async () => {
    const options = { store: () => new ReferenceStore(), patience: 30, close: () => new Promise(() => {}) };
    const error = await verdict(UNKNOWN, options);

    expect(error?.message).toBe(`close() must settle: nothing came in 30 ms.
Why it matters: an app that shuts down would have to be killed.`);
  });

  test('that fails hides nothing that the check has found, and leaves no other store open', async () => {
    const closed: SessionStore[] = [];
    const error = await verdict('two instances: one reads what the other has set', {
      store: () => new ReferenceStore(),
      second: () => new ReferenceStore(),
      close: (store) => {
        closed.push(store);
        throw new Error('not now');
      },
    });

    expect(error?.message.split('\n')[0]).toBe('Instances over the same data see the same records.');
    expect(closed).toHaveLength(2);
  });
});

test('no text is longer than `valueBytes`', async () => {
  let longest = 0;
  class Measuring extends ReferenceStore {
    override set(id: string, text: string, how: SetOptions) {
      longest = Math.max(longest, Buffer.byteLength(text));
      return super.set(id, text, how);
    }
  }
  const options = { store: () => new Measuring(), valueBytes: 2000 };
  await verdict('expected text: compares every character', options);
  await verdict('values: a long text comes back whole', options);

  expect(longest).toBeGreaterThan(1980);
  expect(longest).toBeLessThanOrEqual(2000);
});
