import type { SessionStore } from '../stores/store.js';
import { type Check, expectSame } from './check.js';

export const owned: readonly Check[] = [
  {
    name: "owned: gives a user's live records, and what it gives can be destroyed",
    needs: 'owned',
    async run({ store, id, text, later }) {
      const [alice, bob] = [`alice ${id()}`, `bob ${id()}`];
      const [first, second, ended, others] = [id(), id(), id(), id()];
      const value = text({ user: 'alice' });
      for (const key of [first, second, ended]) {
        await store.set(key, value, { expires: later(), expected: null, owner: alice });
      }
      await store.set(others, text({ user: 'bob' }), { expires: later(), owner: bob });
      await store.destroy(ended);
      expectSame(
        await found(store, alice, [first, second, ended]),
        [first, second],
        "owned() gives all live records that were set with the owner, and none that is gone. (It may give others' too.)",
        'an attacker would stay logged in when the user ends all sessions.',
      );
      for await (const record of store.owned!(alice)) {
        if (!record.matches(first)) continue;
        expectSame(
          record.value,
          value,
          'owned() gives the text, as get() does.',
          'the core could not tell whose session it is, and would not end it.',
        );
        await record.destroy();
      }
      expectSame(
        [await store.get(first), await store.get(second), await found(store, alice, [first, second])],
        [undefined, value, [second]],
        'destroy() of a record from owned() removes that record, and no other.',
        'the user could not end a session that somebody else is using.',
      );
    },
  },
  {
    name: 'owned: a record stays in the list for as long as it lives',
    needs: 'owned',
    async run({ store, id, text, later }) {
      const [owner, key] = [`alice ${id()}`, id()];
      const soon = Date.now() + 60_000;
      await store.set(key, text({ n: 1 }), { expires: soon, owner });
      await store.set(key, text({ n: 2 }), { expires: soon, owner, expected: text({ n: 1 }) });
      await store.touch(key, later(), owner);
      expectSame(
        await found(store, owner, [key]),
        [key],
        'owned() gives a record that was written again and touched.',
        'sessions in use would be the very ones that the user can not end.',
      );
    },
  },
];

/** Which of the ids are listed, in the order given. */
async function found(store: SessionStore, owner: string, ids: string[]): Promise<string[]> {
  const listed = new Set<string>();
  for await (const record of store.owned!(owner)) {
    for (const id of ids) if (record.matches(id)) listed.add(id);
  }
  return ids.filter((id) => listed.has(id));
}
