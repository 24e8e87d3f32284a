import type { DecisionMade } from '../decisions.js';
import type { CookieAction, LifecyclePolicy, SessionFacts, StoreAction } from '../lifecycle.js';

/** Why a request that leaves a session alone does not prolong it, either. */
const NO_TOUCH = 'this request does not prolong the session (options touch, touchAfter)';

/**
 * Why the lifecycle table decided as it did, in one line of plain English that names the options which caused it, such as
 * "no Set-Cookie: unmodified and saveUninitialized is false".
 */
export function explain(made: DecisionMade, facts: SessionFacts, policy: LifecyclePolicy): string {
  if (made.what === 'store')
    return `${STORE_OUTCOMES[made.action]}: ${storeReason(made.action, facts, policy)}`;
  if (made.withheld)
    return 'no Set-Cookie: cookie.secure is true and the request came without HTTPS (option proxy)';
  return `${COOKIE_OUTCOMES[made.action]}: ${cookieReason(made.action, facts, policy)}`;
}

const STORE_OUTCOMES: Record<StoreAction, string> = {
  nothing: 'not stored',
  touch: 'touched',
  write: 'written',
  create: 'created',
  delete: 'deleted',
};

const COOKIE_OUTCOMES: Record<CookieAction, string> = {
  nothing: 'no Set-Cookie',
  send: 'Set-Cookie',
  expire: 'Set-Cookie that expires',
};

function storeReason(action: StoreAction, facts: SessionFacts, policy: LifecyclePolicy): string {
  switch (facts.state) {
    case 'absent':
      return 'the request has no session';
    case 'interrupted':
      return 'another request ended the session meanwhile, or it expired';
    case 'unset':
      return `the app unset req.session and unset is '${policy.unset}'`;
    case 'destroyed':
      return action === 'delete'
        ? "the app destroyed the session and unset is 'destroy'"
        : 'the app has destroyed the session already';
    case 'cleared':
      return 'the app called clear()';
    case 'new':
    case 'unchanged':
    case 'modified':
      return action === 'nothing' || action === 'touch'
        ? reasonNotToSave(action, facts, policy)
        : reasonToSave(facts);
  }
}

function reasonToSave({ state, known, saved }: SessionFacts): string {
  if (saved === 'stale') return known ? 'modified' : 'modified since the app saved it';
  if (state === 'modified') return known ? 'modified' : 'new and modified';
  return known ? 'unmodified but resave is true' : 'unmodified but saveUninitialized is true';
}

function reasonNotToSave(action: 'nothing' | 'touch', facts: SessionFacts, policy: LifecyclePolicy): string {
  const { state, known, saved, touches } = facts;
  if (!known && saved === 'never') return 'unmodified and saveUninitialized is false';
  const neither = state === 'unchanged' && !policy.resave;
  const saving = neither ? 'unmodified and resave is false' : 'the app has saved it already';
  if (action === 'touch') return `${saving}; its lifetime starts anew`;
  if (known && !touches) return `${saving}; ${NO_TOUCH}`;
  return known && !policy.canTouch ? `${saving}; the store has no touch()` : saving;
}

function cookieReason(action: CookieAction, facts: SessionFacts, policy: LifecyclePolicy): string {
  switch (facts.state) {
    case 'absent':
      return 'the request has no session';
    case 'interrupted':
      return 'the session was ended meanwhile, maybe by a login whose cookie the browser has already';
    case 'unset':
      if (policy.unset === 'keep') return "the app unset req.session and unset is 'keep'";
      return `the app unset req.session, unset is 'destroy' and ${clearing(facts, policy)}`;
    case 'destroyed':
      return `the app destroyed the session and ${clearing(facts, policy)}`;
    case 'cleared':
      return facts.browserHasCookie
        ? 'the app called clear()'
        : 'the app called clear() and the browser has no cookie';
    case 'new':
    case 'unchanged':
    case 'modified':
      if (!facts.known) return reasonForUnknown(facts, policy);
      return action === 'send' ? reasonsToSend(facts, policy) : reasonNotToSend(facts, policy);
  }
}

function clearing({ browserHasCookie }: SessionFacts, { clearCookie }: LifecyclePolicy): string {
  if (!clearCookie) return 'clearCookie is false';
  return browserHasCookie ? 'clearCookie is true' : 'the browser has no cookie';
}

/** The browser has no cookie of this session yet. */
function reasonForUnknown({ state }: SessionFacts, { saveUninitialized }: LifecyclePolicy): string {
  if (state === 'modified') return 'new to the browser and modified';
  return saveUninitialized
    ? 'unmodified but saveUninitialized is true'
    : 'unmodified and saveUninitialized is false';
}

function reasonsToSend(facts: SessionFacts, policy: LifecyclePolicy): string {
  const { state, expires, touches, cookieChanged, outdatedCookie } = facts;
  const reasons = [
    expires && state === 'modified' && 'modified, so that its cookie.maxAge starts anew',
    policy.rolling && touches && 'rolling is true',
    cookieChanged && 'the app changed the cookie and trackCookie is true',
    outdatedCookie && "the browser's cookie is outdated (options rotateAfter, resign, expireStrays)",
  ];
  return reasons.filter((reason) => reason !== false).join('; ');
}

function reasonNotToSend({ state, expires }: SessionFacts, { rolling }: LifecyclePolicy): string {
  const rolled = rolling ? `rolling is true, but ${NO_TOUCH}` : 'rolling is false';
  if (state !== 'modified') return `unmodified and ${rolled}`;
  return expires ? rolled : `the browser has this cookie, which has no maxAge, and ${rolled}`;
}
