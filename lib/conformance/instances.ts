import type { SessionStore } from '../stores/store.js';
import { type Check, expectSame, type Trial } from './check.js';
import { expectProlonged, expectShortened } from './expiring.js';
import { expectTold } from './on-destroy.js';

const OTHER_PROCESS = 'the next request of the visitor may reach another process of the app.';

export const instances: readonly Check[] = [
  ofTwo('one reads what the other has set', async (trial, other) => {
    const { store, text, later } = trial;
    const key = trial.id();
    await store.set(key, text({ views: 1 }), { expires: later() });
    await expectText(store, key, text({ views: 1 }));
    await expectText(other, key, text({ views: 1 }));
    await other.set(key, text({ views: 2 }), { expires: later() });
    await expectText(store, key, text({ views: 2 }));

    await expectProlonged(trial, (id, expires) => other.touch(id, expires));
    await expectShortened(trial, (id, expires) => other.touch(id, expires));
  }),
  ofTwo('`expected` holds for what the other has set', async ({ store, text, later, id }, other) => {
    const key = id();
    await store.set(key, text({ views: 1 }), { expires: later() });
    expectSame(
      [
        await other.set(key, text({ views: 9 }), { expires: later(), expected: null }),
        await other.set(key, text({ views: 9 }), { expires: later(), expected: text({ views: 0 }) }),
        await other.set(key, text({ views: 2 }), { expires: later(), expected: text({ views: 1 }) }),
        await store.set(key, text({ views: 9 }), { expires: later(), expected: text({ views: 1 }) }),
      ],
      [false, false, true, false],
      '`expected` is compared with what is stored now, whoever stored it.',
      "two processes would overwrite one another's changes.",
    );
  }),
  ofTwo('one no longer sees what the other has destroyed', async ({ store, text, later, id }, other) => {
    const key = id();
    await store.set(key, text(), { expires: later() });
    await expectText(other, key, text());
    await store.destroy(key);
    await expectText(other, key, undefined);
    expectSame(
      await other.touch(key, later()),
      false,
      'touch() does not bring back what another instance has destroyed.',
      'a request in another process would undo the logout.',
    );
    await expectText(store, key, undefined);
  }),
  { ...ofTwo('onDestroy tells of what the other destroys', expectTold), needs: 'onDestroy' },
  {
    name: 'separate instances: none of the records is shared',
    when: ({ separate }) => separate !== undefined,
    async run(trial) {
      const { store, id, text, later } = trial;
      const other = await trial.open(trial.settings.separate!);
      const [key, owner] = [id(), `alice ${id()}`];
      await store.set(key, text({ mine: true }), { expires: later(), owner });
      await expectSeparate(other, key, undefined);
      await other.set(key, text({ theirs: true }), { expires: later() });
      await other.destroy(key);
      await expectSeparate(store, key, text({ mine: true }));
      await expectUnlisted(other, key, owner);
    },
  },
];

function ofTwo(name: string, run: (trial: Trial, other: SessionStore) => Promise<void>): Check {
  return {
    name: `two instances: ${name}`,
    when: ({ second }) => second !== undefined,
    run: async (trial) => run(trial, await trial.open(trial.settings.second!)),
  };
}

async function expectText(store: SessionStore, key: string, wanted: string | undefined): Promise<void> {
  expectSame(
    await store.get(key),
    wanted,
    'Instances over the same data see the same records.',
    OTHER_PROCESS,
  );
}

async function expectSeparate(store: SessionStore, key: string, wanted: string | undefined): Promise<void> {
  expectSame(
    await store.get(key),
    wanted,
    'Instances that were configured apart have their own records.',
    'a cookie of one app would be a login in another.',
  );
}

async function expectUnlisted(store: SessionStore, key: string, owner: string): Promise<void> {
  const leavesOut = (list: string, isListed: boolean) =>
    expectSame(
      isListed,
      false,
      `${list} leaves out other instances' records.`,
      'one app would end the sessions of another.',
    );
  if (store.ids) {
    for await (const other of store.ids()) leavesOut('ids()', other === key);
  }
  if (store.owned) {
    for await (const other of store.owned(owner)) leavesOut('owned()', other.matches(key));
  }
}
