import type { SetOptions } from '../stores/store.js';
import { expectSame, type Trial } from './check.js';
import { until, untilGone, whileAlive, withLife } from './time.js';

const OVERSTAYS = 'a session must end when it is due: a stolen cookie must not work for longer.';
const LOGGED_OUT = 'visitors would be logged out while their session is still good.';
const COARSE = '(Where the database counts in longer steps, tell the kit by its option `ttlGranularity`.)';

/** Gives alice's record under `key` another expiry, in whichever way a check is about. */
type Change = (key: string, expires: number) => Promise<unknown>;

/** The id of a new record of alice's that expires at `expires`. */
export async function stored(
  { store, id, text }: Trial,
  expires: number,
  how: Partial<SetOptions> = {},
): Promise<string> {
  const key = id();
  await store.set(key, text({ user: 'alice' }), { ...how, expires });
  return key;
}

/** A time that is past by any store's clock. */
export function past({ settings }: Trial): number {
  return Date.now() - 1000 - 5 * settings.ttlGranularity;
}

/** The id of a record that was stored while it could still live, and has just expired by itself. */
export function expired(trial: Trial, how: Partial<SetOptions> = {}): Promise<string> {
  return withLife(trial.settings, async (life) => {
    const expires = Date.now() + life;
    const key = await whileAlive(trial.settings, expires, () => stored(trial, expires, how));
    await untilGone(trial.settings, expires);
    return key;
  });
}

/** Sees that `prolong` gives a record a later expiry, and no more than that. `value`: the text it has then. */
export function expectProlonged(trial: Trial, prolong: Change, value?: string): Promise<void> {
  const { settings } = trial;
  return withLife(settings, async (life) => {
    const start = Date.now();
    const key = await stored(trial, start + life);
    await whileAlive(settings, start + life, () => prolong(key, start + 3 * life));
    await untilGone(settings, start + life);
    await expectThere(trial, key, start + 3 * life, value);
    await expectGoneBy(trial, key, start + 3 * life);
  });
}

/** Sees that `shorten` gives a record an earlier expiry, which is still to come. `value`: the text it has then. */
export function expectShortened(trial: Trial, shorten: Change, value?: string): Promise<void> {
  const { settings } = trial;
  return withLife(settings, async (life) => {
    const key = await stored(trial, trial.later());
    const expires = Date.now() + life;
    await whileAlive(settings, expires, () => shorten(key, expires));
    await until(expires - life / 2); // a much too short life would be seen otherwise only where it ends at once
    await expectThere(trial, key, expires, value);
    await expectGoneBy(trial, key, expires);
  });
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
    `A record is there until its expiry, given in milliseconds since 1970. ${COARSE}`,
    LOGGED_OUT,
  );
}

/** Sees that a record that expires at `expires` is gone then, as exactly as the store can tell. */
export async function expectGoneBy(trial: Trial, key: string, expires: number): Promise<void> {
  await untilGone(trial.settings, expires);
  await expectGone(trial, key, COARSE);
}

/** Sees that a record is gone whose expiry is now, or past by any clock. */
export async function expectGone({ store }: Trial, key: string, hint = ''): Promise<void> {
  expectSame(
    await store.get(key),
    undefined,
    `A record is gone as soon as its expiry is now or past. ${hint}`.trim(),
    OVERSTAYS,
  );
}
