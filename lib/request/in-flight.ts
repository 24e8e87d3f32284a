import type { Callback } from '../session.js';
import { nextTurn } from '../timers.js';

/**
 * An operation that finishes in a later turn of the event loop. Our MemoryStore answers at once, express-session's does not:
 * nobody expects a callback before the call has returned.
 */
export function inLaterTurn(operation: (finished: Callback) => void): typeof operation {
  return (finished) => operation((error) => nextTurn(finished, error));
}

/** Counts the operations that are under way, so that others can wait until there are none. */
export class InFlight {
  count = 0;
  readonly #waiting: (() => void)[] = [];

  /** Runs an operation that is under way until it calls back. */
  run(done: Callback, operation: (finished: Callback) => void): void {
    this.count++;
    operation((error) => {
      this.count--;
      try {
        done(error);
      } finally {
        if (this.count === 0) for (const wake of this.#waiting.splice(0)) wake();
      }
    });
  }

  /** At once if nothing is under way. */
  whenIdle(callback: () => void): void {
    if (this.count === 0) callback();
    else this.#waiting.push(callback);
  }
}
