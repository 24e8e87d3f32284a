import type { SetOptions } from '../../lib/stores/store.js';
import { ReferenceStore } from './reference-store.js';

/** A store whose back end can be taken away. While it is, each method does what `without` says. */
export class FragileStore extends ReferenceStore {
  #down = false;
  readonly #without: (method: string) => Promise<any>;

  constructor(without: (method: string) => Promise<any>) {
    super();
    this.#without = without;
  }

  interrupt(): () => Promise<void> {
    this.#down = true;
    return async () => {
      this.#down = false;
    };
  }

  override get(id: string) {
    return this.#down ? this.#without('get') : super.get(id);
  }
  override set(id: string, text: string, how: SetOptions) {
    return this.#down ? this.#without('set') : super.set(id, text, how);
  }
  override touch(id: string, expires: number) {
    return this.#down ? this.#without('touch') : super.touch(id, expires);
  }
  override destroy(id: string) {
    return this.#down ? this.#without('destroy') : super.destroy(id);
  }
}
