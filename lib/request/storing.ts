import type { Callback, Session } from '../session.js';
import type { SessionContext } from './context.js';

// How a session is stored, and the records under its former ids go.

/** The new record is there before the old one goes, so that a failure loses neither. */
export function write(context: SessionContext, session: Session, data: string, done: Callback): void {
  context.driver.write(context, session, data, (error) => {
    if (noteSaved(context, session, error)) destroyRetiredAfter(error, context, done);
    else done(error);
  });
}

/**
 * A session has been stored, or not; one that `regenerate()` has left meanwhile says nothing of the new one.
 * @returns whether the records under its former ids are to go now: also where that one has been ended, and the error tells of it
 */
export function noteSaved(context: SessionContext, session: Session, error: unknown): boolean {
  if (session.id !== context.current()?.id) return false;
  if (error && !context.isInterrupted(session)) return false;
  if (!error && context.history.hasSaved(session.id)) context.stored(session.id); // else clear() has given it another id since
  // one of them may yet write the old record: the commit, which waits for all, removes it
  const savesInFlight = (context.inFlight?.count ?? 0) > 1;
  return context.idChanges.retired.length > 0 && !savesInFlight;
}

/** The records under the session's former ids go after something else, which may have failed: that error counts, and this one is reported. */
export function destroyRetiredAfter(error: unknown, context: SessionContext, done: Callback): void {
  destroyRetired(context, (failure) => {
    if (error && failure) context.report(failure);
    done(error ?? failure);
  });
}

/** Should one stay, the next write or the end of the response tries again: the app need not have looked at the outcome. */
export function destroyRetired(context: SessionContext, done: Callback): void {
  const current = context.ending.cleared ? undefined : context.current()?.id;
  const ids = context.idChanges.retired.filter((id) => id !== current); // genid may give the same id again
  context.noteIds({ retired: [] });
  if (ids.length === 0) return done();
  let left = ids.length;
  let failure: unknown;
  for (const id of ids) {
    context.destroyRecord(id, (error) => {
      const isGone = id === context.idChanges.exchanged; // that was to be on the safe side
      if (error && isGone) context.report(error);
      else if (error) context.mustRetire(id);
      if (!isGone) failure ??= error;
      if (--left === 0) done(failure);
    });
  }
}
