import type { OwnedRecord, SessionStore } from '../stores/store.js';
import { type Check, expectSame, type Trial } from './check.js';
import { expired } from './expiring.js';
import { RESURRECTION } from './reasons.js';
import { untilGone, whileAlive, withLife } from './time.js';

const STAYS_LOGGED_IN = 'an attacker would stay logged in when the user ends all sessions.';
/** More than a store would list that shows a user's "latest logins" only. */
const MANY = 25;

export const owned: readonly Check[] = [
  {
    name: "owned: gives a user's live records, and what it gives can be destroyed",
    needs: 'owned',
    async run(trial) {
      const own = trial.id();
      // An owner is what the app takes for one: the number of a user, a name, an address.
      for (const alice of [`alice ${own}`, `o'Brien%*:"\\ ${own}`, `Ærø 日本 ${own}`, '__proto__']) {
        await expectOwned(trial, alice);
      }
    },
  },
  {
    name: 'owned: a record stays in the list for as long as it lives',
    needs: 'owned',
    async run(trial) {
      const owner = `alice ${trial.id()}`;
      const key = await expectListedOn(trial, owner, ({ store, text }, key, expires) =>
        store.set(key, text({ n: 2 }), { expires, owner, expected: text({ n: 1 }) }),
      );
      await expectListedOn(trial, owner, ({ store }, key, expires) => store.touch(key, expires, owner));

      await trial.store.destroy(key);
      expectSame(
        [await trial.store.touch(key, trial.later(), owner), await found(trial.store, owner, [key])],
        [false, []],
        'touch() with an owner makes no record either, neither in the store nor in the list.',
        RESURRECTION,
      );
    },
  },
  {
    name: 'owned: gives all records of a user, also where they are many',
    needs: 'owned',
    async run({ store, id, text, later }) {
      const owner = `alice ${id()}`;
      const keys = Array.from({ length: MANY }, id);
      // At once: a list that is read and written back would lose some.
      await Promise.all(
        keys.map((key) => store.set(key, text(), { expires: later(), expected: null, owner })),
      );
      expectSame(
        (await found(store, owner, keys)).length,
        MANY,
        `owned() gives all live records of an owner, page by page if need be: here ${MANY}, stored at once.`,
        STAYS_LOGGED_IN,
      );
      const names = new Set<string>();
      for await (const record of store.owned!(owner)) names.add(record.key);
      expectSame(
        names.size >= MANY,
        true,
        'The records that owned() gives have a `key` each, by which they are told apart.',
        STAYS_LOGGED_IN,
      );
    },
  },
  {
    name: 'owned: leaves out a record that has expired',
    needs: 'owned',
    async run(trial) {
      const owner = `alice ${trial.id()}`;
      const key = await expired(trial, { owner });
      expectSame(
        await found(trial.store, owner, [key]),
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

/** Sees what is listed of alice, who has logged in with new sessions, with her own, and with one of bob's. */
async function expectOwned({ store, id, text, later }: Trial, alice: string): Promise<void> {
  const bob = `bob ${id()}`;
  const [first, second, visitor, bobs, ended, others] = [id(), id(), id(), id(), id(), id()];
  const [value, before] = [text({ user: 'alice' }), text({})];
  for (const key of [first, second, ended]) {
    await store.set(key, value, { expires: later(), expected: null, owner: alice });
  }
  await store.set(visitor, before, { expires: later(), expected: null });
  await store.set(bobs, before, { expires: later(), expected: null, owner: bob });
  for (const key of [visitor, bobs]) {
    await store.set(key, value, { expires: later(), expected: before, owner: alice });
  }
  await store.set(others, text({ user: 'bob' }), { expires: later(), owner: bob });
  await store.destroy(ended);

  const all = [first, second, visitor, bobs];
  expectSame(
    await found(store, alice, [...all, ended]),
    all,
    "owned() gives all live records that were last set with the owner, and none that is gone. (It may give others' too.)",
    STAYS_LOGGED_IN,
  );
  for await (const record of store.owned!(alice)) {
    if (record.matches(first)) await expectDestroyable(record, value);
  }
  expectSame(
    [await store.get(first), await store.get(second), await found(store, alice, all)],
    [undefined, value, all.slice(1)],
    'destroy() of a record from owned() removes that record, and no other.',
    'the user could not end a session that somebody else is using.',
  );
}

async function expectDestroyable(record: OwnedRecord, value: string): Promise<void> {
  expectSame(
    record.value,
    value,
    'owned() gives the text, as get() does.',
    'the core could not tell whose session it is, and would not end it.',
  );
  await record.destroy();
}

/** Sees that a record is listed while it lives by an expiry that `prolong` has given it. */
function expectListedOn(
  trial: Trial,
  owner: string,
  prolong: (trial: Trial, key: string, expires: number) => Promise<boolean>,
): Promise<string> {
  const { store, settings, text } = trial;
  return withLife(settings, async (life) => {
    const [key, start] = [trial.id(), Date.now()];
    await store.set(key, text({ n: 1 }), { expires: start + life, owner });
    await whileAlive(settings, start + life, () => prolong(trial, key, start + 3 * life));
    await untilGone(settings, start + life);
    expectSame(
      await whileAlive(settings, start + 3 * life, () => found(store, owner, [key])),
      [key],
      'owned() gives a record that was written again or touched, up to its new expiry.',
      'sessions in use would be the very ones that the user cannot end.',
    );
    return key;
  });
}

/** Which of the ids are listed, in the order given. */
async function found(store: SessionStore, owner: string, ids: string[]): Promise<string[]> {
  const listed = new Set<string>();
  for await (const record of store.owned!(owner)) {
    for (const id of ids) if (record.matches(id)) listed.add(id);
  }
  return ids.filter((id) => listed.has(id));
}
