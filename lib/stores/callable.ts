/**
 * Gives a class a constructor that also runs as `Class.call(this, ...)`, which is how the stores that were written
 * before ES classes (`util.inherits`) call their parent. A class proper refuses that.
 *
 * `initialize` is the whole constructor: the class itself has none, and no initialized fields.
 */
export function callable<Constructor>(
  name: string,
  definition: abstract new (...args: never[]) => object,
  initialize: (this: any, ...args: any[]) => void,
): Constructor {
  function create(this: object, ...args: unknown[]): void {
    initialize.apply(this, args);
  }
  Object.defineProperty(create, 'name', { value: name });
  Object.defineProperty(definition.prototype, 'constructor', { value: create });
  create.prototype = definition.prototype;
  return Object.setPrototypeOf(create, Object.getPrototypeOf(definition)) as Constructor;
}

/** A class's methods don't show in `for...in`, and `Object.assign()` leaves them out; those of a prototype without a class do. */
export function makeEnumerable<T extends object>(prototype: T, ...names: (keyof T)[]): void {
  for (const name of names) Object.defineProperty(prototype, name, { enumerable: true });
}
