import { type Check, expectSame, type Trial } from './check.js';
import {
  expectGone,
  expectGoneBy,
  expectProlonged,
  expectShortened,
  expectThere,
  past,
  stored,
} from './expiring.js';
import { until, withLife } from './time.js';

/** The core writes with `expected` unless it is told not to, and a store often has a statement of its own for that. */
export const conditionalExpiry: readonly Check[] = [
  {
    name: 'expiry: a record made with `expected: null` is there until it expires, and then gone',
    run: (trial) =>
      withLife(trial.settings, async (life) => {
        const key = trial.id();
        await expectLife(trial, key, life);
        await expectLife(trial, key, life); // now over an expired record
      }),
  },
  {
    name: 'expiry: a set with `expected: text` gives a record a later expiry, and no more than that',
    run: (trial) => expectProlonged(trial, (key, expires) => replace(trial, key, expires), next(trial)),
  },
  {
    name: 'expiry: a set with `expected: text` gives a record an earlier expiry',
    run: (trial) => expectShortened(trial, (key, expires) => replace(trial, key, expires), next(trial)),
  },
  {
    name: 'expiry: a set with a time in the past ends a record only if `expected` holds',
    async run(trial) {
      const { store, text, later } = trial;
      const there = text({ user: 'alice' });
      for (const expected of [null, text({ user: 'bob' })]) {
        const key = await stored(trial, later());
        expectSame(
          [await store.set(key, text(), { expires: past(trial), expected }), await store.get(key)],
          [false, there],
          'set() does nothing where `expected` does not hold, whatever the expiry, and resolves to `false`.',
          'a request that was overtaken would end the session that another one has just written.',
        );
      }
      const key = await stored(trial, later());
      expectSame(
        await replace(trial, key, past(trial)),
        true,
        'set() resolves to `true` where `expected` holds, whatever the expiry.',
        'the core takes `false` for a conflict and tries again, or drops the change.',
      );
      await expectGone(trial, key);
    },
  },
];

/** Makes a record that lives for `life` ms, and sees that it does. */
async function expectLife(trial: Trial, key: string, life: number): Promise<void> {
  const { store, text } = trial;
  const start = Date.now();
  await store.set(key, text({ user: 'alice' }), { expires: start + life, expected: null });
  await until(start + life / 2);
  await expectThere(trial, key, start + life);
  await expectGoneBy(trial, key, start + life);
}

/** Writes over alice's record. */
function replace(trial: Trial, key: string, expires: number): Promise<boolean> {
  return trial.store.set(key, next(trial), { expires, expected: trial.text({ user: 'alice' }) });
}

function next({ text }: Trial): string {
  return text({ user: 'alice', views: 2 });
}
