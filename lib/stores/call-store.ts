import { asError } from '../errors.js';
export type NodeCallback = (error?: any, value?: any) => void;

/**
 * Calls a store's method and passes on its first answer: by callback, by throwing or by a rejected promise. A resolved
 * promise is an answer only of a method that takes no callback: others may return one before their work is done.
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
  let thrownByUs: unknown;
  const answer: NodeCallback = (error, value) => {
    if (answered) return isOurs(error) ? caught(error) : undefined;
    answered = true;
    try {
      done(error, value);
    } catch (thrown) {
      thrownByUs = thrown;
      throw thrown;
    }
  };
  const isOurs = (error: unknown) => error !== undefined && error === thrownByUs;
  const fail = (error: unknown) => {
    if (!answered) answer(asError(error));
    else if (isOurs(error))
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
