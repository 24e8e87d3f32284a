import { asError, SteadyError } from '../errors.js';
import { describe } from '../option-checks.js';
import type { SessionStore } from '../stores/store.js';
import { type Awaitable, isPromise } from './awaitable.js';
import { timed } from './timed-driver.js';

/**
 * A store whose operations fail with `ERR_SESSION_STORE_TIMEOUT` after `timeout` milliseconds without an answer. Timing
 * them one by one leaves an app the time that its own part of an `update()` takes.
 *
 * An answer that says nothing fails with `ERR_SESSION_STORE_ANSWER`: taken for `false`, it would report a conflict or a
 * logout that never happened. So does something in the place of a text; `null`, which most databases answer, is none.
 */
export function timedStore(store: SessionStore, timeout: number): SessionStore {
  const within = <T>(what: string, method: keyof SessionStore, operation: () => Awaitable<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const answer = (error: unknown, value?: T) => (error ? reject(error) : resolve(value as T));
      const done = timed(what, timeout, answer);
      const fail = (error: unknown) => done(asError(error));
      try {
        const operating = operation();
        if (isPromise(operating))
          operating.then((value) => done(badAnswer(method, value), value ?? undefined), fail);
        else fail(contractBroken(`${method}() must return a promise`, operating));
      } catch (error) {
        fail(error);
      }
    });
  const { getAndTouch, ids, owned } = store;
  return {
    get: (id) => within('load', 'get', () => store.get(id)),
    set: (id, value, how) => within('save', 'set', () => store.set(id, value, how)),
    touch: (id, expires, ...owner) => within('touch', 'touch', () => store.touch(id, expires, ...owner)),
    destroy: (id) => within('destroy', 'destroy', () => store.destroy(id)),
    ...(getAndTouch && {
      getAndTouch: (id, expires) => within('load', 'getAndTouch', () => getAndTouch.call(store, id, expires)),
    }),
    ...(ids && { ids: () => ids.call(store) }),
    ...(owned && { owned: (owner) => owned.call(store, owner) }),
  };
}

const ANSWERS_BOOLEAN: ReadonlySet<keyof SessionStore> = new Set(['set', 'touch']);
const ANSWERS_TEXT: ReadonlySet<keyof SessionStore> = new Set(['get', 'getAndTouch']);

function badAnswer(method: keyof SessionStore, answer: unknown): SteadyError | undefined {
  if (ANSWERS_BOOLEAN.has(method) && (answer === undefined || answer === null))
    return contractBroken(`${method}() must answer true or false`, answer);
  if (ANSWERS_TEXT.has(method) && answer !== undefined && answer !== null && typeof answer !== 'string')
    return contractBroken(`${method}() must answer the text that set() was given, or undefined`, answer);
  return undefined;
}

function contractBroken(rule: string, given: unknown): SteadyError {
  const text = `the session store breaks its contract: ${rule}; got ${describe(given)}`;
  return new SteadyError('ERR_SESSION_STORE_ANSWER', text);
}
