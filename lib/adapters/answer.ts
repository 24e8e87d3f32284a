import { asError } from '../errors.js';
import { callStore } from '../stores/call-store.js';

/**
 * Calls a method of a callback API and takes its first answer, as {@link callStore} does: whether a method calls back or
 * answers by a promise, the number of its parameters tells.
 */
export function answerOf<T>(api: object, method: string, ...args: unknown[]): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const operation = (api as Record<string, (...args: unknown[]) => unknown>)[method]!;
    callStore(
      (callback) => operation.call(api, ...args, callback),
      operation.length <= args.length,
      (error, value) => (error ? reject(asError(error)) : resolve(value)),
      () => {},
    );
  });
}
