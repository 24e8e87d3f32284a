import { type Check, expectSame } from './check.js';

export const basics: readonly Check[] = [
  {
    name: 'basics: get of an unknown id is undefined',
    async run({ exact, id }) {
      expectSame(
        await exact.get(id()),
        undefined,
        'get() resolves to `undefined`, and not `null` or an error, when there is no record.',
        'that is how the core tells a new visitor, who gets a fresh session, from a store in trouble.',
      );
    },
  },
  {
    name: 'basics: set resolves to true, and get gives the text exactly',
    async run({ store, id, text, later }) {
      const [key, value] = [id(), text({ user: 'alice' })];
      expectSame(
        await store.set(key, value, { expires: later() }),
        true,
        'set() resolves to `true` when it has written.',
        'the core fails where it is told neither, with ERR_SESSION_STORE_ANSWER.',
      );
      expectSame(
        await store.get(key),
        value,
        'get() resolves to the very text that was set.',
        'the core compares texts to see what changed, and an encrypted text with one other byte is lost.',
      );
    },
  },
  {
    name: 'basics: set without `expected` replaces what is there',
    async run({ store, id, text, later }) {
      const key = id();
      await store.set(key, text({ cart: 1, note: 'a longer text than the next one' }), { expires: later() });
      expectSame(
        await store.set(key, text({ cart: 2 }), { expires: later() }),
        true,
        'set() without `expected` writes whatever is there.',
        'it is how an app that wants the last writer to win saves a session.',
      );
      expectSame(
        await store.get(key),
        text({ cart: 2 }),
        'set() replaces the whole text.',
        'the visitor would keep seeing the old session.',
      );
    },
  },
  {
    name: 'basics: each id has its own record',
    async run({ store, id, text, later }) {
      const [alice, bob] = [id(), id()];
      await store.set(alice, text({ user: 'alice' }), { expires: later() });
      await store.set(bob, text({ user: 'bob' }), { expires: later() });
      expectSame(
        [await store.get(alice), await store.get(bob)],
        [text({ user: 'alice' }), text({ user: 'bob' })],
        'A record belongs to exactly one id.',
        "one visitor would see another one's session.",
      );
    },
  },
  {
    name: 'basics: `atomic` says how `expected` works',
    async run({ store, settings }) {
      const wanted = settings.atomic === true;
      expectSame(
        store.atomic ?? true,
        wanted,
        `The store's \`atomic\` is ${wanted ? '`true` or absent' : '`false`'}, as the kit's option of that name says.`,
        'the core adds a lock of its own just for the stores that say `atomic: false`.',
      );
    },
  },
  {
    name: 'basics: ids lists each live record once',
    needs: 'ids',
    async run({ store, id, text, later }) {
      const [kept, written, gone] = [id(), id(), id()];
      for (const key of [kept, written, gone, written]) await store.set(key, text(), { expires: later() });
      await store.destroy(gone);

      const listed: string[] = [];
      for await (const key of store.ids!()) {
        listed.push(key);
        if (key === kept) await store.get(key); // as the core does: nothing may be locked meanwhile
      }
      expectSame(
        [kept, written, gone].map((key) => listed.filter((other) => other === key).length),
        [1, 1, 0],
        'ids() gives each id that has a record once, as it was given to set(), and no others.',
        "listing a user's sessions or ending them all would miss one, or fail on one that is gone.",
      );
    },
  },
];
