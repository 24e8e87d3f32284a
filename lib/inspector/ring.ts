/** The latest of many things: those before them are forgotten. */
export class Ring<T> {
  #items: T[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(item: T): void {
    this.#items.push(item);
    if (this.#items.length > this.#most) this.#items.shift();
  }

  /** Forgets what matches. */
  drop(matches: (item: T) => boolean): void {
    this.#items = this.#items.filter((item) => !matches(item));
  }

  /** Oldest first. */
  get items(): readonly T[] {
    return this.#items;
  }
}
