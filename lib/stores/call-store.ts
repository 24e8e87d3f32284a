import { asError } from '../errors.js';

type NodeCallback = (error?: any, value?: any) => void;

/**
 * Calls a store's method and passes on its first answer: by callback, by throwing or by a rejected promise. A resolved
 * promise is an answer only of a method that takes no callback: others may return one before their work is done, as
 * `async get(id, callback) { this.client.get(id, callback); }`.
 *
 * @param promises whether the method takes no callback
 * @param late called with the store's own trouble after its answer, which nobody waits for any more
 * @param caught called with what `done` threw if the store has caught it, and calls back with it: it is the app's
 */
export function callStore(
  call: (callback: NodeCallback) => unknown,
  promises: boolean,
  done: NodeCallback,
  late: (error: unknown) => void,
  caught: (error: unknown) => void = late,
): void {
  let answered = false;
  let thrownByDone: unknown;
  const answer: NodeCallback = (error, value) => {
    if (answered) return isFromDone(error) ? caught(error) : undefined;
    answered = true;
    try {
      done(error, value);
    } catch (thrown) {
      thrownByDone = thrown;
      throw thrown;
    }
  };
  const isFromDone = (error: unknown) => error !== undefined && error === thrownByDone;
  const fail = (error: unknown) => {
    if (!answered) answer(asError(error));
    else if (isFromDone(error))
      throw error; // it is meant for our caller
    else late(error);
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
