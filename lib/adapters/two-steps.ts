import type { SessionStore, SetOptions } from '../stores/store.js';
import { lockOf } from './lock.js';

/** A store that can read and write, but not both in one step. */
export interface TwoStepStore {
  /** The text under `id`; `undefined` when there is none or it has expired. */
  get(id: string): Promise<string | undefined>;
  /** Stores `text` until `expires` (epoch ms), which is not past. */
  put(id: string, text: string, expires: number): Promise<unknown>;
  /** Removes the record. Fine if there is none. */
  destroy(id: string): Promise<unknown>;
  /** Gives a live record a new expiry that is not past; `false` if there is none. Default: reads it and stores it again. */
  touch?(id: string, expires: number): Promise<boolean>;
}

/**
 * The session store over one that can't compare and write in one step. Within this process the two steps are safe: a
 * lock of `backend` lets nothing else write in between. Other processes may, hence `atomic: false`.
 */
export function inTwoSteps(backend: object, store: TwoStepStore): SessionStore {
  const lock = lockOf(backend);

  async function holds(id: string, expected: string | null | undefined): Promise<boolean> {
    return expected === undefined || (await store.get(id)) === (expected ?? undefined);
  }

  // Many a back end takes a life of 0 or less for "without end", so what has expired is removed instead.
  async function write(id: string, text: string, expires: number): Promise<void> {
    await (expires > Date.now() ? store.put(id, text, expires) : store.destroy(id));
  }

  async function rewrite(id: string, expires: number): Promise<boolean> {
    const text = await store.get(id);
    if (text !== undefined) await write(id, text, expires);
    return text !== undefined;
  }

  return {
    atomic: false,
    get: (id) => store.get(id),
    set: (id: string, text: string, { expires, expected }: SetOptions) =>
      lock.run(id, async () => {
        if (!(await holds(id, expected))) return false;
        await write(id, text, expires);
        return true;
      }),
    touch: (id, expires) =>
      lock.run(id, () =>
        store.touch && expires > Date.now() ? store.touch(id, expires) : rewrite(id, expires),
      ),
    async destroy(id) {
      await lock.run(id, () => store.destroy(id));
    },
  };
}
