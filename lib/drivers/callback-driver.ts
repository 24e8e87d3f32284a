import type { SessionContext } from '../request/context.js';
import type { Callback, Session, SessionData } from '../session.js';
import { Store } from '../stores/connect-store.js';
import type { LoadCallback, StoreDriver } from './driver.js';

/**
 * Uses a callback (connect-style) store just as express-session does: same methods, same arguments, same order.
 * Any object with `get`, `set` and `destroy` will do, whatever its class.
 */
export class CallbackDriver implements StoreDriver {
  readonly #store: Store;
  readonly canTouch: boolean;

  constructor(store: Store) {
    this.#store = store;
    this.canTouch = typeof (store as TouchableStore).touch === 'function';
  }

  load(_context: SessionContext, id: string, done: LoadCallback): void {
    const store = this.#store;
    once((callback) => store.get(id, callback), store.get.length < 2, done as NodeCallback);
  }

  write(context: SessionContext, session: Session, _data: string, done: Callback): void {
    const store = this.#store;
    once(
      (callback) => store.set(session.id, session as unknown as SessionData, callback),
      store.set.length < 3,
      done,
    );
    context.handedOver(session);
  }

  touch(context: SessionContext, session: Session, _data: string, done: Callback): void {
    const store = this.#store as TouchableStore;
    const id = context.req.sessionID;
    once(
      (callback) => store.touch(id, session as unknown as SessionData, callback),
      store.touch.length < 3,
      done,
    );
    context.handedOver(session);
  }

  destroy(_context: SessionContext, id: string, done: Callback): void {
    const store = this.#store;
    once((callback) => store.destroy(id, callback), store.destroy.length < 2, done);
  }

  regenerate(context: SessionContext, done: Callback): void {
    const store = this.#store;
    const regenerate = typeof store.regenerate === 'function' ? store.regenerate : Store.prototype.regenerate;
    once((callback) => regenerate.call(store, context.req, callback), false, done);
  }
}

type TouchableStore = Store & { touch(id: string, session: SessionData, callback: Callback): unknown };

type NodeCallback = (error?: any, value?: any) => void;

/**
 * Calls a store's method and passes on its first answer: by callback, by throwing or by a rejected promise. A resolved
 * promise is an answer only of a method that takes no callback: others may return one before their work is done.
 */
function once(call: (callback: NodeCallback) => unknown, promises: boolean, done: NodeCallback): void {
  let answered = false;
  const answer: NodeCallback = (error, value) => {
    if (answered) return;
    answered = true;
    done(error, value);
  };
  const fail = (error: unknown) => {
    if (answered) throw error; // not the store's error: it comes out of our caller
    answer(error ?? new Error('the session store failed without an error'));
  };
  let result: unknown;
  try {
    result = call(answer);
  } catch (error) {
    return fail(error);
  }
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return;
  (result as PromiseLike<unknown>).then((value) => promises && answer(null, value), fail);
}
