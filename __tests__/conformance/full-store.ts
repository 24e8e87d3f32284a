import type { OwnedRecord, SetOptions } from '../../lib/stores/store.js';
import { ReferenceStore, type Row } from './reference-store.js';

type Listener = (id: string) => void;

/** What the instances over the same data share, besides the records. */
interface Shared {
  owners: Map<string, string>;
  listeners: Set<Listener>;
}

const shared = new WeakMap<Map<string, Row>, Shared>();

/** The contract with all that is optional, in its plainest form. */
export class FullStore extends ReferenceStore {
  protected get shared(): Shared {
    if (!shared.has(this.rows)) shared.set(this.rows, { owners: new Map(), listeners: new Set() });
    return shared.get(this.rows)!;
  }

  override async set(id: string, text: string, how: SetOptions): Promise<boolean> {
    const written = await super.set(id, text, how);
    if (written && how.owner !== undefined) this.shared.owners.set(id, how.owner);
    return written;
  }

  async getAndTouch(id: string, expires: number): Promise<string | undefined> {
    const row = this.live(id);
    if (row) row.expires = expires;
    return row?.text;
  }

  override async destroy(id: string): Promise<void> {
    await super.destroy(id);
    this.tell(id);
  }

  protected tell(id: string): void {
    for (const listener of this.shared.listeners) listener(id);
  }

  async *owned(owner: string): AsyncGenerator<OwnedRecord> {
    for (const [key, its] of this.shared.owners) {
      const row = this.live(key);
      if (its !== owner || !row) continue;
      yield { key, value: row.text, matches: (id) => id === key, destroy: () => this.destroy(key) };
    }
  }

  async onDestroy(listener: Listener): Promise<() => void> {
    const own: Listener = (id) => listener(id);
    this.shared.listeners.add(own);
    return () => void this.shared.listeners.delete(own);
  }
}
