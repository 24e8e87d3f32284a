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

/** One view for each id that the request's session has had; mostly there is one. */
export class StoredViews {
  #latest: LinkedView | undefined;

  /** What the store was found to hold under this id. */
  textOf(id: string): string | undefined {
    return this.#find(id)?.stored;
  }

  /** @param data the session's data that the request has seen, if nothing else is known yet */
  of(id: string, data: string | undefined): StoredView {
    const known = this.#find(id);
    if (known) return known;
    this.#latest = {
      id,
      stored: undefined,
      read: undefined,
      touchedUntil: undefined,
      seen: data && jsonOf(data),
      earlier: this.#latest,
    };
    return this.#latest;
  }

  #find(id: string): LinkedView | undefined {
    let view = this.#latest;
    while (view && view.id !== id) view = view.earlier;
    return view;
  }
}

interface LinkedView extends StoredView {
  readonly earlier: LinkedView | undefined;
}
