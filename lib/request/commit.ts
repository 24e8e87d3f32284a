import { adviseOnRecordSize, adviseOnUnreachable } from '../advice.js';
import { SteadyError } from '../errors.js';
import { PRESENT, type SessionFacts, storeAction } from '../lifecycle.js';
import { rotationIsDue } from '../lifetime.js';
import { isSavedPlainly, type Session } from '../session.js';
import type { SessionContext } from './context.js';
import { isEmptied, tell } from './facts.js';
import { settle } from './settle.js';
import { destroyRetired, noteSaved } from './storing.js';
import { mayTouch, touch, touches } from './touching.js';

// The end of the response: it is held, and the session committed.

/** What a commit does to the store. */
type Commit = 'nothing' | 'save' | 'merge' | 'touch' | 'rotate' | 'retire';

export function beforeEnd(context: SessionContext): void {
  if (context.inFlight) context.inFlight.whenIdle(() => commit(context));
  else commit(context);
}

function commit(context: SessionContext): void {
  if (!context.begun || context.failed || context.isUntouched) return release(context);
  let todo: Commit;
  try {
    todo = decide(context);
  } catch (error) {
    return abandon(context, error);
  }
  if (todo === 'nothing') return committed(context);
  context.committing = true;
  try {
    if (todo === 'save') save(context);
    else carryOut(context, todo);
  } catch (error) {
    if (!context.committing) throw error; // it comes from behind the end
    finish(error, context);
  }
}

/** The session can't be serialized: saying so once is enough. One that was cleared is deleted all the same. */
function abandon(context: SessionContext, error: unknown): void {
  context.failed = true;
  if (context.ending.cleared) destroyRetired(context, () => commitFailed(context, error));
  else commitFailed(context, error);
}

function finish(error: unknown, context: SessionContext): void {
  if (!context.committing) return; // it has failed already, beside the store
  const isOver = context.committing === 'settling';
  context.committing = false;
  if (isOver) settle(context);
  if (error) commitFailed(context, error);
  else committed(context);
}

/** What the app does when its session is touched or saved may have begun to save it once more. */
function committed(context: SessionContext): void {
  if (context.inFlight) context.inFlight.whenIdle(() => release(context));
  else release(context);
}

function release(context: SessionContext, error?: unknown): void {
  context.end?.done(error);
}

/** What is to be done with the store, by the lifecycle table. */
function decide(context: SessionContext): Commit {
  const session = context.current();
  if (session) refuseReplaced(session);
  if (session && !isEmptied(context, session) && touches(context, session)) touch(context, session);
  const text = session && context.dataOf(session);
  const facts = context.facts.look(session, text);
  context.history.commit(context.unread ? undefined : session, text);
  const { policy, settings, decisions } = context.core;
  const { state } = facts; // the app's code may run below, and write a first part of the response, which looks at the facts anew
  const action = storeAction(facts, policy);
  if (decisions.areObserved) tell(context, facts, { what: 'store', action });
  const rotating = session !== undefined && rotates(context, session, facts);
  const idle = action === 'nothing' && !facts.touches && !rotating;
  if (session && state !== 'cleared' && !idle) touch(context, session);
  if (action === 'create' && isUnreachable(context)) return 'nothing';
  if (rotating) return 'rotate';
  if (action === 'write' || action === 'create') {
    context.history.saved(session as Session, text);
    adviseOnRecordSize(text?.length ?? 0, settings.largeSession);
    return 'save';
  }
  // with `touchAfter` the record itself has to say when it was touched; not at the cost of another request's change
  if (action === 'touch') return settings.touchAfter > 0 || context.undated ? 'merge' : 'touch';
  if (action === 'delete') context.noteEnding({ deleted: true });
  if (action === 'delete' && state !== 'cleared') context.mustRetire(context.id());
  return context.idChanges.retired.length > 0 ? 'retire' : 'nothing';
}

/** An app may have put an object of its own in the session's place, which nobody could store. */
export function refuseReplaced(session: Session): void {
  if (typeof session.touch === 'function' && 'id' in session) return;
  throw new SteadyError(
    'ERR_SESSION_REPLACED',
    'req.session was replaced by something that is no session, so that nothing is stored; set properties on it instead, ' +
      'as in Object.assign(req.session, data)',
  );
}

/** An id that can still be told to the browser is replaced when its time has come, if this request may prolong the session. */
function rotates(context: SessionContext, session: Session, { known, state }: SessionFacts): boolean {
  const can = known && PRESENT.has(state) && !context.headersLeft;
  return can && rotationIsDue(session.cookie, context.core.settings) && mayTouch(context);
}

/** A new session that came too late for its cookie. */
export function isUnreachable(context: SessionContext): boolean {
  if (!context.headersLeft || context.cookieSent) return false;
  const drop = !context.core.settings.storeUnreachable;
  adviseOnUnreachable(drop);
  return drop;
}

function carryOut(context: SessionContext, commit: Commit): void {
  if (commit === 'retire') return destroyRetired(context, (error) => finish(error, context));
  const session = context.current() as Session;
  const text = context.history.committedText as string;
  if (commit === 'rotate') context.core.rotate(context, session, carriedOut);
  else if (commit === 'merge') context.core.socketDriver.write(context, session, text, carriedOut);
  else context.driver.touch(context, session, text, carriedOut);
}

function carriedOut(error: unknown, _: unknown, context: SessionContext): void {
  finish(error, context);
}

function save(context: SessionContext): void {
  const session = context.current() as Session;
  if (!isSavedPlainly(session)) return saveByApp(context, session);
  context.saving = session;
  context.driver.write(context, session, context.history.committedText as string, saved);
}

function saved(error: unknown, _: unknown, context: SessionContext): void {
  if (noteSaved(context, context.saving as Session, error))
    destroyRetired(context, (failure) => finish(failure, context));
  else finish(error, context);
}

/** An app may have its own way, to watch what is saved or to prevent it. What it throws after that is told to it. */
function saveByApp(context: SessionContext, session: Session): void {
  try {
    session.save((error) => finish(error, context));
  } catch (error) {
    if (context.committing) throw error;
    context.failAfterwards(error);
  }
}

/**
 * As express-session, the error reaches the app once the response is out; with `saveFailure: 'error'`, in its place, unless it
 * is the page of another error: Express runs the app's error handler once.
 */
function commitFailed(context: SessionContext, error: unknown): void {
  if (context.core.settings.saveFailure === 'error' && !context.end?.isFailure) {
    context.failed = true;
    return release(context, error);
  }
  context.failAfterwards(error);
  release(context);
}
