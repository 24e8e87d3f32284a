import type { SessionStore } from '../stores/store.js';
import { type Check, expectSame } from './check.js';
import { soon } from './expiring.js';
import { untilGone } from './time.js';

const STAYS_LOGGED_IN = 'an attacker would stay logged in when the user ends all sessions.';
/** More than a store would list that shows a user's "latest logins" only. */
const MANY = 25;

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
        STAYS_LOGGED_IN,
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
  {
    name: 'owned: gives all records of a user, also where they are many',
    needs: 'owned',
    async run({ store, id, text, later }) {
      const owner = `alice ${id()}`;
      const keys = Array.from({ length: MANY }, id);
      for (const key of keys) await store.set(key, text(), { expires: later(), expected: null, owner });
      expectSame(
        (await found(store, owner, keys)).length,
        MANY,
        `owned() gives all live records of an owner, page by page if need be: here ${MANY}.`,
        STAYS_LOGGED_IN,
      );
    },
  },
  {
    name: 'owned: leaves out a record that has expired',
    needs: 'owned',
    async run(trial) {
      const { store, settings, id, text } = trial;
      const [owner, key, expires] = [`alice ${id()}`, id(), soon(trial)];
      await store.set(key, text(), { expires, owner });
      await untilGone(settings, expires);
      expectSame(
        await found(store, owner, [key]),
        [],
        'owned() leaves out what has expired.',
        "a user's list of logins would show dead ones.",
      );
    },
  },
  {
    name: 'owned: what it gives is destroyed even if it was written meanwhile',
    needs: 'owned',
    async run({ store, id, text, later }) {
      const [owner, key] = [`alice ${id()}`, id()];
      await store.set(key, text({ n: 1 }), { expires: later(), owner });
      for await (const record of store.owned!(owner)) {
        if (!record.matches(key)) continue;
        await store.set(key, text({ n: 2 }), { expires: later(), owner, expected: text({ n: 1 }) });
        await record.destroy();
      }
      expectSame(
        await store.get(key),
        undefined,
        'destroy() of a record from owned() removes the record of that id, whatever its text is by then.',
        STAYS_LOGGED_IN,
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
