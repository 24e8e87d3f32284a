import { setTimeout as sleep } from 'node:timers/promises';
import { SteadyError } from '../errors.js';

/** How often a write is tried when other requests keep changing the same session. */
const MOST_ATTEMPTS = 100;

/** For how many times `storeTimeout`: an attempt asks the store twice, and a slow store is not to be given up at once. */
const PATIENCE_FACTOR = 5;

/** How many times an attempt asks the store, at most. */
const MOST_ASKED = 3;

/** Before connecting again, in milliseconds. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;

/** The attempts at a write that others may get in the way of: not too many, and not for too long. */
export class Attempts {
  #end: number;
  #retries = 0;

  /** @param storeTimeout how long the store may take over one operation, in milliseconds */
  constructor(storeTimeout: number) {
    this.#end = performance.now() + PATIENCE_FACTOR * storeTimeout;
  }

  /** Does something that is not the store's: the time that it takes doesn't count. */
  async withoutTime<T>(work: () => T | Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#end += performance.now() - start;
    }
  }

  /**
   * Waits until it is time for another attempt: longer and longer, up to 32 ms, and at random, so that those who collide
   * come apart. The first two retries are at once.
   * @throws SteadyError ERR_SESSION_CONFLICT if there have been enough
   */
  async next(): Promise<void> {
    const retry = this.#retries++;
    if (retry + 1 >= MOST_ATTEMPTS || performance.now() >= this.#end) throw tooManyConflicts(retry + 1);
    if (retry >= 2) await sleep(Math.random() * 2 ** Math.min(retry, 5));
  }
}

/** For how long a write that is attempted again and again may be under way, in milliseconds. */
export function longestWrite(storeTimeout: number): number {
  return (PATIENCE_FACTOR + MOST_ASKED) * storeTimeout;
}

function tooManyConflicts(attempts: number): SteadyError {
  return new SteadyError(
    'ERR_SESSION_CONFLICT',
    `a session could not be stored in ${attempts} attempts, since others kept changing it; write to it less often`,
  );
}

/**
 * How long to wait, in milliseconds, before connecting again. At random, so that processes which have lost their
 * connections together don't all come back at once.
 *
 * @param failures how many came before the latest one
 */
export function pauseAfter(failures: number): number {
  return Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE) * (0.5 + Math.random() / 2);
}
