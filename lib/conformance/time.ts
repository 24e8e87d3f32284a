import { setTimeout as delay } from 'node:timers/promises';
import { fail } from './check.js';
import type { Settings } from './settings.js';

const SHORTEST_LIFE = 60; // ms; a few calls to a store on the same machine fit in
const LONGEST_LIFE = 32 * SHORTEST_LIFE;

/** Thrown when this machine was too busy for an observation to prove anything. */
class TooSlow extends Error {}

/**
 * Runs a check of records that live for `life` ms. When the machine or the store was too slow to tell, it runs again
 * with a life twice as long, so that a busy machine makes a check slow rather than wrong.
 */
export async function withLife<T>(
  { ttlGranularity }: Settings,
  attempt: (life: number) => Promise<T>,
): Promise<T> {
  const factor = Math.max(1, ttlGranularity / 20);
  for (let life = SHORTEST_LIFE * factor; ; life *= 2) {
    try {
      return await attempt(life);
    } catch (error) {
      if (!(error instanceof TooSlow)) throw error;
      if (life >= LONGEST_LIFE * factor) tooSlow(life);
    }
  }
}

/** What `call` answers, if it answers before `expires` is near: only then must the record still be there. */
export async function whileAlive<T>(
  { ttlGranularity }: Settings,
  expires: number,
  call: () => Promise<T>,
): Promise<T> {
  const answer = await call();
  if (Date.now() >= expires - ttlGranularity + 1) throw new TooSlow();
  return answer;
}

/** Waits until a record that expires at `expires` must be gone. */
export async function untilGone({ ttlGranularity }: Settings, expires: number): Promise<void> {
  await until(expires + ttlGranularity);
}

/** Waits until the clock shows `time`; a timer alone may fire a little early. */
export async function until(time: number): Promise<void> {
  for (let left = time - Date.now(); left > 0; left = time - Date.now()) await delay(left);
}

function tooSlow(life: number): never {
  fail(
    `The store needs more than ${life} ms for a few calls, so its expiry can't be checked.`,
    'every request waits for the store at least once. Run the kit nearer to the database, or on a machine that is less busy.',
  );
}
