import { adviseOnRecordSize } from '../advice.js';
import { giveUp } from '../drivers/text/interruption.js';
import { PRESENT, type SessionFacts, storeAction } from '../lifecycle.js';
import { rotationIsDue } from '../lifetime.js';
import { recordText } from '../record.js';
import { isSavedPlainly, type Session } from '../session.js';
import type { SessionContext } from './context.js';
import { isEmptied, tell } from './facts.js';
import { isWithheld } from './session-cookie.js';
import { settle } from './settle.js';
import { isUnreachable, refuseReplaced } from './storable.js';
import { destroyRetiredAfter, noteSaved } from './storing.js';
import { mayTouch, touch, touches } from './touching.js';

// The end of the response: it is held, and the session committed.

/** What a commit does to the store. */
type Commit = 'nothing' | 'save' | 'merge' | 'touch' | 'rotate' | 'retire' | 'drop';

export function beforeEnd(context: SessionContext): void {
  if (context.inFlight) context.inFlight.whenIdle(() => commit(context));
  else commit(context);
}

function commit(context: SessionContext): void {
  if (!context.begun || context.abandoned || context.isUntouched) return release(context);
  let todo: Commit;
  try {
    todo = prepare(context);
  } catch (error) {
    return abandon(context, error);
  }
  if (todo === 'nothing') return committed(context);
  context.committing = true;
  try {
    if (todo === 'save') save(context);
    else carryOut(context, todo);
  } catch (error) {
    if (!context.committing) throw error; // all was done: it comes from what the release ran
    finish(error, context);
  }
}

/** The session can't be serialized: saying so once is enough. One that was cleared is deleted all the same. */
function abandon(context: SessionContext, error: unknown): void {
  context.abandoned = true;
  if (context.ending.cleared) destroyRetiredAfter(error, context, () => commitFailed(context, error));
  else commitFailed(context, error);
}

function finish(error: unknown, context: SessionContext): void {
  if (!context.committing) return; // ended by what the app threw: this is the store's answer
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

/** Makes the session ready to be stored as the lifecycle table says. @returns what the store is to do */
function prepare(context: SessionContext): Commit {
  const session = context.current();
  if (session) refuseReplaced(session);
  if (session && !isEmptied(context, session) && touches(context, session)) touch(context, session);
  const text = session && context.dataOf(session);
  const facts = context.facts.about(session, text);
  context.history.commit(context.unread ? undefined : session, text);
  const { policy, settings, decisions } = context.core;
  const { state } = facts; // the app's code may run below, and write a first part of the response, which looks at the facts anew
  const action = storeAction(facts, policy);
  if (decisions.areObserved) tell(context, facts, { what: 'store', action });
  const rotating = session !== undefined && rotates(context, session, facts);
  const idle = action === 'nothing' && !facts.touches && !rotating;
  if (session && state !== 'cleared' && !idle) touch(context, session);
  if (state === 'interrupted') return 'drop';
  if (action === 'create' && isUnreachable(context)) return retiring(context);
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
  return retiring(context);
}

/** What remains to be done if nothing is stored: a session that the app has left ends all the same. */
function retiring(context: SessionContext): Commit {
  return context.idChanges.retired.length > 0 ? 'retire' : 'nothing';
}

/** An id that can still be told to the browser is replaced when its time has come, if this request may prolong the session. */
function rotates(context: SessionContext, session: Session, { known, state }: SessionFacts): boolean {
  const can = known && PRESENT.has(state) && !context.headersLeft && !isWithheld(context, session.cookie);
  return can && rotationIsDue(session.cookie, context.core.settings) && mayTouch(context);
}

function carryOut(context: SessionContext, commit: Commit): void {
  if (commit === 'retire') return retire(undefined, context);
  const session = context.current() as Session;
  const text = context.history.committedText as string;
  if (commit === 'drop') return drop(context, session, text);
  if (commit === 'rotate') context.core.updater.rotate(context, session, carriedOut);
  else if (commit === 'merge') context.core.mergingDriver.write(context, session, text, carriedOut);
  else context.driver.touch(context, session, text, carriedOut);
}

/** What was changed since it was found that the session has ended is lost as what was changed before. */
function drop(context: SessionContext, session: Session, text: string): void {
  let lost: unknown;
  try {
    giveUp(context, session, recordText(session, text));
  } catch (error) {
    lost = error;
  }
  retire(lost, context);
}

function retire(error: unknown, context: SessionContext): void {
  destroyRetiredAfter(error, context, (outcome) => finish(outcome, context));
}

function carriedOut(error: unknown, _: unknown, context: SessionContext): void {
  finish(error, context);
}

/** As `write` of storing.ts, but for its closures, which would take 190 bytes of the 2600 of a change. */
function save(context: SessionContext): void {
  const session = context.current() as Session;
  if (!isSavedPlainly(session)) return saveByApp(context, session);
  context.saving = session;
  context.driver.write(context, session, context.history.committedText as string, saved);
}

function saved(error: unknown, _: unknown, context: SessionContext): void {
  if (noteSaved(context, context.saving as Session, error)) retire(error, context);
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
  const isError = context.core.settings.saveFailure === 'error';
  if (isError) context.abandoned = true;
  if (isError && !context.end?.isFailure) return release(context, error);
  context.failAfterwards(error);
  release(context);
}
