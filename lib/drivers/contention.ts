import { setTimeout as sleep } from 'node:timers/promises';

/** Runs operations under the same key one after the other, and forgets a key when none is left. */
export class Queues {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(operation, operation);
    this.#last.set(key, mine);
    const forget = () => {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    };
    mine.then(forget, forget);
    return mine;
  }
}

/** Waits longer and longer, up to 32 ms, and at random, so that those who collide come apart. The first tries are at once. */
export async function backOff(attempt: number): Promise<void> {
  if (attempt < 2) return;
  await sleep(Math.random() * 2 ** Math.min(attempt, 5));
}
