import { SteadyError } from '../errors.js';
import type { SessionContext } from '../request/context.js';
import type { Callback, Session } from '../session.js';
import type { LoadCallback, StoreDriver } from './driver.js';

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
    this.#driver.load(context, id, this.#timed('load', done));
  }

  write(context: SessionContext, session: Session, data: string, done: Callback): void {
    this.#driver.write(context, session, data, this.#timed('save', done));
  }

  touch(context: SessionContext, session: Session, data: string | undefined, done: Callback): void {
    this.#driver.touch(context, session, data, this.#timed('touch', done));
  }

  destroy(context: SessionContext, id: string, done: Callback): void {
    this.#driver.destroy(context, id, this.#timed('destroy', done));
  }

  regenerate(context: SessionContext, done: Callback): void {
    this.#driver.regenerate(context, this.#timed('regenerate', done));
  }

  #timed<Args extends unknown[]>(what: string, done: (error?: any, ...args: Args) => void): typeof done {
    return timed(what, this.#timeout, done);
  }
}

/** `done`, to be called by a store; called in its place when `timeout` milliseconds have passed. What comes later is ignored. */
export function timed<Args extends unknown[]>(
  what: string,
  timeout: number,
  done: (error?: any, ...args: Args) => void,
): typeof done {
  let timer: NodeJS.Timeout | undefined = setTimeout(() => {
    timer = undefined;
    const text = `the session store did not ${what} a session within ${timeout} ms; check that it can be reached`;
    done(new SteadyError('ERR_SESSION_STORE_TIMEOUT', text), ...([] as unknown as Args));
  }, timeout);
  return (error, ...args) => {
    if (!timer) return;
    clearTimeout(timer);
    timer = undefined;
    done(error, ...args);
  };
}
