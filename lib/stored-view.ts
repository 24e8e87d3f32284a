/**
 * What a request knows of a stored session: `stored` is what the store is known to hold, `seen` what the request's own
 * session looked like then. They differ once another request's changes have been merged in.
 */
export interface StoredView {
  readonly id: string;
  stored: string | undefined;
  seen: string | undefined;
  /** The expiry that reading the record has given it already, in epoch milliseconds. */
  touchedUntil?: number;
}

/** One view for each id that the request's session has had. */
export class StoredViews {
  readonly #views: StoredView[] = [];

  /** What the store was found to hold under this id. */
  textOf(id: string): string | undefined {
    return this.#views.find((view) => view.id === id)?.stored;
  }

  /** @param seen what to begin with, if nothing is known yet */
  of(id: string, seen: string | undefined): StoredView {
    const known = this.#views.find((view) => view.id === id);
    if (known) return known;
    const view: StoredView = { id, stored: undefined, seen };
    this.#views.push(view);
    return view;
  }
}
