import { adviseOnUnreachable } from '../advice.js';
import { SteadyError } from '../errors.js';
import type { Session } from '../session.js';
import type { SessionContext } from './context.js';

// What can't be stored, or had better not be.

/** An app may have put an object of its own in the session's place, which nobody could store. */
export function refuseReplaced(session: Session): void {
  if (typeof session.touch === 'function' && 'id' in session) return;
  throw new SteadyError(
    'ERR_SESSION_REPLACED',
    'req.session was replaced by something that is no session, so that nothing is stored; set properties on it instead, ' +
      'as in Object.assign(req.session, data)',
  );
}

/** A new session that came too late for its cookie. */
export function isUnreachable(context: SessionContext): boolean {
  if (!context.headersLeft || context.cookieSent) return false;
  const drop = !context.core.settings.storeUnreachable;
  adviseOnUnreachable(drop);
  return drop;
}
