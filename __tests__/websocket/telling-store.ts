import { CountingStore } from './support.js';

/** A store that tells of what is destroyed by the name that the record has in it, as its processes would one another. */
export class TellingStore extends CountingStore {
  readonly listeners = new Set<(name: string) => void>();
  readonly told: string[] = [];
  nameOf = (id: string): string => id;

  async onDestroy(listener: (name: string) => void): Promise<() => void> {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  override async destroy(id: string): Promise<void> {
    await super.destroy(id);
    this.told.push(this.nameOf(id));
    for (const listener of this.listeners) listener(this.nameOf(id));
  }
}
