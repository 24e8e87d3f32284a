import { types } from 'node:util';

/** Whether `JSON.stringify` asks the object itself what it looks like as JSON. */
export function hasToJson(value: object): boolean {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

/** Whether an object's JSON is that of its properties. `new Boolean(true)` is JSON as `true` is, whatever its prototype. */
export function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype && !types.isBoxedPrimitive(value);
}
