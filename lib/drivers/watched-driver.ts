import type { SessionEventName, SessionEvents } from '../events.js';
import type { SessionContext } from '../request/context.js';
import type { Session } from '../session.js';
import type { Answer, Done, LoadCallback, StoreDriver } from './driver.js';

/** Tells of what a driver does: events and channels. Passes straight on while nobody listens. */
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

  write(context: SessionContext, session: Session, data: string, done: Done): void {
    if (this.#events.isWatched('save')) this.#tellOfWrite(context, session, data, done);
    else this.#driver.write(context, session, data, done);
  }

  touch(context: SessionContext, session: Session, data: string | undefined, done: Done): void {
    if (this.#events.isWatched('touch')) this.#tellOfTouch(context, session, data, done);
    else this.#driver.touch(context, session, data, done);
  }

  destroy(context: SessionContext, id: string, done: Done): void {
    if (this.#events.isWatched('destroy')) this.#tellOfDestroy(context, id, done);
    else this.#driver.destroy(context, id, done);
  }

  regenerate(context: SessionContext, done: Done): void {
    this.#driver.regenerate(context, done);
  }

  #tellOfLoad(context: SessionContext, id: string, done: LoadCallback): void {
    const name = (data: unknown): SessionEventName => (data ? 'load' : 'expire');
    const run = (finished: Finished) => this.#driver.load(context, id, finished);
    this.#events.watch('load', id, context.req, name, run, told(context, done));
  }

  #tellOfWrite(context: SessionContext, session: Session, data: string, done: Done): void {
    const created = !context.isStored(session.id);
    const name = () => (context.isDestroyed(session) ? undefined : created ? 'create' : 'save');
    const run = (finished: Finished) => this.#driver.write(context, session, data, finished);
    this.#events.watch('save', session.id, context.req, name, run, told(context, done));
  }

  #tellOfTouch(context: SessionContext, session: Session, data: string | undefined, done: Done): void {
    const name = () => (context.isDestroyed(session) ? undefined : 'touch');
    const run = (finished: Finished) => this.#driver.touch(context, session, data, finished);
    this.#events.watch('touch', session.id, context.req, name, run, told(context, done));
  }

  #tellOfDestroy(context: SessionContext, id: string, done: Done): void {
    const run = (finished: Finished) => this.#driver.destroy(context, id, finished);
    const name = () => {
      if (context.ending.toldId === id) return undefined; // with `unset: 'destroy'` it is destroyed once more, as by express-session
      context.noteEnding({ toldId: id });
      return 'destroy';
    };
    this.#events.watch('destroy', id, context.req, name, run, told(context, done));
  }
}

type Finished = (error?: unknown, value?: any) => void;

function told<T>(context: SessionContext, done: Answer<T>): Finished {
  return (error, value) => done(error, value, context);
}
