import { reasonOf } from '../errors.js';
import type { SessionStore } from '../stores/store.js';
import { timed } from './timed-driver.js';

/**
 * A store whose operations fail with `ERR_SESSION_STORE_TIMEOUT` after `timeout` milliseconds without an answer. Timing
 * them one by one leaves an app the time that its own part of an `update()` takes.
 */
export function timedStore(store: SessionStore, timeout: number): SessionStore {
  const within = <T>(what: string, operation: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const answer = (error: unknown, value?: T) => (error ? reject(error) : resolve(value as T));
      const done = timed(what, timeout, answer);
      const fail = (error: unknown) => done(reasonOf(error));
      try {
        operation().then((value) => done(undefined, value), fail);
      } catch (error) {
        fail(error);
      }
    });
  const { getAndTouch, ids, owned } = store;
  return {
    get: (id) => within('load', () => store.get(id)),
    set: (id, value, how) => within('save', () => store.set(id, value, how)),
    touch: (id, expires, ...owner) => within('touch', () => store.touch(id, expires, ...owner)),
    destroy: (id) => within('destroy', () => store.destroy(id)),
    ...(getAndTouch && {
      getAndTouch: (id, expires) => within('load', () => getAndTouch.call(store, id, expires)),
    }),
    ...(ids && { ids: () => ids.call(store) }),
    ...(owned && { owned: (owner) => owned.call(store, owner) }),
  };
}
