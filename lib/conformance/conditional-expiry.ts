import { type Check, expectSame, type Trial } from './check.js';
import { expectGone, expectThere, past, soon, stored } from './expiring.js';
import { until, untilGone, whileAlive, withLife } from './time.js';

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
    run: (trial) =>
      withLife(trial.settings, async (life) => {
        const start = Date.now();
        const key = await stored(trial, start + life);
        const next = trial.text({ user: 'alice', views: 2 });
        await whileAlive(trial.settings, start + life, () => replace(trial, key, next, start + 3 * life));
        await untilGone(trial.settings, start + life);
        await expectThere(trial, key, start + 3 * life, next);
        await untilGone(trial.settings, start + 3 * life);
        await expectGone(trial, key);
      }),
  },
  {
    name: 'expiry: a set with `expected: text` gives a record an earlier expiry',
    async run(trial) {
      const key = await stored(trial, trial.later());
      const expires = soon(trial);
      await replace(trial, key, trial.text({ user: 'alice', views: 2 }), expires);
      await untilGone(trial.settings, expires);
      await expectGone(trial, key);
    },
  },
  {
    name: 'expiry: a set with a time in the past ends a record only if `expected` holds',
    async run(trial) {
      const { store, text, later } = trial;
      const there = text({ user: 'alice' });
      for (const expected of [null, text({ user: 'bob' })]) {
        const key = await stored(trial, later());
        const refused = !(await store.set(key, text(), { expires: past(trial), expected }));
        expectSame(
          [refused, await store.get(key)],
          [true, there],
          'set() does nothing where `expected` does not hold, whatever the expiry.',
          'a request that was overtaken would end the session that another one has just written.',
        );
      }
      const key = await stored(trial, later());
      await replace(trial, key, text(), past(trial));
      await expectGone(trial, key);
    },
  },
];

/** Makes a record that lives for `life` ms, and sees that it does. */
async function expectLife(trial: Trial, key: string, life: number): Promise<void> {
  const { store, text, settings } = trial;
  const start = Date.now();
  await store.set(key, text({ user: 'alice' }), { expires: start + life, expected: null });
  await until(start + life / 2);
  await expectThere(trial, key, start + life);
  await untilGone(settings, start + life);
  await expectGone(trial, key);
}

async function replace({ store, text }: Trial, key: string, next: string, expires: number): Promise<void> {
  await store.set(key, next, { expires, expected: text({ user: 'alice' }) });
}
