import { randomBytes } from 'node:crypto';
import type { SessionStore } from '../stores/store.js';
import type { Check, Trial } from './check.js';
import { guarded } from './guard.js';
import type { Settings } from './settings.js';

const HOUR = 3_600_000;

/** Runs one check over a store of its own, and closes what was opened. */
export async function runCheck(check: Check, settings: Settings): Promise<void> {
  const opened: SessionStore[] = [];
  const open = async (make: Settings['store']) => {
    const store = await make();
    opened.push(store);
    return guarded(store, settings.patience);
  };
  try {
    await check.run({
      store: await open(settings.store),
      settings,
      open,
      id: () => randomBytes(24).toString('base64url'),
      text: sessionText,
      later: () => Date.now() + HOUR,
    } satisfies Trial);
  } finally {
    for (const store of opened) await settings.close(store);
  }
}

/** A session as express-session stores it: the JSON of an object with a cookie. */
function sessionText(data: object = {}): string {
  const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };
  return JSON.stringify({ cookie, ...data });
}
