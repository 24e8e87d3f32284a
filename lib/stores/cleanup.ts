import { badOption } from '../option-checks.js';
import { unref } from '../timers.js';
import { warnOnce } from '../warnings.js';

/** How many rows one statement removes or lists: a few milliseconds of work, so that others get their turn. */
export const SLICE = 500;

const LONGEST_INTERVAL = 1_000_000_000; // with the jitter it must fit a timer's 31 bits

/**
 * Removes expired rows now and then, slice by slice. Several processes may do so on one table. The timer does not
 * keep the process alive.
 */
export class Cleanup {
  readonly #removeSlice: () => number | Promise<number>;
  readonly #interval: number;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #warned = false;

  /** `removeSlice` removes at most {@link SLICE} rows and says how many. An `interval` of 0 ms means never by itself. */
  constructor(store: string, interval: number, removeSlice: () => number | Promise<number>) {
    if (typeof interval !== 'number' || !(interval >= 0 && interval <= LONGEST_INTERVAL)) {
      const allowed = `a number of milliseconds from 0 (never) to ${LONGEST_INTERVAL}`;
      throw badOption(`${store}: cleanupInterval`, interval, allowed);
    }
    this.#removeSlice = removeSlice;
    this.#interval = interval;
  }

  start(): void {
    if (this.#interval === 0 || this.#stopped) return;
    // From half to one and a half intervals: processes that were started together don't all clean up at once.
    this.#timer = setTimeout(() => this.#runAndRestart(), this.#interval * (0.5 + Math.random()));
    unref(this.#timer);
  }

  /** Removes all that has expired, and says how many rows that were. */
  async run(): Promise<number> {
    for (let total = 0; ; ) {
      const removed = await this.#removeSlice();
      total += removed;
      if (removed < SLICE || this.#stopped) return total;
      await new Promise((resume) => setImmediate(resume));
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #runAndRestart(): Promise<void> {
    try {
      await this.run();
    } catch (error) {
      this.#warn(error as Error);
    }
    this.start();
  }

  /** Once: as long as the database has trouble, each request reports it too. */
  #warn({ message }: Error): void {
    if (this.#warned) return;
    this.#warned = true;
    warnOnce(
      'WARN_SESSION_STORE_CLEANUP',
      `Expired sessions could not be removed, which will be tried again. ${message}`,
    );
  }
}
