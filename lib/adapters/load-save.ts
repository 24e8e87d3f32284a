import type { SessionStore } from '../stores/store.js';
import { parseObject, requireMethods } from './backend.js';
import { inTwoSteps } from './two-steps.js';

/** The back end of small frameworks: two methods, which may answer at once or by promise. */
export interface LoadSaveBackend {
  /** The data under `id`; `{}` (or nothing) when there is none or it has expired. */
  load(id: string): object | null | undefined | Promise<object | null | undefined>;
  /** Keeps `data` under `id` for so many seconds. Empty data or 0 seconds: removes what is there. */
  save(id: string, data: object, seconds: number): unknown;
}

/**
 * A back end with `load` and `save`, as MicroPie and other small frameworks have it, as a session store.
 *
 * It can't compare and write in one step, and is made safe within this process (`atomic: false`). Lives are rounded
 * up to whole seconds.
 *
 * @throws TypeError if `backend` lacks a method.
 */
export function fromLoadSave(backend: LoadSaveBackend): SessionStore {
  requireMethods('fromLoadSave', backend, ['load', 'save']);
  return inTwoSteps(backend, {
    async get(id) {
      const data = (await backend.load(id)) ?? {};
      return Object.keys(data).length > 0 ? JSON.stringify(data) : undefined;
    },
    async put(id, text, expires) {
      await backend.save(id, parseObject('fromLoadSave', text), Math.ceil((expires - Date.now()) / 1000));
    },
    async destroy(id) {
      await backend.save(id, {}, 0);
    },
  });
}
