import { type Check, expectSame } from './check.js';
import { RESURRECTION } from './reasons.js';

export const touch: readonly Check[] = [
  {
    name: 'touch: resolves to true and leaves the text alone',
    async run({ store, id, text, later }) {
      const [key, value] = [id(), text({ views: 1 })];
      await store.set(key, value, { expires: later() });
      expectSame(
        await store.touch(key, later() + 1000),
        true,
        'touch() resolves to `true` for a live record.',
        'the core takes `false` for a session that has ended.',
      );
      expectSame(
        await store.get(key),
        value,
        'touch() leaves the text exactly as it is.',
        'a request that only reads would undo, or get in the way of, what another one saves.',
      );
    },
  },
  {
    name: 'touch: what was stored still counts as `expected` afterwards',
    async run({ store, id, text, later }) {
      const [key, value] = [id(), text({ views: 1 })];
      await store.set(key, value, { expires: later() });
      await store.touch(key, later() + 1000);
      expectSame(
        await store.set(key, text({ views: 2 }), { expires: later(), expected: value }),
        true,
        'touch() does not change what `expected` is compared with.',
        'every request that reads would make the ones that write start over.',
      );
    },
  },
  {
    name: 'touch: with the expiry that the record already has is true',
    async run({ store, id, text, later }) {
      const [key, expires] = [id(), later()];
      await store.set(key, text(), { expires });
      expectSame(
        await store.touch(key, expires),
        true,
        'touch() resolves to `true` for a live record, also when there is nothing to change.',
        'of two requests in the same millisecond, one would take the session for ended.',
      );
    },
  },
  {
    name: 'touch: of an unknown id is false and makes no record',
    async run({ store, id, later }) {
      const key = id();
      expectSame(
        await store.touch(key, later()),
        false,
        'touch() resolves to `false` when there is no record.',
        'the core would believe that the session still exists.',
      );
      expectSame(await store.get(key), undefined, 'touch() never makes a record.', RESURRECTION);
    },
  },
  {
    name: 'touch: after a destroy is false and makes no record',
    async run({ store, id, text, later }) {
      const key = id();
      await store.set(key, text({ user: 'alice' }), { expires: later() });
      await store.destroy(key);
      expectSame(
        await store.touch(key, later()),
        false,
        'touch() resolves to `false` when the record was destroyed.',
        RESURRECTION,
      );
      expectSame(await store.get(key), undefined, 'touch() never makes a record.', RESURRECTION);
    },
  },
];
