import { SteadyError } from '../errors.js';
import type { SessionContext } from '../request/context.js';
import type { Session } from '../session.js';
import type { Answer, Done, LoadCallback, StoreDriver } from './driver.js';

/** Answers for a store that does not answer: after `timeout` milliseconds, with `ERR_SESSION_STORE_TIMEOUT`. */
export class TimedDriver implements StoreDriver {
  readonly #driver: StoreDriver;
  readonly #timeout: number;
  readonly canTouch: boolean;

  constructor(driver: StoreDriver, timeout: number) {
    this.#driver = driver;
    this.#timeout = timeout;
    this.canTouch = driver.canTouch;
  }

  load(context: SessionContext, id: string, done: LoadCallback): void {
    this.#driver.load(context, id, this.#timed('load', context, done));
  }

  write(context: SessionContext, session: Session, data: string, done: Done): void {
    this.#driver.write(context, session, data, this.#timed('save', context, done));
  }

  touch(context: SessionContext, session: Session, data: string | undefined, done: Done): void {
    this.#driver.touch(context, session, data, this.#timed('touch', context, done));
  }

  destroy(context: SessionContext, id: string, done: Done): void {
    this.#driver.destroy(context, id, this.#timed('destroy', context, done));
  }

  regenerate(context: SessionContext, done: Done): void {
    this.#driver.regenerate(context, this.#timed('regenerate', context, done));
  }

  #timed<T>(what: string, context: SessionContext, done: Answer<T>): Answer<T> {
    return timed(what, this.#timeout, (error, value?: T) => done(error, value, context));
  }
}

/** `done`, to be called by a store; called in its place when `timeout` milliseconds have passed. What comes later is ignored. */
export function timed<T>(
  what: string,
  timeout: number,
  done: (error: unknown, value?: T) => void,
): typeof done {
  let timer: NodeJS.Timeout | undefined = setTimeout(() => {
    timer = undefined;
    const text = `the session store did not ${what} a session within ${timeout} ms; check that it can be reached`;
    done(new SteadyError('ERR_SESSION_STORE_TIMEOUT', text));
  }, timeout);
  return (error, value) => {
    if (!timer) return;
    clearTimeout(timer);
    timer = undefined;
    done(error, value);
  };
}
