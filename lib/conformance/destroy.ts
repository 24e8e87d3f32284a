import { type Check, expectSame, fail, isFailure, type Trial } from './check.js';

export const destroy: readonly Check[] = [
  {
    name: 'destroy: removes the record',
    async run(trial) {
      const key = await stored(trial);
      await destroyed(trial, key);
      await expectGone(trial, key);
    },
  },
  {
    name: 'destroy: of an unknown id is fine',
    async run(trial) {
      await destroyed(trial, trial.id());
    },
  },
  {
    name: 'destroy: twice is fine',
    async run(trial) {
      const key = await stored(trial);
      await destroyed(trial, key);
      await destroyed(trial, key);
      await expectGone(trial, key);
    },
  },
  {
    name: 'destroy: leaves other records alone',
    async run(trial) {
      const [key, other] = [await stored(trial), await stored(trial)];
      await destroyed(trial, key);
      expectSame(
        await trial.store.get(other),
        trial.text({ user: 'alice' }),
        'destroy() removes the record of that id only.',
        'a logout would log out others.',
      );
    },
  },
];

async function stored({ store, id, text, later }: Trial): Promise<string> {
  const key = id();
  await store.set(key, text({ user: 'alice' }), { expires: later() });
  return key;
}

async function destroyed({ store }: Trial, key: string): Promise<void> {
  try {
    await store.destroy(key);
  } catch (error) {
    if (isFailure(error)) throw error;
    fail(
      `destroy() is fine whether or not there is a record, but it rejected: ${String(error)}`,
      'a second click on "log out", or a logout after the expiry, would be an error page.',
      error,
    );
  }
}

async function expectGone({ store }: Trial, key: string): Promise<void> {
  expectSame(
    await store.get(key),
    undefined,
    'After destroy() there is no record.',
    'the visitor would still be logged in after logging out.',
  );
}
