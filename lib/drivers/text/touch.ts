import type { Cookie } from '../../cookies/cookie.js';
import { expiryOf } from '../../lifetime.js';
import { type MergeFunction, mergeRecords, type SessionRecord } from '../../merge.js';
import { dataTextOf, parseRecord, recordText } from '../../record.js';
import type { SessionContext } from '../../request/context.js';
import { learn, type StoredView } from '../../request/stored-view.js';
import { prolongSocket } from '../../request/touching.js';
import type { Session } from '../../session.js';
import { makesPlainly } from '../../stores/connect-store.js';
import { type Awaitable, andThen } from '../awaitable.js';
import { cookieOf, mergedText } from './merged-text.js';
import type { TextRecords } from './records.js';

/** A request that takes no longer than this needs no second touch at its end, in milliseconds. */
export const TOUCH_TOLERANCE = 5000;

/** Prolongs the session, unless reading it has done so already. */
export function touch(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  data: string | undefined,
): Awaitable<void> {
  const { settings } = records.core;
  const { rewriteOnTouch } = records.mode;
  const view = context.viewOf(session);
  const { stored, seen } = view;
  if (data === undefined || (context.isSocket && stored === undefined))
    return touchAsStored(records, context, session);
  const until = expiryOf(mergedCookie(view, session, data, settings.merge), settings, Date.now());
  if (isFresh(view, until) && !rewriteOnTouch) return undefined;
  const rewrites = rewriteOnTouch && stored !== undefined && stored === seen;
  const isStored = stored === view.read?.record && view.read?.isStill(session.cookie, data);
  const text = rewrites && !isStored ? recordText(session, unchanged(records, stored, data)) : stored;
  if (text === undefined || text === stored) return prolong(records, context, session, stored, until);
  const rewritten = records.set(context, session, text, stored);
  return andThen(rewritten, noteRewritten, records, context, session, view, until, text);
}

/** As in express-session's MemoryStore, of a touched session only the cookie changes, whatever `createSession` has made of the data. */
function unchanged({ core }: TextRecords, stored: string, data: string): string {
  return makesPlainly(core.store) ? data : dataTextOf(stored, JSON.parse(stored));
}

function isFresh({ touchedUntil }: StoredView, until: number): boolean {
  return touchedUntil !== undefined && Math.abs(until - touchedUntil) < TOUCH_TOLERANCE;
}

/** Others may have changed a socket's session. Whose it is now, and how long it may live, only the store can tell. */
async function touchAsStored(records: TextRecords, context: SessionContext, session: Session): Promise<void> {
  const found = await records.readAgain(context, session);
  if (context.ending.cleared || context.isDestroyed(session)) return;
  if (!found) return context.interrupt(session);
  const view = context.viewOf(session);
  takeOverLimits(view, session.cookie);
  prolongSocket(context, session);
  const until = expiryOf(session.cookie, records.core.settings, Date.now());
  if (!isFresh(view, until)) await prolong(records, context, session, view.stored, until);
}

/** What others have changed of the session's lifetime holds here too, unless this request has changed that itself. */
function takeOverLimits(view: StoredView, cookie: Cookie): void {
  const { stored, seen } = view;
  const [base, theirs] = [cookieIn(seen), cookieIn(stored)];
  if (stored === seen || !base || !theirs) return;
  const mine = JSON.parse(JSON.stringify(cookie)) as SessionRecord;
  const merged = mergeRecords({ cookie: base }, { cookie: mine }, { cookie: theirs })['cookie'] as Cookie;
  cookie.originalMaxAge = merged.originalMaxAge;
  if (merged.createdAt !== undefined) cookie.createdAt = merged.createdAt;
  const { originalMaxAge, createdAt } = theirs;
  // so that what they change next is not taken for older than what has just been taken over
  const known = { ...base, originalMaxAge, createdAt };
  view.seen = JSON.stringify({ ...parseRecord(seen as string), cookie: known });
}

function cookieIn(text: string | undefined): SessionRecord | undefined {
  return text === undefined ? undefined : (parseRecord(text)?.['cookie'] as SessionRecord | undefined);
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
  learn(view, text);
  view.seen = text;
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
  const owner = records.ownerOf(context, stored);
  const found = owner !== undefined ? store.touch(session.id, until, owner) : store.touch(session.id, until);
  return andThen(found, interruptIfGone, context, session);
}

function interruptIfGone(isThere: boolean, context: SessionContext, session: Session): void {
  if (!isThere) context.interrupt(session);
}
