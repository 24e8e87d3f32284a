import { adviseOnLateChange } from '../advice.js';
import { drop } from '../drivers/text/interruption.js';
import { PRESENT } from '../lifecycle.js';
import { changedKeys } from '../merge.js';
import { dataText, recordText } from '../record.js';
import type { Session } from '../session.js';
import { save } from './asked.js';
import type { SessionContext } from './context.js';
import { isEmptied } from './facts.js';
import { lookLater } from './look-later.js';
import { isUnreachable, refuseReplaced } from './storable.js';
import { destroyRetired } from './storing.js';
import { touch } from './touching.js';

// After the response: what finish and close listeners changed, or what a client that left did not wait for.

export function settle(context: SessionContext): void {
  if (context.abandoned) return;
  const session = context.current();
  try {
    const ends = endsLate(context, session) || (!session && hasNewId(context));
    if (ends) return destroyRetired(context, context.reporting);
    if (!session) return;
    const text = context.history.finalDataOf(session);
    if (!changedSinceCommit(context, session, text)) return watchForLateChanges(context, session, text);
    refuseReplaced(session);
    const facts = context.facts.about(session, text);
    if (facts.state === 'interrupted') drop(context, session, recordText(session, text));
    const isStorable = PRESENT.has(facts.state) && (facts.known || !isUnreachable(context));
    if (!isStorable) return destroyRetired(context, context.reporting);
    touch(context, session);
  } catch (error) {
    context.report(error); // it can't be serialized; one that was cleared is deleted all the same
    if (context.ending.cleared) destroyRetired(context, context.reporting);
    return;
  }
  save(context, session, context.reporting);
}

/** Whether the app has ended the session after the commit, or there was none since the client had left. */
function endsLate(context: SessionContext, session: Session | undefined): boolean {
  if (context.ending.deleted || !context.isLatest) return false;
  if (session) return isEmptied(context, session);
  if (!context.begun || context.ending.destroyedId !== undefined || context.core.policy.unset === 'keep')
    return false;
  context.retire(context.id());
  return true;
}

function changedSinceCommit(context: SessionContext, session: Session, text: string): boolean {
  if (!context.isSocket) return text !== context.history.committedText || hasNewId(context);
  if (context.ending.cleared) return false; // what was put in after that has no cookie that leads to it
  const { seen = '{}' } = context.viewOf(session);
  return changedKeys(JSON.parse(seen), JSON.parse(JSON.stringify(session))).some((key) => key !== 'cookie');
}

/** Whether the app has given the session another id, and there was no commit, since the client had left. */
function hasNewId({ end, idChanges }: SessionContext): boolean {
  return end === undefined && idChanges.retired.length > 0;
}

/** Nothing is written after this. During development, look once more whether something should have been. */
function watchForLateChanges(context: SessionContext, session: Session, text: string): void {
  if (context.core.inProduction || !context.isLatest || context.isSocket) return;
  lookLater(() => {
    const now = dataText(session);
    if (now !== text && context.history.savedState(session, now) !== 'current') adviseOnLateChange();
  });
}
