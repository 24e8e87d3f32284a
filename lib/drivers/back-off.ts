import { setTimeout as sleep } from 'node:timers/promises';
import { SteadyError } from '../errors.js';

/** How often a write is tried again when other requests keep changing the same session. */
export const ATTEMPTS = 100;

/** Waits longer and longer, up to 32 ms, and at random, so that those who collide come apart. The first tries are at once. */
export async function backOff(attempt: number): Promise<void> {
  if (attempt < 2) return;
  await sleep(Math.random() * 2 ** Math.min(attempt, 5));
}

export function tooManyConflicts(): SteadyError {
  return new SteadyError(
    'ERR_SESSION_CONFLICT',
    `a session could not be stored in ${ATTEMPTS} attempts, since others kept changing it; write to it less often`,
  );
}
