import { adviseOnRecordSize, adviseOnUnreachable } from '../advice.js';
import { PRESENT, type SessionFacts, storeAction } from '../lifecycle.js';
import { rotationIsDue } from '../lifetime.js';
import type { HeldEnd } from '../response/end-listener.js';
import { type Callback, isSavedPlainly, type Session } from '../session.js';
import type { SessionContext } from './context.js';
import { isEmptied, RequestFacts, tell } from './facts.js';
import { settle } from './settle.js';
import { destroyRetired, noteSaved } from './storing.js';
import { mayTouch, touch, touches } from './touching.js';

// The end of the response: it is held, and the session committed.

/** What a commit does to the store. */
type Commit = 'nothing' | 'save' | 'merge' | 'touch' | 'rotate' | 'retire';

export function beforeEnd(context: SessionContext, end: HeldEnd): void {
  if (context.inFlight) context.inFlight.whenIdle(() => commit(context, end));
  else commit(context, end);
}

function commit(context: SessionContext, end: HeldEnd): void {
  if (!context.begun || context.failed || context.isUntouched) return end.done();
  let todo: Commit;
  try {
    todo = decide(context);
  } catch (error) {
    return abandon(context, error, end);
  }
  if (todo === 'nothing') return committed(context, end);
  context.committing = true;
  try {
    if (todo === 'save') save(context, end);
    else carryOut(context, todo, end);
  } catch (error) {
    if (!context.committing) throw error; // it comes from behind the end
    finish(context, end, error);
  }
}

/** The session can't be serialized: saying so once is enough. One that was cleared is deleted all the same. */
function abandon(context: SessionContext, error: unknown, end: HeldEnd): void {
  context.failed = true;
  if (context.ending.cleared) destroyRetired(context, () => commitFailed(context, error, end));
  else commitFailed(context, error, end);
}

function finish(context: SessionContext, end: HeldEnd, error: unknown): void {
  if (!context.committing) return; // it has failed already, beside the store
  const isOver = context.committing === 'settling';
  context.committing = false;
  if (isOver) settle(context);
  if (error) commitFailed(context, error, end);
  else committed(context, end);
}

/** What the app does when its session is touched or saved may have begun to save it once more. */
function committed(context: SessionContext, end: HeldEnd): void {
  if (context.inFlight) context.inFlight.whenIdle(() => end.done());
  else end.done();
}

/** What is to be done with the store, by the lifecycle table. */
function decide(context: SessionContext): Commit {
  const session = context.current();
  if (session && !isEmptied(context, session) && touches(context, session)) touch(context, session);
  const text = session && context.dataOf(session);
  const facts = new RequestFacts(context, session, text);
  context.history.committedText = text;
  const { policy, settings, decisions } = context.core;
  const action = storeAction(facts, policy);
  if (decisions.areObserved) tell(context, facts, { what: 'store', action });
  const rotating = session !== undefined && rotates(context, session, facts);
  const idle = action === 'nothing' && !facts.touches && !rotating;
  if (session && facts.state !== 'cleared' && !idle) touch(context, session);
  if (action === 'create' && isUnreachable(context)) return 'nothing';
  if (rotating) return 'rotate';
  if (action === 'write' || action === 'create') {
    context.history.saved((session as Session).id, text);
    adviseOnRecordSize(text?.length ?? 0, settings.largeSession);
    return 'save';
  }
  // with `touchAfter` the record itself has to say when it was touched; not at the cost of another request's change
  if (action === 'touch') return settings.touchAfter > 0 || context.undated ? 'merge' : 'touch';
  if (action === 'delete') context.noteEnding({ deleted: true });
  if (action === 'delete' && facts.state !== 'cleared') context.mustRetire(context.id());
  return context.idChanges.retired.length > 0 ? 'retire' : 'nothing';
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

function carryOut(context: SessionContext, commit: Commit, end: HeldEnd): void {
  const done: Callback = (error) => finish(context, end, error);
  if (commit === 'retire') return destroyRetired(context, done);
  const session = context.current() as Session;
  const text = context.history.committedText as string;
  if (commit === 'rotate') context.core.rotate(context, session, done);
  else if (commit === 'merge') context.core.socketDriver.write(context, session, text, done);
  else context.driver.touch(context, session, text, done);
}

/** With one closure, of 110 bytes, and not two. */
function save(context: SessionContext, end: HeldEnd): void {
  const session = context.current() as Session;
  if (!isSavedPlainly(session)) return saveByApp(context, session, end);
  context.driver.write(context, session, context.history.committedText as string, (error) => {
    if (noteSaved(context, session, error))
      destroyRetired(context, (failure) => finish(context, end, failure));
    else finish(context, end, error);
  });
}

/** An app may have its own way, to watch what is saved or to prevent it. What it throws after that is told to it. */
function saveByApp(context: SessionContext, session: Session, end: HeldEnd): void {
  try {
    session.save((error) => finish(context, end, error));
  } catch (error) {
    if (context.committing) throw error;
    setImmediate(context.next, error);
  }
}

/** As express-session, the error reaches the app once the response is out; with `saveFailure: 'error'`, in its place. */
function commitFailed(context: SessionContext, error: unknown, end: HeldEnd): void {
  if (context.core.settings.saveFailure === 'error') {
    context.failed = true;
    return end.done(error);
  }
  setImmediate(context.next, error);
  end.done();
}
