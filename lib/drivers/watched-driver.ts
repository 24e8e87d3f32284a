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
    if (!this.#events.isWatched('load')) return this.#driver.load(context, id, done);
    const name = (data: unknown): SessionEventName => (data ? 'load' : 'expire');
    this.#events.watch(
      'load',
      id,
      context.req,
      name,
      (finished) => this.#driver.load(context, id, finished),
      done,
    );
  }

  write(context: SessionContext, session: Session, data: string, done: Callback): void {
    if (!this.#events.isWatched('save')) return this.#driver.write(context, session, data, done);
    const created = !context.isStored(session.id);
    const name = () => (context.isDestroyed(session) ? undefined : created ? 'create' : 'save');
    const run = (finished: Callback) => this.#driver.write(context, session, data, finished);
    this.#events.watch('save', session.id, context.req, name, run, done);
  }

  touch(context: SessionContext, session: Session, data: string, done: Callback): void {
    if (!this.#events.isWatched('touch')) return this.#driver.touch(context, session, data, done);
    const name = () => (context.isDestroyed(session) ? undefined : 'touch');
    const run = (finished: Callback) => this.#driver.touch(context, session, data, finished);
    this.#events.watch('touch', session.id, context.req, name, run, done);
  }

  destroy(context: SessionContext, id: string, done: Callback): void {
    if (!this.#events.isWatched('destroy')) return this.#driver.destroy(context, id, done);
    const run = (finished: Callback) => this.#driver.destroy(context, id, finished);
    this.#events.watch('destroy', id, context.req, () => 'destroy', run, done);
  }

  regenerate(context: SessionContext, done: Callback): void {
    this.#driver.regenerate(context, done);
  }
}
