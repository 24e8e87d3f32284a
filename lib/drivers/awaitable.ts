import { asError } from '../errors.js';
import type { SessionContext } from '../request/context.js';
import type { SessionStore } from '../stores/store.js';
import type { Answer } from './driver.js';

/** There already, or to be waited for. */
export type Awaitable<T> = T | Promise<T>;

// What the steps of a request need is given along, not closed over: each closure less saves 110 bytes. Where there must be
// one, it is in a function of its own (...Later), as V8 allocates what it takes in whenever the function around it is called.

/** Goes on with a value: at once, if it is there. */
export function andThen<T, Args extends unknown[], U>(
  value: Awaitable<T>,
  next: (value: T, ...args: Args) => Awaitable<U>,
  ...args: Args
): Awaitable<U> {
  return isPromise(value) ? andThenLater(value, next, args) : next(value as T, ...args);
}

function andThenLater<T, Args extends unknown[], U>(
  value: Promise<T>,
  next: (value: T, ...args: Args) => Awaitable<U>,
  args: Args,
): Promise<U> {
  return value.then((result) => next(result, ...args));
}

/** Calls back with what an operation comes to. An error that the callback itself throws is not taken for the store's. */
export function callBack<T, Args extends unknown[]>(
  done: Answer<T>,
  context: SessionContext,
  operation: (...args: Args) => Awaitable<T>,
  ...args: Args
): void {
  let value: Awaitable<T>;
  try {
    value = operation(...args);
  } catch (error) {
    return fail(error, done, context);
  }
  if (isPromise(value)) callBackLater(value, done, context);
  else done(undefined, value as T, context);
}

function callBackLater<T>(value: Promise<T>, done: Answer<T>, context: SessionContext): void {
  value.then(
    (result) => done(undefined, result, context),
    (error) => fail(error, done, context),
  );
}

function fail<T>(error: unknown, done: Answer<T>, context: SessionContext): void {
  done(error || asError(error), undefined, context); // it may be one of the app's, thrown by a toJSON()
}

export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof (value as Promise<T> | undefined)?.then === 'function';
}

/**
 * A store of text that may answer at once, as one in memory can: each promise less saves 0.2 us and 200 bytes. The texts
 * and the ids that it is given are compact.
 */
export type TextStore = Pick<SessionStore, 'getAndTouch' | 'ids' | 'owned' | 'atomic'> & {
  get(id: string): Awaitable<string | undefined>;
  set(...args: Parameters<SessionStore['set']>): Awaitable<boolean>;
  touch(...args: Parameters<SessionStore['touch']>): Awaitable<boolean>;
  destroy(...args: Parameters<SessionStore['destroy']>): Awaitable<void>;
  /** Whether a record was put in as a session object: as in express-session, it is taken for one whatever it lacks. */
  isSession?(id: string): boolean;
};
