import type { SessionEventName, SessionEvents } from '../events.js';
import type { SessionContext } from '../request/context.js';
import type { Callback, Session } from '../session.js';
import type { LoadCallback, StoreDriver } from './driver.js';

/** Tells of what a driver does: events and tracing channels. Passes straight on while nobody listens. */
export class WatchedDriver implements StoreDriver {
  readonly #driver: StoreDriver;
  readonly #events: SessionEvents;
  readonly canTouch: boolean;

  constructor(driver: StoreDriver, events: SessionEvents) {
    this.#driver = driver;
    this.#events = events;
    this.canTouch = driver.canTouch;
  }

  load(context: SessionContext, id: string, done: LoadCallback): void {
    if (this.#events.isWatched('load')) this.#tellOfLoad(context, id, done);
    else this.#driver.load(context, id, done);
  }

  write(context: SessionContext, session: Session, data: string, done: Callback): void {
    if (this.#events.isWatched('save')) this.#tellOfWrite(context, session, data, done);
    else this.#driver.write(context, session, data, done);
  }

  touch(context: SessionContext, session: Session, data: string | undefined, done: Callback): void {
    if (this.#events.isWatched('touch')) this.#tellOfTouch(context, session, data, done);
    else this.#driver.touch(context, session, data, done);
  }

  destroy(context: SessionContext, id: string, done: Callback): void {
    if (this.#events.isWatched('destroy')) this.#tellOfDestroy(context, id, done);
    else this.#driver.destroy(context, id, done);
  }

  regenerate(context: SessionContext, done: Callback): void {
    this.#driver.regenerate(context, done);
  }

  #tellOfLoad(context: SessionContext, id: string, done: LoadCallback): void {
    const name = (data: unknown): SessionEventName => (data ? 'load' : 'expire');
    const run = (finished: LoadCallback) => this.#driver.load(context, id, finished);
    this.#events.watch('load', id, context.req, name, run, done);
  }

  #tellOfWrite(context: SessionContext, session: Session, data: string, done: Callback): void {
    const created = !context.isStored(session.id);
    const name = () => (context.isDestroyed(session) ? undefined : created ? 'create' : 'save');
    const run = (finished: Callback) => this.#driver.write(context, session, data, finished);
    this.#events.watch('save', session.id, context.req, name, run, done);
  }

  #tellOfTouch(context: SessionContext, session: Session, data: string | undefined, done: Callback): void {
    const name = () => (context.isDestroyed(session) ? undefined : 'touch');
    const run = (finished: Callback) => this.#driver.touch(context, session, data, finished);
    this.#events.watch('touch', session.id, context.req, name, run, done);
  }

  #tellOfDestroy(context: SessionContext, id: string, done: Callback): void {
    const run = (finished: Callback) => this.#driver.destroy(context, id, finished);
    this.#events.watch('destroy', id, context.req, () => 'destroy', run, done);
  }
}
