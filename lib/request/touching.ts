import { endAfter, expiryOf, limit, touchIsDue } from '../lifetime.js';
import { dataText } from '../record.js';
import type { Session } from '../session.js';
import type { SessionContext } from './context.js';

// How a request prolongs its session's life.

export function touches(context: SessionContext, session: Session | undefined): boolean {
  const { settings } = context.core;
  if (context.touched) return true;
  return session?.cookie !== undefined && touchIsDue(session.cookie, settings) && mayTouch(context);
}

/** Whether the app lets this request prolong its session; asked once. */
export function mayTouch(context: SessionContext): boolean {
  context.mayTouch ??= context.core.settings.touch(context.req);
  return context.mayTouch;
}

export function touch(context: SessionContext, session: Session): void {
  if (context.touched) return;
  context.touched = true;
  const { settings, sockets } = context.core;
  session.touch();
  limit(session.cookie, settings);
  if (sockets.has(session.id)) sockets.prolong(session.id, expiryOf(session.cookie, settings, Date.now()));
}

/**
 * When the session ends if no further request comes, in epoch milliseconds. `undefined` where this request does not prolong
 * it, and the record does not tell when one did: a store's touch leaves it as it is, but that of the memory store.
 */
export function endOf(context: SessionContext, session: Session): number | undefined {
  const { settings } = context.core;
  const { cookie } = session;
  if (context.touched) return expiryOf(cookie, settings, Date.now());
  // what the option `touch` says now may not be what it will say at the end, and is not kept
  const isTouch = touchIsDue(cookie, settings) && (context.mayTouch ?? settings.touch(context.req));
  const prolongs = isTouch || context.history.isModified(session, dataText(session));
  const isKnown = prolongs || cookie.touchedAt !== undefined || context.core.rewritesOnTouch;
  return isKnown ? endAfter(cookie, settings, prolongs) : undefined;
}

/** A socket may outlive the lifetime that its request gave the session: whatever it stores starts a new one. */
export function prolongSocket(context: SessionContext, session: Session): void {
  if (!context.isSocket) return;
  context.touched = false;
  touch(context, session);
}
