import { asError } from '../errors.js';

type NodeCallback = (error?: any, value?: any) => void;

/**
 * Calls a method of a callback API and takes its first answer, whatever form it has: a callback, now or later, or an
 * error that is thrown, or a promise.
 *
 * The value of a promise counts only for a method that declares no callback. Others may resolve before their work
 * is done: `async get(id, callback) { this.client.get(id, callback); }`.
 */
export function answerOf<T>(api: object, method: string, ...args: unknown[]): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const operation = (api as Record<string, (...args: unknown[]) => unknown>)[method]!;
    const callback: NodeCallback = (error, value) => (error ? reject(asError(error)) : resolve(value));
    const fail = (reason: unknown) => reject(asError(reason));
    try {
      const result = operation.call(api, ...args, callback);
      if (!isPromise(result)) return;
      const takesCallback = operation.length > args.length;
      result.then((value) => takesCallback || resolve(value as T | undefined), fail);
    } catch (error) {
      fail(error);
    }
  });
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
