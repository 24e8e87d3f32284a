import { expectSame, type Trial } from './check.js';
import { untilGone, whileAlive } from './time.js';

export const OVERSTAYS = 'a session must end when it is due: a stolen cookie must not work for longer.';
export const LOGGED_OUT = 'visitors would be logged out while their session is still good.';
export const REVIVED = 'a slow request would bring back a session that has ended.';

/** The id of a new record that expires at `expires`. */
export async function stored({ store, id, text }: Trial, expires: number): Promise<string> {
  const key = id();
  await store.set(key, text({ user: 'alice' }), { expires });
  return key;
}

/** A time that is near, yet further off than a store's clock ticks. */
export function soon({ settings }: Trial): number {
  return Date.now() + 30 + settings.ttlGranularity;
}

/** A time that is past by any store's clock. */
export function past({ settings }: Trial): number {
  return Date.now() - 1000 - 5 * settings.ttlGranularity;
}

/** The id of a record that has just expired by itself. */
export async function expired(trial: Trial): Promise<string> {
  const expires = soon(trial);
  const key = await stored(trial, expires);
  await untilGone(trial.settings, expires);
  return key;
}

/** Sees that the text is there, which expires at `expires`. */
export async function expectThere(
  { store, text, settings }: Trial,
  key: string,
  expires: number,
  value: string = text({ user: 'alice' }),
): Promise<void> {
  expectSame(
    await whileAlive(settings, expires, () => store.get(key)),
    value,
    'A record is there until its expiry, given in milliseconds since 1970.',
    LOGGED_OUT,
  );
}

export async function expectGone({ store }: Trial, key: string): Promise<void> {
  expectSame(
    await store.get(key),
    undefined,
    'A record is gone as soon as its expiry is now or past.',
    OVERSTAYS,
  );
}
