import type { SessionRecord } from '../../merge.js';
import { MOST_HOPS } from '../../pointer.js';
import { parseRecord } from '../../record.js';
import type { SessionContext } from '../../request/context.js';
import { learn } from '../../request/stored-view.js';
import type { Session } from '../../session.js';
import { Attempts } from '../back-off.js';
import { type Heritage, withHeritage } from '../heritage.js';
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
  hops = 0,
): Promise<boolean> {
  const { core, store } = records;
  const view = context.viewOf(session);
  for (const attempts = new Attempts(core.settings.storeTimeout); ; await attempts.next()) {
    const old = await store.get(heritage.id);
    const pointer = old === undefined ? undefined : records.pointerOf(heritage.id, old);
    if (pointer && hops < MOST_HOPS) {
      return succeed(records, context, session, { ...heritage, id: pointer.target }, mine, hops + 1);
    }
    const isOver = old === undefined || old === DEAD || pointer;
    const record = isOver ? undefined : parseRecord(old);
    if (old === undefined || !record) {
      await disinherit(records, context, session, heritage);
      return false;
    }
    const text = withHeritage(heritage, mine, record, core.settings.merge);
    if (!(await records.set(context, session, text, view.stored ?? null))) {
      await records.readAgain(context, session);
      continue;
    }
    learn(view, text);
    view.seen = mine;
    context.stored(session.id); // before the former one goes: its sockets are to go along, not to end with it
    const owner = records.formerOwnerOf(context, old);
    const ending = { expires: 0, expected: old };
    if (await store.set(heritage.id, old, owner === undefined ? ending : { ...ending, owner })) {
      context.noteIds({ heritage: undefined });
      return true;
    }
  }
}

/** The former session has been ended meanwhile: its data must not live on. What is new in this one may. */
async function disinherit(
  { core, store }: TextRecords,
  context: SessionContext,
  session: Session,
  { keys }: Heritage,
): Promise<void> {
  const view = context.viewOf(session);
  context.noteIds({ heritage: undefined });
  core.sockets.end(session.id);
  view.seen = view.stored;
  for (const key of keys) delete (session as unknown as SessionRecord)[key];
  const error = interrupted(context, session.id, keys);
  if (!error || core.settings.onInterrupted !== 'error') return;
  if (view.stored !== undefined) await store.destroy(session.id);
  throw error;
}
