import { randomBytes } from 'node:crypto';
import { describeWithoutText, hasMethods } from '../option-checks.js';
import { isOnlyCallbackStore } from '../stores/contract.js';
import type { SessionStore } from '../stores/store.js';
import { type Check, fail, type Trial, WITHOUT } from './check.js';
import { guarded, settled } from './guard.js';
import type { Settings } from './settings.js';

const HOUR = 3_600_000;

/**
 * Runs one check over a store of its own, and closes what was opened.
 * @returns why it was skipped, if it was
 */
export async function runCheck(check: Check, settings: Settings): Promise<string | undefined> {
  const opened: SessionStore[] = [];
  let skipped: string | undefined;
  try {
    skipped = await runOver(opened, check, settings);
  } catch (error) {
    await closeAll(opened, settings).catch(() => {}); // what the check has found says more
    throw error;
  }
  await closeAll(opened, settings);
  return skipped;
}

/** @param opened is added to */
async function runOver(
  opened: SessionStore[],
  check: Check,
  settings: Settings,
): Promise<string | undefined> {
  const openExact = async (make: Settings['store']) => {
    const store = await make();
    expectStore(store);
    opened.push(store);
    return guarded(store, settings.patience);
  };
  const exact = await openExact(settings.store);
  const store = withoutNull(exact);
  const missing = [check.needs ?? []].flat().find((method) => !store[method]);
  if (missing) return `the store has no ${missing}(): ${WITHOUT[missing]}`;
  await check.run({
    store,
    exact,
    settings,
    open: async (make) => withoutNull(await openExact(make)),
    id: () => randomBytes(24).toString('base64url'),
    text: sessionText,
    later: () => Date.now() + HOUR,
  } satisfies Trial);
  return undefined;
}

/** `null` for no record is a fault of its own, and not one of all that reads. */
function withoutNull(store: SessionStore): SessionStore {
  const { getAndTouch } = store;
  return {
    ...store,
    get: async (id) => (await store.get(id)) ?? undefined,
    ...(getAndTouch && { getAndTouch: async (id, expires) => (await getAndTouch(id, expires)) ?? undefined }),
  };
}

/** What the core sees at the start, and the checks would run into one by one. */
function expectStore(store: SessionStore): void {
  const missing = ['get', 'set', 'touch', 'destroy'].find((method) => !hasMethods(store, method));
  if (missing !== undefined) {
    fail(
      `A store has the methods get(), set(), touch() and destroy(); this one has no ${missing}(). Got: ${describeWithoutText(store)}`,
      'the core calls each of them.',
    );
  }
  if (isOnlyCallbackStore(store)) {
    fail(
      'The parameters of a store are those of the contract: get(id) and destroy(id) have one each. ' +
        "A store of express-session's kind is checked as fromConnectStore(store).",
      'by their number the core tells the two kinds apart: it would call this store with callbacks.',
    );
  }
}

async function closeAll(stores: readonly SessionStore[], settings: Settings): Promise<void> {
  const closings = stores.map((store) => {
    const closing = Promise.resolve(store).then(settings.close);
    return settled('close()', closing, settings.patience, 'an app that shuts down would have to be killed.');
  });
  for (const result of await Promise.allSettled(closings)) {
    if (result.status === 'rejected') throw result.reason;
  }
}

/** A session as express-session stores it: the JSON of an object with a cookie. */
function sessionText(data: object = {}): string {
  const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };
  return JSON.stringify({ cookie, ...data });
}
