import { dataText, recordText } from '../../record.js';
import type { SessionContext } from '../../request/context.js';
import {
  beginTrying,
  endTrying,
  isWriteUnderWay,
  learn,
  type StoredView,
  type Tried,
  whenAnswered,
} from '../../request/stored-view.js';
import type { Session } from '../../session.js';
import { type Awaitable, isPromise } from '../awaitable.js';
import { Attempts } from '../back-off.js';
import type { Heritage } from '../heritage.js';
import { destroy } from './destroy.js';
import { giveUp } from './interruption.js';
import { cookieOf, noteSeen, noteStored } from './merged-text.js';
import type { TextRecords } from './records.js';
import { succeed, takeBack } from './succession.js';

/** Stores the session as it is now, with what other requests have changed in it meanwhile. */
export function write(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  data: string = dataText(session),
): Awaitable<void> {
  const mine = recordText(session, data, context.history.whole);
  if (context.isDestroyed(session)) return giveUp(context, session, mine);
  const { heritage } = context.idChanges;
  const isHeir = heritage && heritage.id !== session.id; // genid may have given the same id again
  if (isHeir && records.mode.merge) return writeAsHeir(records, context, session, heritage, mine);
  // a socket whose session was renamed, or loaded by callback, has not seen the record; it must not make it anew
  const unseen = context.isStored(session.id) && context.viewOf(session).stored === undefined;
  return unseen
    ? writeAgain(records, context, session, session.id)
    : tryToWrite(records, context, session, mine);
}

async function writeAsHeir(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  heritage: Heritage,
  mine: string,
): Promise<void> {
  const underWay = context.idChanges.succession;
  if (underWay) {
    await underWay.catch(() => {}); // which is for whoever began it
    return write(records, context, session);
  }
  const succession = succeed(records, context, session, heritage, mine);
  context.noteIds({ succession });
  const succeeded = await succession.finally(() => context.noteIds({ succession: undefined }));
  if (!succeeded) await writeWithoutHeritage(records, context, session);
}

/** What may be stored of the session already, with data of one that has ended, is not to stay should this fail. */
async function writeWithoutHeritage(
  records: TextRecords,
  context: SessionContext,
  session: Session,
): Promise<void> {
  const { stored } = context.viewOf(session);
  try {
    await write(records, context, session);
  } catch (error) {
    const view = context.viewOf(session);
    await whenAnswered(view); // another save may put it right
    if (stored !== undefined && view.stored === stored) await takeBack(records, context, session);
    throw error;
  }
}

function tryToWrite(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  mine: string,
  attempts?: Attempts,
): Awaitable<void> {
  const view = context.viewOf(session);
  const { id, stored, seen } = view;
  const text = records.merged(context, session, mine);
  const expected = records.mode.merge ? (stored ?? null) : undefined;
  if (isWriteUnderWay(view) && text === expected)
    return writeAfterOthers(records, context, session, view, attempts);
  const written = records.set(context, session, text, expected, cookieOf(session, mine, text));
  if (!isPromise(written)) {
    if (!written) return writeAgain(records, context, session, id, attempts);
    return noteWritten(context.viewOf(session), text, seen, mine);
  }
  const tried = beginTrying(view, { seen, mine, isChange: text !== expected }, written);
  return noteLater(written, records, context, session, id, tried, attempts, text);
}

async function writeAfterOthers(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  view: StoredView,
  attempts: Attempts | undefined,
): Promise<void> {
  await whenAnswered(view);
  return writeAgain(records, context, session, view.id, attempts);
}

/** When the store answers, a later write may have been answered before, and the app may have destroyed the session. */
async function noteLater(
  written: Promise<boolean>,
  records: TextRecords,
  context: SessionContext,
  session: Session,
  id: string,
  tried: Tried,
  attempts: Attempts | undefined,
  text: string,
): Promise<void> {
  const isWritten = await written;
  const isLatest = endTrying(context.viewOf(session), tried, isWritten);
  if (!isWritten) return writeAgain(records, context, session, id, attempts);
  if (session.id === context.ending.destroyedId) return destroy(records, session.id); // which has overtaken it
  if (isLatest) noteWritten(context.viewOf(session), text, tried.seen, tried.mine);
}

function noteWritten(view: StoredView, text: string, seen: string | undefined, mine: string): void {
  learn(view, text);
  noteSeen(view, seen, mine);
  noteStored(view, mine);
}

/**
 * Another request has stored the session meanwhile, or another save of this one, or somebody has ended it. What is
 * stored then is the session as it is by now, since what the view says has been seen may be later than this write.
 */
async function writeAgain(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  id: string,
  attempts: Attempts = new Attempts(records.core.settings.storeTimeout),
): Promise<void> {
  await attempts.next();
  const isThere = await records.readAgain(context, session);
  if (context.ending.cleared && session.id !== id) return; // what was to be saved is gone
  const data = context.dataOf(session);
  const mine = recordText(session, data, context.history.whole);
  if (!isThere) return giveUp(context, session, mine);
  if (session === context.current()) context.history.saved(session, data); // not as it was when this write was asked for
  return tryToWrite(records, context, session, mine, attempts);
}
