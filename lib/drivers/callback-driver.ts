import { jsonOf } from '../record.js';
import type { SessionContext } from '../request/context.js';
import type { Callback, Session, SessionData } from '../session.js';
import { callStore } from '../stores/call-store.js';
import { Store } from '../stores/connect-store.js';
import type { Done, LoadCallback, StoreDriver } from './driver.js';

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

  load(context: SessionContext, id: string, done: LoadCallback): void {
    const store = this.#store;
    callStore(
      (callback) => store.get(id, callback),
      store.get.length < 2,
      (error, data) => {
        const isReload = context.begun && data;
        if (!error && isReload) context.viewOfLoaded(id).seen = JSON.stringify(data); // update() goes by it
        done(error, data, context);
      },
      ...beside(context),
    );
  }

  write(context: SessionContext, session: Session, data: string, done: Done): void {
    const store = this.#store;
    // before the store answers, or at least before anybody hears of it: what is changed later is the app's change
    const handOver = once(() => context.handedOver(session));
    callStore(
      (callback) => store.set(session.id, session as unknown as SessionData, callback),
      store.set.length < 3,
      (error) => {
        if (!error) context.viewOf(session).seen = jsonOf(data); // update() goes by it
        handOver();
        done(error, undefined, context);
      },
      ...beside(context),
    );
    handOver();
  }

  touch(context: SessionContext, session: Session, _data: string | undefined, done: Done): void {
    const store = this.#store as TouchableStore;
    const id = context.req.sessionID;
    // before the store answers, or at least before anybody hears of it: what is changed later is the app's change
    const handOver = once(() => context.handedOver(session));
    callStore(
      (callback) => store.touch(id, session as unknown as SessionData, callback),
      store.touch.length < 3,
      (error) => {
        handOver();
        done(error, undefined, context);
      },
      ...beside(context),
    );
    handOver();
  }

  destroy(context: SessionContext, id: string, done: Done): void {
    const store = this.#store;
    callStore(
      (callback) => store.destroy(id, callback),
      store.destroy.length < 2,
      answered(context, done),
      ...beside(context),
    );
  }

  regenerate(context: SessionContext, done: Done): void {
    const store = this.#store;
    const regenerate = typeof store.regenerate === 'function' ? store.regenerate : Store.prototype.regenerate;
    callStore(
      (callback) => regenerate.call(store, context.req, callback),
      false,
      answered(context, done),
      ...beside(context),
    );
  }
}

/** Does `work` at the first call only. */
function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

type TouchableStore = Store & { touch(id: string, session: SessionData, callback: Callback): unknown };

function answered(context: SessionContext, done: Done): Callback {
  return (error) => done(error, undefined, context);
}

/** Where trouble goes that is no answer: the store's own is reported, the app's goes to its error handler. */
function beside(context: SessionContext): [late: (error: unknown) => void, caught: (error: unknown) => void] {
  const { next } = context;
  return [(error) => context.report(error), (error) => next(error)];
}
