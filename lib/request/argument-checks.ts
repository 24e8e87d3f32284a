import { describe, didYouMean } from '../option-checks.js';
import type { Callback, RegenerateOptions } from '../session.js';

// What the app gives to the methods of a session: a slip would cost data, or a login, without a word.

const OPTIONS: readonly string[] = ['keep', 'restart'];

/**
 * The options and the callback that `regenerate()` was given.
 * @throws {TypeError} if it could not do what was meant; nothing has been done then
 */
export function readRegenerate(first: unknown, second: unknown): [RegenerateOptions, Callback | undefined] {
  if (typeof first === 'function') return [{}, first as Callback];
  if (second != null && typeof second !== 'function') throw badCallback('regenerate', second);
  const options = first ?? {};
  if (typeof options !== 'object' || Array.isArray(options)) throw badOptions(describe(options));
  for (const key of Object.keys(options)) if (!OPTIONS.includes(key)) throw unknownOption(key);
  const { keep, restart } = options as Record<string, unknown>;
  if (!isKeep(keep))
    throw new TypeError(
      `regenerate(): keep must be true, false or an array of keys, such as ['cart']; got ${describe(keep)}`,
    );
  if (restart != null && typeof restart !== 'boolean')
    throw new TypeError(`regenerate(): restart must be true or false; got ${describe(restart)}`);
  return [options, (second ?? undefined) as Callback | undefined];
}

function isKeep(keep: unknown): boolean {
  if (Array.isArray(keep)) return keep.every((key) => typeof key === 'string');
  return keep == null || typeof keep === 'boolean';
}

function unknownOption(key: string): TypeError {
  const meant = didYouMean(key, OPTIONS);
  return badOptions(`an object with ${key}${meant ? `; did you mean ${meant}?` : ''}`);
}

function badOptions(given: string): TypeError {
  return new TypeError(`regenerate() takes a callback, or options { keep, restart }; got ${given}`);
}

/**
 * express-session takes what is falsy for no callback.
 * @throws {TypeError} at once: later, nobody could catch it
 */
export function checkCallback(method: string, callback: unknown): void {
  if (isBadCallback(callback)) throw badCallback(method, callback);
}

export function isBadCallback(callback: unknown): boolean {
  return Boolean(callback) && typeof callback !== 'function';
}

function badCallback(method: string, given: unknown): TypeError {
  return new TypeError(`${method}(): the callback must be a function; got ${describe(given)}`);
}

/** @throws {TypeError} */
export function checkChange(change: unknown): void {
  if (typeof change === 'function') return;
  throw new TypeError(`update() needs a function that changes the data; got ${describe(change)}`);
}

/** @throws {TypeError} */
export function checkKey(key: unknown): void {
  if (typeof key === 'string') return;
  throw new TypeError(`take() needs the key of a value, which is a string; got ${describe(key)}`);
}
