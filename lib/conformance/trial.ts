import { randomBytes } from 'node:crypto';
import type { SessionStore } from '../stores/store.js';
import { type Check, type Trial, WITHOUT } from './check.js';
import { guarded } from './guard.js';
import type { Settings } from './settings.js';

const HOUR = 3_600_000;

/**
 * Runs one check over a store of its own, and closes what was opened.
 * @returns why it was skipped, if it was
 */
export async function runCheck(check: Check, settings: Settings): Promise<string | undefined> {
  const opened: SessionStore[] = [];
  const open = async (make: Settings['store']) => {
    const store = await make();
    opened.push(store);
    return guarded(store, settings.patience);
  };
  try {
    const store = await open(settings.store);
    const missing = [check.needs ?? []].flat().find((method) => !store[method]);
    if (missing) return `the store has no ${missing}(): ${WITHOUT[missing]}`;
    await check.run({
      store,
      settings,
      open,
      id: () => randomBytes(24).toString('base64url'),
      text: sessionText,
      later: () => Date.now() + HOUR,
    } satisfies Trial);
    return undefined;
  } finally {
    for (const store of opened) await settings.close(store);
  }
}

/** A session as express-session stores it: the JSON of an object with a cookie. */
function sessionText(data: object = {}): string {
  const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };
  return JSON.stringify({ cookie, ...data });
}
