import { describeWithoutText } from '../option-checks.js';

/**
 * To be called with what a store's `set()` was given. By express-session's contract it would be a session and a callback: nothing
 * would be stored, and nobody called.
 * @throws TypeError that says what to call instead
 */
export function checkWrite(store: string, value: unknown, how: unknown): void {
  const expires: unknown = (how as { expires?: unknown } | undefined)?.expires;
  if (typeof value === 'string' && isTime(expires)) return;
  throw otherContract(`${store}: set() takes a text and { expires }`, value, how);
}

/** The same for `touch()`. */
export function checkTouch(store: string, expires: unknown): void {
  if (!isTime(expires)) throw otherContract(`${store}: touch() takes a time in epoch milliseconds`, expires);
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && !Number.isNaN(value);
}

function otherContract(what: string, ...given: unknown[]): TypeError {
  return new TypeError(
    `${what}; got ${given.map(describeWithoutText).join(' and ')}. For sessions and callbacks, as with express-session's stores, ` +
      'use req.sessionStore, or toConnectStore(store)',
  );
}
