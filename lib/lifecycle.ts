/**
 * What became of the session in one request:
 * - `absent`: none was ever on the request (its store failed, say);
 * - `new`: made for this request and untouched;
 * - `unchanged`, `modified`: compared with what was loaded; a new id counts as a modification;
 * - `unset`: the app set `req.session` to null or deleted it;
 * - `cleared`: emptied by `clear()`, and nothing put in since;
 * - `destroyed`: by `destroy()`;
 * - `interrupted`: found to have been destroyed by another request, or to have expired meanwhile.
 */
export type SessionState =
  | 'absent'
  | 'new'
  | 'unchanged'
  | 'modified'
  | 'unset'
  | 'cleared'
  | 'destroyed'
  | 'interrupted';

/** The states in which the request has a session that may be stored. */
export const PRESENT: ReadonlySet<SessionState> = new Set(['new', 'unchanged', 'modified']);

/** All that the decision depends on, besides the options. */
export interface SessionFacts {
  state: SessionState;
  /** The browser's cookie named this very session. */
  known: boolean;
  /** Whether the data were stored during this request, or were loaded: `current` if they have not changed since. */
  saved: 'never' | 'stale' | 'current';
  /** The cookie has an end of life, so that the browser should hear of a new one. */
  expires: boolean;
  /** The app has changed the cookie's attributes, and they are looked at. */
  cookieChanged: boolean;
  /** This request is one that prolongs the session's life. */
  touches: boolean;
  /** The browser's cookie is to be replaced: it has an old signature or a former id, or came beside others of our name. */
  outdatedCookie: boolean;
  /** The browser has a cookie of ours. */
  browserHasCookie: boolean;
}

/** The options that the decision depends on. */
export interface LifecyclePolicy {
  resave: boolean;
  rolling: boolean;
  saveUninitialized: boolean;
  unset: 'destroy' | 'keep';
  clearCookie: boolean;
  /** The store can prolong a session without writing it. */
  canTouch: boolean;
}

/** What happens to the stored record when the response ends. */
export type StoreAction = 'nothing' | 'touch' | 'write' | 'create' | 'delete';
/** What the response tells the browser. */
export type CookieAction = 'nothing' | 'send' | 'expire';

/** What happens to the store at the end of the response. */
export function storeAction(facts: SessionFacts, policy: LifecyclePolicy): StoreAction {
  switch (facts.state) {
    case 'absent':
    case 'interrupted':
      return 'nothing';
    case 'unset':
    case 'destroyed':
      return policy.unset === 'destroy' ? 'delete' : 'nothing';
    case 'cleared':
      return 'delete';
    default:
      if (mustSave(facts, policy)) return facts.known ? 'write' : 'create';
      return facts.known && facts.touches && policy.canTouch ? 'touch' : 'nothing';
  }
}

/**
 * What happens to the cookie when the headers leave. That of an interrupted session stays: the request that ended it may
 * have been a login, whose new cookie the browser has already.
 */
export function cookieAction(facts: SessionFacts, policy: LifecyclePolicy): CookieAction {
  switch (facts.state) {
    case 'absent':
    case 'interrupted':
      return 'nothing';
    case 'unset':
      return policy.clearCookie && policy.unset === 'destroy' && facts.browserHasCookie
        ? 'expire'
        : 'nothing';
    case 'destroyed':
      return policy.clearCookie && facts.browserHasCookie ? 'expire' : 'nothing';
    case 'cleared':
      return facts.browserHasCookie ? 'expire' : 'nothing';
    default:
      return mustSend(facts, policy) ? 'send' : 'nothing';
  }
}

function mustSave({ state, known, saved }: SessionFacts, policy: LifecyclePolicy): boolean {
  const uninitialized = !known && saved === 'never';
  if (uninitialized && !policy.saveUninitialized) return state === 'modified';
  return saved !== 'current';
}

function mustSend(facts: SessionFacts, policy: LifecyclePolicy): boolean {
  const modified = facts.state === 'modified';
  if (!facts.known) return policy.saveUninitialized || modified;
  return (
    (policy.rolling && facts.touches) ||
    (facts.expires && modified) ||
    facts.cookieChanged ||
    facts.outdatedCookie
  );
}
