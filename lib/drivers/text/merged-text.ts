import { compactJson } from '../../compact.js';
import type { Cookie } from '../../cookies/cookie.js';
import {
  changedKeys,
  type MergeFunction,
  mergeRecords,
  type SessionRecord,
  withAgreed,
} from '../../merge.js';
import { parseRecord } from '../../record.js';
import type { StoredView } from '../../request/stored-view.js';
import type { Session } from '../../session.js';

const EMPTY: SessionRecord = {};

/** The session with the changes of both sides; `mine` itself if nobody else has written. */
export function mergedText(view: StoredView, mine: string, decide: MergeFunction): string {
  const { stored, seen } = view;
  const theirs = hasOthersText(view) ? parseRecord(stored as string) : undefined;
  return theirs ? compactJson(mergeRecords(recordOf(seen), JSON.parse(mine), theirs, decide)) : mine;
}

/** Whether something is stored that this request has not seen. */
export function hasOthersText({ stored, seen }: StoredView): boolean {
  return stored !== seen && stored !== undefined;
}

/**
 * Notes what the session looked like when it was stored; `before` is what was known to have been seen when that began.
 * Another save or update of the same request may have noted something since: that is kept.
 */
export function noteSeen(view: StoredView, before: string | undefined, now: string): void {
  if (view.seen === before) view.seen = now;
  else
    view.seen = compactJson(mergeRecords(recordOf(before), JSON.parse(now), recordOf(view.seen), takeTheirs));
}

const takeTheirs: MergeFunction = (_base, _mine, theirs) => theirs;

/**
 * Where the record holds what the session held when it was written, the request has seen that, even if an `update()` that
 * was stored before has been noted only since.
 */
export function noteStored(view: StoredView, mine: string): void {
  if (view.seen !== mine)
    view.seen = compactJson(withAgreed(recordOf(view.seen), JSON.parse(mine), recordOf(view.stored)));
}

/**
 * What the record has of this request's unanswered or failed writes counts as seen: it is not merged as a change of
 * others'. There is something stored.
 */
export function noteTried(view: StoredView): void {
  for (const { seen, mine } of view.tried)
    noteSeen(view, seen, compactJson(withAgreed(recordOf(seen), JSON.parse(mine), recordOf(view.stored))));
}

/** What others have changed since the request last saw the record. To have prolonged the session is no change. */
export function keysOfOthers({ stored, seen }: StoredView): string[] {
  return changedKeys(timeless(recordOf(seen)), timeless(recordOf(stored)));
}

/** Without what every request may move, or drop. */
function timeless(record: SessionRecord): SessionRecord {
  const {
    expires: _,
    touchedAt: __,
    rotatedFrom: ___,
    ...cookie
  } = (record['cookie'] ?? EMPTY) as SessionRecord;
  return { ...record, cookie };
}

/** In what the request's session differs from what is stored. */
export function keysNotStored({ stored }: StoredView, mine: string): string[] {
  return changedKeys(recordOf(stored), JSON.parse(mine));
}

/** What the request has changed since it last saw the record. */
export function keysOfMine({ seen }: StoredView, mine: string): string[] {
  return changedKeys(recordOf(seen), JSON.parse(mine));
}

/** The cookie of what is to be stored: the session's own, unless another request's has been merged in. */
export function cookieOf(session: Session, mine: string, text: string): Cookie {
  const merged = text === mine ? undefined : (parseRecord(text)?.['cookie'] as SessionRecord | undefined);
  if (!merged) return session.cookie;
  const { expires } = merged;
  return { ...merged, expires: typeof expires === 'string' ? new Date(expires) : null } as unknown as Cookie;
}

function recordOf(text: string | undefined): SessionRecord {
  return text === undefined ? EMPTY : JSON.parse(text);
}
