import type { SessionStore, SetOptions } from '../../lib/stores/store.js';

export interface Row {
  text: string;
  expires: number;
}

/** The contract in its plainest form: what the kit must pass, and what the broken stores of these tests break. */
export class ReferenceStore implements SessionStore {
  readonly rows: Map<string, Row>;
  readonly atomic?: boolean;

  constructor(rows: Map<string, Row> = new Map()) {
    this.rows = rows;
  }

  protected live(id: string): Row | undefined {
    const row = this.rows.get(id);
    return row && row.expires > Date.now() ? row : undefined;
  }

  async get(id: string): Promise<string | undefined> {
    return this.live(id)?.text;
  }

  async set(id: string, text: string, { expires, expected }: SetOptions): Promise<boolean> {
    if (expected !== undefined && this.live(id)?.text !== (expected ?? undefined)) return false;
    this.rows.set(id, { text, expires });
    return true;
  }

  async touch(id: string, expires: number): Promise<boolean> {
    const row = this.live(id);
    if (row) row.expires = expires;
    return row !== undefined;
  }

  async destroy(id: string): Promise<void> {
    this.rows.delete(id);
  }

  async *ids(): AsyncGenerator<string> {
    for (const id of [...this.rows.keys()]) if (this.live(id)) yield id;
  }
}
