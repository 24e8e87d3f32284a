import { lockOf } from '../adapters/lock.js';
import type { SessionStore } from './store.js';

/**
 * A store that compares and writes in two steps (`atomic: false`), with the writes to one id made one after the other:
 * safe among the requests of this process.
 */
export function inTurn(store: SessionStore): SessionStore {
  const lock = lockOf(store);
  const { getAndTouch, ids, owned, onDestroy, close } = store;
  return {
    atomic: false,
    get: (id) => store.get(id),
    set: (id, value, how) => lock.run(id, () => store.set(id, value, how)),
    touch: (id, expires, ...owner) => lock.run(id, () => store.touch(id, expires, ...owner)),
    destroy: (id, ...owner) => lock.run(id, () => store.destroy(id, ...owner)),
    ...(getAndTouch && {
      getAndTouch: (id, expires) => lock.run(id, () => getAndTouch.call(store, id, expires)),
    }),
    ...(ids && { ids: () => ids.call(store) }),
    ...(owned && { owned: (owner) => owned.call(store, owner) }),
    ...(onDestroy && { onDestroy: (listener) => onDestroy.call(store, listener) }),
    ...(close && { close: () => close.call(store) }),
  };
}
