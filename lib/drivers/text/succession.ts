import type { SessionRecord } from '../../merge.js';
import { MOST_HOPS } from '../../pointer.js';
import { parseRecord } from '../../record.js';
import type { SessionContext } from '../../request/context.js';
import { learn } from '../../request/stored-view.js';
import type { Session } from '../../session.js';
import type { SetOptions } from '../../stores/store.js';
import { Attempts } from '../back-off.js';
import { disinherit, type Heritage, withHeritage } from '../heritage.js';
import { destroy } from './destroy.js';
import { interrupted } from './interruption.js';
import { DEAD, type TextRecords } from './records.js';

/**
 * Stores a session that has data of the one under its former id, in exchange for that one, which must not have
 * changed at this moment. The new id is known to nobody before.
 *
 * `false`: the former session has been ended meanwhile. This one has lost what it had of it, and is still to be stored.
 */
export async function succeed(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  heritage: Heritage,
  mine: string,
): Promise<boolean> {
  const { settings } = records.core;
  const view = context.viewOf(session);
  let mayBeStored = view.stored !== undefined;
  try {
    for (const attempts = new Attempts(settings.storeTimeout); ; await attempts.next()) {
      const former = await readFormer(records, heritage.id);
      if (!former) {
        await forgo(records, context, session, heritage);
        return false;
      }
      const text = withHeritage(heritage, mine, former.record, settings.merge);
      mayBeStored = true;
      if (!(await records.set(context, session, text, view.stored ?? null))) {
        await records.readAgain(context, session);
        continue;
      }
      learn(view, text);
      view.seen = mine;
      context.stored(session.id); // before the former one goes: its sockets are to go along, not to end with it
      if (await endFormer(records, context, former)) {
        noteSuccession(context, session, text, former);
        return true;
      }
    }
  } catch (error) {
    // one that isn't there may have been ended by somebody else: its data must not wait for a write that may never come
    const isUndecided = mayBeStored && context.idChanges.heritage !== undefined;
    if (!isUndecided || !(await isKnownToBeOver(records, heritage.id))) throw error;
    context.report(error);
    await forgo(records, context, session, heritage);
    return false;
  }
}

/** If `regenerate()` has been called once more meanwhile, the latest session has its data from this one now. */
function noteSuccession(context: SessionContext, session: Session, text: string, former: Former): void {
  const { heritage } = context.idChanges;
  const isSettled = heritage === undefined || session === context.current();
  const next = isSettled
    ? undefined
    : { ...heritage, id: session.id, base: parseRecord(text) as SessionRecord };
  context.noteIds({ heritage: next, exchanged: former.id });
}

/** A session as it is stored, under the id that it has by now. */
interface Former {
  readonly id: string;
  readonly text: string;
  readonly record: SessionRecord;
}

/** The session that had this id; `undefined` if it has ended. */
async function readFormer(records: TextRecords, id: string, hops = 0): Promise<Former | undefined> {
  const text = await records.store.get(id);
  if (text === undefined || text === DEAD || hops > MOST_HOPS) return undefined;
  const pointer = records.pointerOf(id, text);
  if (pointer) return readFormer(records, pointer.target, hops + 1);
  const record = parseRecord(text);
  return record && { id, text, record };
}

/** @returns `false` if it has changed, or has been ended, since it was read */
async function endFormer(
  records: TextRecords,
  context: SessionContext,
  { id, text }: Former,
): Promise<boolean> {
  const owner = records.formerOwnerOf(context, text);
  const how: SetOptions = { expires: 0, expected: text };
  return records.store.set(id, text, owner === undefined ? how : { ...how, owner });
}

async function isKnownToBeOver(records: TextRecords, id: string): Promise<boolean> {
  return readFormer(records, id).then(
    (former) => !former,
    () => false,
  );
}

/** A store that can't say has it, as far as is known. */
async function isThere(records: TextRecords, id: string): Promise<boolean> {
  try {
    return (await records.store.get(id)) !== undefined;
  } catch {
    return true;
  }
}

/** Ends this session: data of one that has ended are stored in it, and could not be taken out. */
export async function takeBack(
  records: TextRecords,
  context: SessionContext,
  session: Session,
): Promise<void> {
  const view = context.viewOf(session);
  const owner = records.formerOwnerOf(context, view.stored);
  try {
    await destroy(records, session.id, { owner });
  } catch (error) {
    context.report(error);
    if (await isThere(records, session.id)) return;
  }
  learn(view, undefined);
  if (context.isStored(session.id)) context.storedId = undefined; // what is new in it may be stored yet
}

/**
 * The former session has been ended meanwhile: its data must not live on, nor in the latest session, if `regenerate()` has been
 * called once more. What is new may.
 */
async function forgo(
  { core, store }: TextRecords,
  context: SessionContext,
  session: Session,
  heritage: Heritage,
): Promise<void> {
  const view = context.viewOf(session);
  if (view.stored === undefined) learn(view, await store.get(session.id)); // the answer to a write may have been lost
  const latest = context.idChanges.heritage;
  context.noteIds({ heritage: undefined });
  core.sockets.end(session.id);
  view.seen = view.stored;
  disinherit(session, heritage);
  const current = context.current();
  if (latest && current && current !== session) disinherit(current, latest);
  const error = interrupted(context, session.id, heritage.keys);
  if (!error || core.settings.onInterrupted !== 'error') return;
  if (view.stored !== undefined) await store.destroy(session.id);
  throw error;
}
