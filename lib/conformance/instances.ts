import type { SessionStore } from '../stores/store.js';
import { type Check, expectSame, type Trial } from './check.js';
import { expectTold } from './on-destroy.js';

const OTHER_PROCESS = 'the next request of the visitor may reach another process of the app.';

export const instances: readonly Check[] = [
  {
    name: 'two instances: one reads what the other has set',
    when: ({ second }) => second !== undefined,
    async run(trial) {
      const { store, text, later } = trial;
      const other = await trial.open(trial.settings.second!);
      const key = trial.id();
      await store.set(key, text({ views: 1 }), { expires: later() });
      await expectText(store, key, text({ views: 1 }));
      await expectText(other, key, text({ views: 1 }));
      await other.set(key, text({ views: 2 }), { expires: later() });
      await expectText(store, key, text({ views: 2 }));
    },
  },
  {
    name: 'two instances: `expected` holds for what the other has set',
    when: ({ second }) => second !== undefined,
    async run(trial) {
      const { store, text, later } = trial;
      const other = await trial.open(trial.settings.second!);
      const key = trial.id();
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
    },
  },
  {
    name: 'two instances: one no longer sees what the other has destroyed',
    when: ({ second }) => second !== undefined,
    async run(trial) {
      const { store, text, later } = trial;
      const other = await trial.open(trial.settings.second!);
      const key = trial.id();
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
    },
  },
  {
    name: 'two instances: onDestroy tells of what the other destroys',
    when: ({ second }) => second !== undefined,
    needs: 'onDestroy',
    run: async (trial) => expectTold(trial, await trial.open(trial.settings.second!)),
  },
  {
    name: 'separate instances: none of the records is shared',
    when: ({ separate }) => separate !== undefined,
    async run(trial) {
      const { store, id, text, later } = trial;
      const other = await trial.open(trial.settings.separate!);
      const key = id();
      await store.set(key, text({ mine: true }), { expires: later() });
      await expectSeparate(other, key, undefined);
      await other.set(key, text({ theirs: true }), { expires: later() });
      await other.destroy(key);
      await expectSeparate(store, key, text({ mine: true }));
      await expectUnlisted(other, key);
    },
  },
];

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

async function expectUnlisted(store: Trial['store'], key: string): Promise<void> {
  if (!store.ids) return;
  for await (const other of store.ids()) {
    expectSame(
      other === key,
      false,
      "ids() leaves out other instances' records.",
      'one app would end the sessions of another.',
    );
  }
}
