import type { DecisionMade } from '../decisions.js';
import type { SessionFacts, SessionState } from '../lifecycle.js';
import { dataText, NO_DATA } from '../record.js';
import type { Session } from '../session.js';
import type { SessionContext } from './context.js';
import { touches } from './touching.js';

// The facts on which all of it is decided.

export function factsOf(
  context: SessionContext,
  session: Session | undefined,
  text: string | undefined = session && context.dataOf(session),
): SessionFacts {
  const { settings } = context.core;
  return {
    state: stateOf(context, session, text),
    known: context.identity !== undefined && context.identity.id === context.req.sessionID,
    saved: context.history.savedState(session, text),
    expires: session?.cookie?.expires != null,
    cookieChanged: context.history.cookieChanged(session),
    touches: touches(context, session),
    outdatedCookie:
      context.renamed ||
      hasStrays(context) ||
      (settings.resign && context.identity?.signedByOldSecret === true),
    browserHasCookie: context.identity !== undefined || context.cookieSent,
  };
}

function stateOf(
  context: SessionContext,
  session: Session | undefined,
  text: string | undefined,
): SessionState {
  if (!context.begun || typeof context.req.sessionID !== 'string') return 'absent';
  if (!session) return context.destroyedId === undefined ? 'unset' : 'destroyed';
  if (session.id === context.interruptedId) return 'interrupted';
  if (context.isDestroyed(session)) return 'destroyed';
  if (context.cleared && text === NO_DATA) return 'cleared';
  if (context.history.isModified(session, text)) return 'modified';
  return context.identity?.id === session.id ? 'unchanged' : 'new';
}

/** The app has cleared the session, and put nothing in since. */
export function isEmptied(context: SessionContext, session: Session): boolean {
  return context.cleared && dataText(session) === NO_DATA;
}

/** The browser has sent more than one cookie of ours, and is to be rid of all but one. */
export function hasStrays(context: SessionContext): boolean {
  return context.core.settings.expireStrays && context.identities.length > 1;
}

export function tell(context: SessionContext, facts: SessionFacts, decision: DecisionMade): void {
  const { decisions } = context.core;
  if (!decisions.areObserved) return;
  const id = facts.state === 'cleared' ? context.history.originalId : context.id(); // clear() has given it another
  if (typeof id !== 'string') return;
  decisions.tell({ id, req: context.req, facts, ...decision });
}
