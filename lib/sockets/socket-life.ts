import { expiryOf } from '../lifetime.js';
import { jsonOf } from '../record.js';
import type { SessionContext } from '../request/context.js';
import type { Session } from '../session.js';

// A session whose request has become a socket.

/** Messages over a socket prolong a session no more often than this, in milliseconds. */
const KEEP_ALIVE = 1000;

/** How long a socket's session lives, as far as this process knows; both in epoch milliseconds. */
export interface SocketLife {
  /** When a message has last prolonged it. */
  keptAliveAt: number;
  /** When it should be over, unless it is prolonged. */
  livesUntil: number;
}

/** The handshake has been answered: from here on others change the session too, and no cookie can go out. */
export function becomeSocket(context: SessionContext): SocketLife {
  context.driver = context.core.mergingDriver;
  const session = context.current();
  if (!session) return { keptAliveAt: 0, livesUntil: Infinity };
  const view = context.viewOf(session);
  const { committedText } = context.history;
  if (view.stored === undefined) view.seen = committedText && seenText(session, committedText);
  return {
    keptAliveAt: session.cookie.touchedAt ?? Date.now(),
    livesUntil: expiryOf(session.cookie, context.core.settings, Date.now()),
  };
}

/** With the cookie, so that a later look at the store shows what others have changed of it. */
function seenText({ cookie }: Session, data: string): string {
  return JSON.stringify({ cookie, ...JSON.parse(jsonOf(data)) });
}

/** A message has come over a socket: the session's lifetime starts anew, now and then. */
export function keepAlive(context: SessionContext, life: SocketLife): void {
  const session = context.current();
  const { settings } = context.core;
  if (!session || !isDue(life, Math.max(settings.touchAfter, KEEP_ALIVE))) return;
  life.keptAliveAt = Date.now();
  try {
    if (!settings.touch(context.req) || !context.wasStored(session.id)) return;
  } catch (error) {
    return context.report(error); // the app's own: thrown from here, it would end the process
  }
  context.driver.touch(context, session, undefined, context.reporting);
}

/** A time in the future is an old one: the clock has been set back since. */
function isDue({ keptAliveAt }: SocketLife, interval: number): boolean {
  const age = Date.now() - keptAliveAt;
  return age < 0 || age >= interval;
}

/** As `rename`, for a socket whose session another request has given a new id. */
export function followTo(context: SessionContext, id: string): void {
  const session = context.current();
  if (session) context.rename(session, id);
  else context.req.sessionID = id;
}
