import { fnv, IdIndex, NONE } from './stores/id-index.js';

/** How many characters of a key say where it is to be looked for: the last ones, by which ids, hashes and signatures differ. */
const TAIL = 8;

/**
 * A bounded memory of what was learned last: at least the latest `size` entries, at most twice as many.
 *
 * In place of a `Map`, which looks at all of a key to hash it: to find the cookie of a request takes 0.15 us less, 4 % of a read.
 */
export class Recent<Value> {
  readonly #size: number;
  #young = new Generation<Value>();
  #old = new Generation<Value>();

  constructor(size: number) {
    this.#size = size;
  }

  get(key: string): Value | undefined {
    const hash = hashOfTail(key);
    const value = this.#young.get(key, hash);
    if (value !== undefined) return value;
    const kept = this.#old.get(key, hash);
    if (kept !== undefined) this.set(key, kept);
    return kept;
  }

  set(key: string, value: Value): void {
    if (this.#young.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Generation();
    }
    this.#young.set(key, hashOfTail(key), value);
  }
}

class Generation<Value> {
  size = 0;
  readonly #index = new IdIndex();
  /** Keys and values in turn. */
  readonly #entries: (string | Value)[] = [];

  get(key: string, hash: number): Value | undefined {
    const slot = this.#index.find(key, hash, this.#entries);
    return slot === NONE ? undefined : (this.#entries[2 * slot + 1] as Value);
  }

  set(key: string, hash: number, value: Value): void {
    const slot = this.#index.find(key, hash, this.#entries);
    if (slot !== NONE) {
      this.#entries[2 * slot + 1] = value;
      return;
    }
    this.#index.add(hash, this.size++);
    this.#entries.push(key, value);
  }
}

function hashOfTail(key: string): number {
  return fnv(key, Math.max(key.length - TAIL, 0));
}
