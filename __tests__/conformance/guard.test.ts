/** What the kit sees in every call, whatever the check. */

import assert from 'node:assert/strict';
import { encrypt } from '../../lib/stores/encrypt.js';
import { hashIds } from '../../lib/stores/hash-ids.js';
import { FullStore } from './full-store.js';
import { ReferenceStore } from './reference-store.js';
import { failing, verdict } from './run-kit.js';

const IDS = 'basics: ids lists each live record once';
const OWNED = "owned: gives a user's live records, and what it gives can be destroyed";

describe('a listing', () => {
  test('that is no async iterable fails', async () => {
    class Listing extends ReferenceStore {
      override ids() {
        return [...this.rows.keys()] as unknown as AsyncGenerator<string>;
      }
    }
    const error = await verdict(IDS, { store: () => new Listing() });

    expect(error?.message).toBe(`ids() must return an async iterable, as an async generator does.
Why it matters: the core takes one after the other, so that a long list need not be in memory.`);
  });

  test('that never comes to its next item fails', async () => {
    class Stuck extends ReferenceStore {
      override async *ids() {
        yield* super.ids();
        await new Promise(() => {});
      }
    }
    const error = await verdict(IDS, { store: () => new Stuck(), patience: 50 });

    expect(error?.message.split('\n')[0]).toBe('ids() must settle: nothing came in 50 ms.');
  });

  test('that is left before its end is told so', async () => {
    let ended = 0;
    class Telling extends ReferenceStore {
      override async *ids() {
        try {
          yield* super.ids();
        } finally {
          ended++;
        }
      }
      override async get(): Promise<never> {
        throw new Error('busy');
      }
    }
    const error = await verdict(IDS, { store: () => new Telling() });

    expect([error?.message, ended]).toEqual(['busy', 1]);
  });

  test('whose records destroy without a promise fails', async () => {
    class Hasty extends FullStore {
      override async *owned(owner: string) {
        for await (const record of super.owned(owner))
          yield { ...record, destroy: () => void record.destroy() as unknown as Promise<void> };
      }
    }
    const error = await verdict(OWNED, { store: () => new Hasty() });

    expect(error?.message.split('\n')[0]).toBe('destroy() of a record from owned() must return a promise.');
  });
});

test('a store may refuse ids by node:assert: its errors are not those of the kit', async () => {
  class Asserting extends ReferenceStore {
    override async set(...args: Parameters<ReferenceStore['set']>) {
      assert.match(args[0], /^[\w-]+$/);
      return super.set(...args);
    }
  }

  expect(await failing({ store: () => new Asserting(), count: 10 })).toEqual([]);
});

test('a call that throws among others that fail leaves no rejection that nobody handles', async () => {
  class Falling extends FullStore {
    #calls = 0;
    override set(...args: Parameters<FullStore['set']>) {
      if (args[2].expected === null && this.#calls++ === 1) throw new Error('thrown');
      return super.set(...args).then(() => Promise.reject(new Error('rejected')));
    }
  }
  const unhandled = jest.fn();
  process.on('unhandledRejection', unhandled);
  await verdict('races: of many that create a record, exactly one wins', { store: () => new Falling() });
  await new Promise(setImmediate);
  process.off('unhandledRejection', unhandled);

  expect(unhandled).not.toHaveBeenCalled();
});

describe('records from owned that are objects of a class', () => {
  class Entry {
    readonly #store: Classy;
    constructor(
      readonly key: string,
      readonly value: string,
      store: Classy,
    ) {
      this.#store = store;
    }
    matches(id: string) {
      return this.key === id;
    }
    destroy() {
      return this.#store.destroy(this.key);
    }
  }
  class Classy extends FullStore {
    override async *owned(owner: string) {
      for await (const { key, value } of super.owned(owner)) yield new Entry(key, value, this);
    }
  }
  const KEY = 'a key for the tests of the kit, 32 bytes or more';

  test.each([
    ['as they are', () => new Classy()],
    ['within encrypt()', () => encrypt(new Classy(), KEY)],
    ['within hashIds()', () => hashIds(new Classy())],
  ])('do as well, %s', async (_, store) => {
    expect(await failing({ store, count: 10 })).toEqual([]);
  });
});
