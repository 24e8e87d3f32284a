import { unref } from '../timers.js';

/** How long, in ms, an operation that does not end keeps the next ones from starting. */
const PATIENCE = 30_000;

/**
 * Lets the operations on one id run one after the other, and those on different ids at the same time. It remembers
 * nothing of an id whose operations have ended.
 */
export class IdLock {
  readonly #last = new Map<string, Promise<void>>();

  /**
   * Runs `operation` once those that were given before for the same id have ended. One that never ends (a back end
   * that has lost its callback) blocks the others for 30 seconds, not for ever.
   * @param mostWait after how many milliseconds it runs all the same; for operations that are merely better done in turn
   */
  async run<T>(id: string, operation: () => Promise<T>, mostWait: number = Infinity): Promise<T> {
    const before = this.#last.get(id);
    let open!: () => void;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#last.set(id, opened);
    if (before) await (mostWait === Infinity ? before : within(before, mostWait));

    const release = () => {
      open();
      if (this.#last.get(id) === opened) this.#last.delete(id);
    };
    const timer = setTimeout(release, PATIENCE);
    unref(timer);
    try {
      return await operation();
    } finally {
      clearTimeout(timer);
      release();
    }
  }

  /** For tests: the number of ids on which something runs or waits. */
  get size(): number {
    return this.#last.size;
  }
}

/** Resolves when the promise does, or in so many milliseconds. */
function within(promise: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const locks = new WeakMap<object, IdLock>();

/** The lock of a back end: all adapters over the same one share it. */
export function lockOf(backend: object): IdLock {
  const lock = locks.get(backend) ?? new IdLock();
  locks.set(backend, lock);
  return lock;
}
