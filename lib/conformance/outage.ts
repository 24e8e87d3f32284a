import { setTimeout as delay } from 'node:timers/promises';
import { brief, type Check, expectSame, fail, isError, isFailure, type Trial } from './check.js';
import { NO_ERROR } from './reasons.js';

export const outage: readonly Check[] = [
  {
    name: 'outage: without its back end the store rejects or is right, and it recovers',
    when: ({ interrupt }) => interrupt !== undefined,
    async run(trial) {
      const { store, text, later, settings } = trial;
      const [kept, touched, destroyed] = [trial.id(), trial.id(), trial.id()];
      for (const key of [kept, touched, destroyed]) await store.set(key, text({ key }), { expires: later() });

      const restore = await settings.interrupt!();
      const [set, created] = [text({ outage: true }), trial.id()];
      const [, , isSet, isDestroyed] = await Promise.all([
        expectHonest('get', trial.exact.get(kept), text({ key: kept })),
        expectHonest('touch', store.touch(touched, later()), true),
        expectHonest('set', store.set(created, set, { expires: later(), expected: null }), true),
        expectHonest('destroy', store.destroy(destroyed), undefined),
      ]);
      await restore?.();
      await expectRecovery(trial);
      if (isSet) expectDone('set', await store.get(created), set);
      if (isDestroyed) expectDone('destroy', await store.get(destroyed), undefined);
    },
  },
];

/**
 * Rejecting with an Error is right, and so is the answer that the store would give with its back end.
 * @returns whether it answered
 */
async function expectHonest<T>(method: string, call: Promise<T>, right: T): Promise<boolean> {
  const contract = `Without its back end, ${method}() rejects with an Error.`;
  let answer: T;
  try {
    answer = await call;
  } catch (error) {
    if (isFailure(error)) throw error;
    if (isError(error)) return false;
    return fail(contract, NO_ERROR, error);
  }
  expectSame(
    answer,
    right,
    contract,
    'an outage would look like a visitor without a session, or like work done.',
  );
  return true;
}

/** What was said to be done during the outage was done. */
function expectDone(method: string, found: string | undefined, wanted: string | undefined): void {
  expectSame(
    found,
    wanted,
    `Without its back end, ${method}() rejects with an Error, unless it has done its work: what get() gives later shows that it has not.`,
    'users would see "saved", or "logged out", when nothing of the kind has happened.',
  );
}

async function expectRecovery(trial: Trial): Promise<void> {
  const deadline = Date.now() + trial.settings.patience;
  for (;;) {
    const problem = await attemptUse(trial);
    if (problem === undefined) return;
    if (Date.now() >= deadline) {
      fail('The store recovers by itself.', 'the app would have to be started anew.', problem);
    }
    await delay(20);
  }
}

/** What is wrong with storing and reading a record now, if anything. */
async function attemptUse({ store, id, text, later }: Trial): Promise<unknown> {
  const key = id();
  try {
    await store.set(key, text({ back: true }), { expires: later() });
    const found = await store.get(key);
    return found === text({ back: true }) ? undefined : `get() gave ${brief(found)}`;
  } catch (error) {
    return error;
  }
}
