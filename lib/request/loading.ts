import { type Cookie, restoreCookie } from '../cookies/cookie.js';
import type { Identity } from '../cookies/identify.js';
import { dateIfUndated, isOver } from '../lifetime.js';
import type { SessionRecord } from '../merge.js';
import { dataText, dataTextOf, UnreadRecord } from '../record.js';
import { Session } from '../session.js';
import { makesPlainly } from '../stores/connect-store.js';
import type { SessionContext } from './context.js';
import { exposeSession } from './exposed-session.js';
import { NO_ID_CHANGES } from './id-changes.js';
import { findView } from './stored-view.js';

// How a request gets its session: a new one, or the one that its cookie names.

/** Loads the first of the cookies' sessions that is live, or begins a new one. */
export function loadSession(context: SessionContext): void {
  const identity = context.identities[context.tried];
  if (!identity) return beginning(context);
  context.req.sessionID = identity.id;
  context.idChanges = NO_ID_CHANGES;
  context.driver.load(context, identity.id, loaded);
}

function loaded(error: unknown, data: object | null | undefined, context: SessionContext): void {
  const { next } = context;
  const identity = context.identities[context.tried] as Identity;
  // ENOENT is "no session", as in express-session: session-file-store says it that way
  if (error && (error as NodeJS.ErrnoException).code !== 'ENOENT') return next(error);
  if (!error && data && isSessionOver(context, data)) return expire(context, identity);
  if (!error && data) return beginning(context, identity, data);
  tryNext(context);
}

function tryNext(context: SessionContext): void {
  context.tried++;
  loadSession(context);
}

function isSessionOver(context: SessionContext, data: object): boolean {
  const { cookie } = data as { cookie?: Cookie };
  return Boolean(cookie) && isOver(cookie as Cookie, context.core.settings);
}

/** The session has reached its absolute end. */
function expire(context: SessionContext, identity: Identity): void {
  const { next } = context;
  context.core.events.emit('expire', identity.id, { req: context.req });
  context.destroyRecord(identity.id, (error) => (error ? next(error) : tryNext(context)));
}

function beginning(context: SessionContext, identity?: Identity, data?: object): void {
  const { next } = context;
  try {
    if (identity && data) inflate(context, identity, data);
    else context.begin();
  } catch (failure) {
    return next(failure);
  }
  next();
}

function inflate(context: SessionContext, identity: Identity, data: object): void {
  context.identity = context.idChanges.moved ?? identity;
  context.storedId = context.identity.id;
  context.req.sessionID = context.identity.id;
  exposeSession(context.req);
  const text = data instanceof UnreadRecord ? adopt(context, data) : restore(context, data);
  const cookie = context.session?.cookie;
  if (cookie) context.undated = dateIfUndated(cookie, context.core.settings);
  context.remember(text);
  if (!context.core.settings.resave) context.history.loadedIsSaved();
}

/** @returns the text of the data */
function adopt(context: SessionContext, unread: UnreadRecord): string {
  const session = new Session(context.req);
  session.cookie = restoreCookie(unread.cookie);
  context.session = session;
  context.unread = unread;
  context.history.whole = unread;
  return unread.data;
}

function restore(context: SessionContext, data: object): string {
  const stored = findView(context.latestView, context.req.sessionID)?.stored;
  const text = stored === undefined ? undefined : dataTextOf(stored, data as SessionRecord);
  context.core.createSession(context.req, data);
  return text !== undefined && makesPlainly(context.core.store) ? text : dataText(data); // which an app's own may have changed
}
