import { asError, SteadyError } from '../errors.js';
import { describe } from '../option-checks.js';
import type { OwnedRecord, SessionStore } from '../stores/store.js';
import { type Awaitable, isPromise } from './awaitable.js';
import { timed } from './timed-driver.js';

/**
 * A store whose operations, and the steps of whose listings, fail with `ERR_SESSION_STORE_TIMEOUT` after `timeout`
 * milliseconds without an answer. Timing them one by one leaves an app the time that its own part of an `update()` takes.
 *
 * An answer that says nothing fails with `ERR_SESSION_STORE_ANSWER`: taken for `false`, it would report a conflict or a
 * logout that never happened. So does something in the place of a text; `null`, which most databases answer, is none.
 */
export function timedStore(store: SessionStore, timeout: number): SessionStore {
  const within: Within = (what, method, operation) =>
    new Promise((resolve, reject) => {
      const answer = (error: unknown, value?: any) => (error ? reject(error) : resolve(value));
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
  return {
    get: (id) => within('load', 'get', () => store.get(id)),
    set: (id, value, how) => within('save', 'set', () => store.set(id, value, how)),
    touch: (id, expires, ...owner) => within('touch', 'touch', () => store.touch(id, expires, ...owner)),
    destroy: (id, ...owner) => within('destroy', 'destroy', () => store.destroy(id, ...owner)),
    ...(store.atomic !== undefined && { atomic: store.atomic }),
    ...(store.getAndTouch && {
      getAndTouch: (id, expires) => within('load', 'getAndTouch', () => store.getAndTouch!(id, expires)),
    }),
    ...(store.ids && { ids: () => stepwise(within, 'ids', () => store.ids!()) }),
    ...(store.owned && {
      owned: (owner) => timedRecords(within, () => store.owned!(owner)),
    }),
  };
}

/** Runs an operation of the store's, which has to answer in time. @param what in words @param method which it is */
type Within = <T>(what: string, method: keyof SessionStore, operation: () => Awaitable<T>) => Promise<T>;

async function* timedRecords(
  within: Within,
  list: () => AsyncIterable<OwnedRecord>,
): AsyncGenerator<OwnedRecord> {
  for await (const found of stepwise(within, 'owned', list)) {
    yield {
      key: found.key,
      value: found.value,
      matches: (id) => found.matches(id),
      destroy: (...owner) => within('destroy', 'destroy', async () => found.destroy(...owner)),
    };
  }
}

async function* stepwise<T>(
  within: Within,
  method: 'ids' | 'owned',
  list: () => AsyncIterable<T>,
): AsyncGenerator<T> {
  const items = all(list);
  let isPaused = false; // while it is on its way to the next item, it could not be told that no more is wanted
  try {
    for (;;) {
      const { done, value } = await within('list', method, () => items.next());
      if (done) return;
      isPaused = true;
      yield value;
      isPaused = false;
    }
  } finally {
    if (isPaused) await items.return(undefined);
  }
}

async function* all<T>(list: () => AsyncIterable<T>): AsyncGenerator<T> {
  yield* list();
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
