import { hasToJson, isPlain } from './json-form.js';

/** The most keys and values in a snapshot, which bounds its depth, too. One of 50 KB of JSON would take as much memory again. */
const MOST_VALUES = 200;
/** Unused snapshots that are kept: more than are in use at a time, unless the store is slow. */
const MOST_SPARE = 100;

// What comes between keys and values.
const OBJECT = Symbol('object');
const LIST = Symbol('list');
const END = Symbol('end');

/**
 * In a loop over an object's keys V8 knows the answer of this one, but not of `Object.hasOwn`: a sixth of the time. Not
 * imported: then V8 doesn't know it either, and a comparison takes up to a fifth more.
 */
const hasOwn = Object.prototype.hasOwnProperty;

/** Those that are no longer in use, and empty: a new one for each request would take 170 bytes. */
const spare: Snapshot[] = [];

/**
 * What an object holds at one moment, value by value. To compare the object with that later takes a quarter of what it takes
 * to compare it with its JSON, as `matchesText` does, since strings are the very same ones: 0.3 us less of the 5 that a read
 * or a change takes.
 */
export class Snapshot {
  /** Keys and values as JSON has them, one after the other. */
  private values: unknown[] = [];
  private length = 0;
  private at = 0;
  /** What the object is as text. */
  private text = '';

  /**
   * @param text what it is as text
   * @returns `undefined` if only `JSON.stringify` can tell what the object holds
   */
  static of(object: object, except: string, text: string): Snapshot | undefined {
    const snapshot = spare.pop() ?? new Snapshot();
    snapshot.text = text;
    if (hasToJson(object) || !snapshot.addMembers(object, except)) {
      snapshot.release();
      return undefined;
    }
    return snapshot;
  }

  /** The text, if the object is still what it was, but for `except`. `undefined` may mean that only `JSON.stringify` can tell. */
  textOf(object: object, except: string): string | undefined {
    const { text } = this;
    this.at = 0;
    const isStill = !hasToJson(object) && this.hasMembers(object, except) && this.at === this.length;
    return isStill ? text : undefined;
  }

  /** To be called when it is of no use any more: it holds nothing then, and may be made another one. */
  release(): void {
    this.text = '';
    while (this.length > 0) this.values[--this.length] = undefined; // `fill()` would take 50 ns more
    if (spare.length < MOST_SPARE) spare.push(this);
  }

  // Each of these adds something, and tells whether that could be done.

  private add(value: unknown): boolean {
    this.values[this.length++] = value;
    return this.length < MOST_VALUES;
  }

  private addMembers(object: object, except?: string): boolean {
    for (const key in object) {
      if (key === except) continue;
      if (!hasOwn.call(object, key)) return false;
      if (!this.add(key) || !this.addValue((object as Record<string, unknown>)[key])) return false;
    }
    return this.add(END);
  }

  private addValue(value: unknown): boolean {
    if (isComplex(value)) return this.addObject(value);
    return isSimple(value) && this.add(value);
  }

  private addObject(value: object): boolean {
    if (hasToJson(value)) return false;
    if (!Array.isArray(value)) return isPlain(value) && this.add(OBJECT) && this.addMembers(value);
    if (!this.add(LIST)) return false;
    for (let index = 0; index < value.length; index++) {
      if (!this.addValue(value[index])) return false;
    }
    return this.add(END);
  }

  // Each of these looks for something, and tells whether that comes next.

  private has(value: unknown): boolean {
    return this.values[this.at++] === value;
  }

  private hasMembers(object: object, except?: string): boolean {
    for (const key in object) {
      if (key === except) continue;
      if (!hasOwn.call(object, key) || !this.has(key)) return false;
      if (!this.hasValue((object as Record<string, unknown>)[key])) return false;
    }
    return this.has(END);
  }

  private hasValue(value: unknown): boolean {
    return isComplex(value) ? this.hasObject(value) : this.has(value);
  }

  private hasObject(value: object): boolean {
    if (hasToJson(value)) return false;
    if (!Array.isArray(value)) return isPlain(value) && this.has(OBJECT) && this.hasMembers(value);
    if (!this.has(LIST)) return false;
    for (let index = 0; index < value.length; index++) {
      if (!this.hasValue(value[index])) return false;
    }
    return this.has(END);
  }
}

function isComplex(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** A value that is JSON, or is left out of it. A function may have a toJSON(), and an integer that is too large throws. */
function isSimple(value: unknown): boolean {
  return typeof value !== 'function' && typeof value !== 'bigint' && typeof value !== 'symbol';
}
