import type { DecisionMade } from '../decisions.js';
import type { SessionFacts, SessionState } from '../lifecycle.js';
import { dataText, NO_DATA } from '../record.js';
import type { Session } from '../session.js';
import type { SessionContext } from './context.js';
import { touches } from './touching.js';

/**
 * The facts on which store and cookie are decided. Each is found out when it is asked for: a request needs half of them, and
 * an object of all would take 40 bytes more.
 */
export class RequestFacts implements SessionFacts {
  readonly #context: SessionContext;
  #session: Session | undefined;
  #text: string | undefined;
  state: SessionState = 'absent';

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** The facts of this session now. @param text its data as they are now */
  about(session: Session | undefined, text: string | undefined): this {
    this.#session = session;
    this.#text = text;
    this.state = stateOf(this.#context, session, text);
    return this;
  }

  get known(): boolean {
    const { identity, req } = this.#context;
    return identity !== undefined && identity.id === req.sessionID;
  }

  get saved(): 'never' | 'stale' | 'current' {
    return this.#context.history.savedState(this.#session, this.#text);
  }

  get expires(): boolean {
    return this.#session?.cookie?.expires != null;
  }

  get cookieChanged(): boolean {
    return this.#context.history.cookieChanged(this.#session);
  }

  get touches(): boolean {
    return touches(this.#context, this.#session);
  }

  get outdatedCookie(): boolean {
    const { idChanges, identity, core } = this.#context;
    const hasOldSignature = core.settings.resign && identity?.signedByOldSecret === true;
    return idChanges.renamed || hasStrays(this.#context) || hasOldSignature;
  }

  get browserHasCookie(): boolean {
    return this.#context.identity !== undefined;
  }

  /** All of them as they are now. */
  all(): SessionFacts {
    const { state, known, saved, expires, cookieChanged, touches, outdatedCookie, browserHasCookie } = this;
    return { state, known, saved, expires, cookieChanged, touches, outdatedCookie, browserHasCookie };
  }
}

function stateOf(
  context: SessionContext,
  session: Session | undefined,
  text: string | undefined,
): SessionState {
  if (!context.begun || typeof context.req.sessionID !== 'string') return 'absent';
  if (!session) return context.ending.destroyedId === undefined ? 'unset' : 'destroyed';
  if (context.isInterrupted(session)) return 'interrupted';
  if (context.isDestroyed(session)) return 'destroyed';
  if (context.ending.cleared && text === NO_DATA) return 'cleared';
  if (context.history.isModified(session, text)) return 'modified';
  return context.identity?.id === session.id ? 'unchanged' : 'new';
}

/** The app has cleared the session, and put nothing in since. */
export function isEmptied(context: SessionContext, session: Session): boolean {
  return context.ending.cleared && dataText(session) === NO_DATA;
}

/** The browser has sent more than one cookie of ours, and is to be rid of all but one. */
export function hasStrays(context: SessionContext): boolean {
  return context.core.settings.expireStrays && context.identities.length > 1;
}

/** For those who look on; to be asked for only if somebody does, since a decision is an object. */
export function tell(context: SessionContext, facts: RequestFacts, decision: DecisionMade): void {
  const id = facts.state === 'cleared' ? context.history.originalId : context.id(); // clear() has given it another
  if (typeof id !== 'string') return;
  context.core.decisions.tell({ id, req: context.req, facts: facts.all(), ...decision });
}
