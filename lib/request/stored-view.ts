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
  /** That of an id which the session had before. */
  readonly earlier: StoredView | undefined;
}

/** The view of this id, of those that the session's earlier ids have had too; mostly there is one in all. */
export function findView(latest: StoredView | undefined, id: string): StoredView | undefined {
  let view = latest;
  while (view && view.id !== id) view = view.earlier;
  return view;
}

/** @param data the session's data that the request has seen, if nothing else is known yet */
export function newView(id: string, data: string | undefined, earlier: StoredView | undefined): StoredView {
  const seen = data && jsonOf(data);
  return { id, stored: undefined, read: undefined, touchedUntil: undefined, seen, earlier };
}
