import type { Cookie } from '../../cookies/cookie.js';
import { expiryOf } from '../../lifetime.js';
import type { MergeFunction } from '../../merge.js';
import { recordText } from '../../record.js';
import type { SessionContext } from '../../request/context.js';
import type { StoredView } from '../../request/stored-view.js';
import type { Session } from '../../session.js';
import { type Awaitable, andThen } from '../awaitable.js';
import { cookieOf, mergedText } from './merged-text.js';
import type { TextRecords } from './records.js';

/** A request that takes no longer than this needs no second touch at its end, in milliseconds. */
const TOUCH_TOLERANCE = 5000;

/** Prolongs the session, unless reading it has done so already. */
export function touch(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  data: string,
): Awaitable<void> {
  const { settings } = records.core;
  const { rewriteOnTouch } = records.mode;
  const view = context.viewOf(session.id);
  const { stored, seen, touchedUntil } = view;
  const until = expiryOf(mergedCookie(view, session, data, settings.merge), settings, Date.now());
  const isFresh = touchedUntil !== undefined && Math.abs(until - touchedUntil) < TOUCH_TOLERANCE;
  if (isFresh && !rewriteOnTouch) return undefined;
  const rewrites = rewriteOnTouch && stored !== undefined && stored === seen;
  const isStored = stored === view.read?.text && view.read?.isStill(session.cookie, data);
  const text = rewrites && !isStored ? recordText(session, data) : stored;
  if (text === undefined || text === stored) return prolong(records, context, session, stored, until);
  const rewritten = records.set(context, session, text, true);
  return andThen(rewritten, noteRewritten, records, context, session, view, until, text);
}

function noteRewritten(
  written: boolean,
  records: TextRecords,
  context: SessionContext,
  session: Session,
  view: StoredView,
  until: number,
  text: string,
): Awaitable<void> {
  if (!written) return prolong(records, context, session, view.stored, until);
  view.stored = view.seen = text;
  return undefined;
}

function mergedCookie(view: StoredView, session: Session, data: string, decide: MergeFunction): Cookie {
  if (view.stored === view.seen) return session.cookie;
  const mine = recordText(session, data);
  return cookieOf(session, mine, mergedText(view, mine, decide));
}

function prolong(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  stored: string | undefined,
  until: number,
): Awaitable<void> {
  const { store } = records;
  const owner = records.ownerOf(stored);
  const found = owner !== undefined ? store.touch(session.id, until, owner) : store.touch(session.id, until);
  return andThen(found, interruptIfGone, context, session);
}

function interruptIfGone(isThere: boolean, context: SessionContext, session: Session): void {
  if (!isThere) context.interrupt(session);
}
