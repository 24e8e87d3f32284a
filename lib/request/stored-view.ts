import { jsonOf, type UnreadRecord } from '../record.js';

/**
 * What a request knows of a stored session: `stored` is what the store is known to hold, `seen` what the request's own
 * session looked like then. They differ once another request's changes have been merged in.
 */
export interface StoredView {
  readonly id: string;
  stored: string | undefined;
  seen: string | undefined;
  /** What `stored` was, if it was merely read. */
  read: UnreadRecord | undefined;
  /** The expiry that reading or writing the record has given it already, in epoch milliseconds. */
  touchedUntil: number | undefined;
}

const NONE: readonly StoredView[] = [];

/** One view for each id that the request's session has had. */
export class StoredViews {
  #views: readonly StoredView[] = NONE;

  /** What the store was found to hold under this id. */
  textOf(id: string): string | undefined {
    return this.#views.find((view) => view.id === id)?.stored;
  }

  /** @param data the session's data that the request has seen, if nothing else is known yet */
  of(id: string, data: string | undefined): StoredView {
    const known = this.#views.find((view) => view.id === id);
    if (known) return known;
    const view: StoredView = {
      id,
      stored: undefined,
      read: undefined,
      touchedUntil: undefined,
      seen: data && jsonOf(data),
    };
    this.#views = this.#views.length === 0 ? [view] : [...this.#views, view];
    return view;
  }
}
