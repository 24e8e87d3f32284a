import { compactJson } from '../../compact.js';
import type { Cookie } from '../../cookies/cookie.js';
import { SteadyError } from '../../errors.js';
import { changedKeys, type SessionRecord } from '../../merge.js';
import { dataText } from '../../record.js';
import type { SessionContext } from '../../request/context.js';
import { beginTrying, endTrying, isWriteUnderWay, learn, whenAnswered } from '../../request/stored-view.js';
import { RESERVED, type Session } from '../../session.js';
import { callBack } from '../awaitable.js';
import { Attempts } from '../back-off.js';
import { drop } from './interruption.js';
import { cookieOf, noteSeen } from './merged-text.js';
import type { TextRecords } from './records.js';
import { write } from './write.js';

/** Runs `change` on fresh copies of the stored session until the result of one is stored. */
export async function update<T>(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  change: (draft: SessionRecord) => T | Promise<T>,
): Promise<T> {
  if (context.idChanges.heritage && records.mode.merge) await write(records, context, session);
  const { clears } = context.ending;
  const isCleared = () => context.ending.clears !== clears;
  for (const attempts = new Attempts(records.core.settings.storeTimeout); ; await attempts.next()) {
    const done = await tryUpdate(records, context, session, change, attempts, isCleared);
    if (done) return done.result;
  }
}

/** @returns `undefined` if it is to be tried again: others have changed or ended the session meanwhile, or are writing it */
async function tryUpdate<T>(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  change: (draft: SessionRecord) => T | Promise<T>,
  attempts: Attempts,
  isCleared: () => boolean,
): Promise<{ result: T } | undefined> {
  const mayBeThere = !isCleared() && !context.isDestroyed(session);
  const isThere = mayBeThere && (await records.readAgain(context, session));
  if (isCleared()) throw gone(); // the app has ended it itself
  if (!isThere) throw lost(context, session);
  const view = context.viewOf(session);
  const { stored, seen } = view; // the request may read and store the session while `change` runs
  const mine = JSON.stringify(session);
  const before = records.merged(context, session, mine);
  const { cookie, ...draft } = JSON.parse(before) as SessionRecord; // it is no data: to lose it would be to lose the session
  const unchanged = JSON.stringify({ cookie, ...draft });
  const result = await attempts.withoutTime(() => change(draft));
  delete draft['cookie'];
  const text = compactJson({ cookie, ...draft });
  if (text === unchanged) {
    if (stored !== undefined) noteSeen(view, seen, withCookieOf(stored, seen)); // what the request has changed is left to its own save
    applyChanges(session, JSON.parse(mine), draft);
    return { result };
  }
  if (isCleared() || context.isDestroyed(session)) return undefined;
  const isChange = text !== stored;
  if (!isChange && isWriteUnderWay(view)) {
    await whenAnswered(view);
    return undefined;
  }
  const lifetime = cookieOf(session, mine, before);
  const answer = toldSet(records, context, session, text, stored ?? null, lifetime);
  const tried = beginTrying(view, { seen, mine, isChange }, answer);
  const written = await answer.catch((error) => failed(context, session, draft, error));
  const isLatest = endTrying(view, tried, written);
  if (!written || isCleared()) return undefined;
  if (isLatest) learn(view, text);
  noteSeen(view, seen, withCookieOf(text, mine));
  const isAlone = view.tried.length === 0; // else a save that began later may have been stored over it
  noteUpdated(context, session, mine, draft, isLatest && isAlone);
  return { result };
}

/**
 * It may have been stored all the same, and so counts as saved: then a session that looks as it did before differs from
 * that, and is stored when the response ends. Not so a new one: no cookie leads to it yet.
 */
function failed(context: SessionContext, session: Session, draft: SessionRecord, error: unknown): never {
  if (!context.wasStored(session.id)) throw error;
  context.history.saved(session, dataText(draft));
  if (context.core.settings.saveFailure === 'error') context.history.notSaved();
  throw error;
}

function lost(context: SessionContext, session: Session): SteadyError {
  drop(context, session, JSON.stringify(session));
  return gone();
}

function gone(): SteadyError {
  return new SteadyError(
    'ERR_SESSION_GONE',
    'the session has been destroyed or has expired meanwhile; ask the user to log in again',
  );
}

/** The live session shows the result, and need not be saved for it. */
function noteUpdated(
  context: SessionContext,
  session: Session,
  mine: string,
  draft: SessionRecord,
  isLast: boolean,
): void {
  context.stored(session.id);
  const hasChanged = applyChanges(session, JSON.parse(mine), draft);
  if (isLast && dataText(session) === dataText(draft)) context.saved(session);
  else if (hasChanged || !isLast) context.history.notSaved(); // it may have been put back to what had been saved before
}

/** Writes on behalf of `update()`, which no watched driver knows of. */
async function toldSet(
  records: TextRecords,
  context: SessionContext,
  session: Session,
  text: string,
  expected: string | null,
  cookie: Cookie,
): Promise<boolean> {
  const { events } = records.core;
  const set = async () => records.set(context, session, text, expected, cookie);
  if (!events.isWatched('save')) return set();
  const name = context.isStored(session.id) ? 'save' : 'create';
  return new Promise((resolve, reject) => {
    events.watch(
      'save',
      session.id,
      context.req,
      (written: boolean) => (written ? name : undefined),
      (done) => callBack(done, context, set),
      (error, written) => (error ? reject(error) : resolve(written)),
    );
  });
}

/**
 * What the live session looks like when it has taken over all data of a stored text but not the cookie, which stays as
 * the request has it.
 */
function withCookieOf(text: string, own: string | undefined): string {
  if (own === undefined || text === own) return text;
  const { cookie } = JSON.parse(own) as SessionRecord;
  return JSON.stringify({ ...JSON.parse(text), cookie });
}

/**
 * Makes the live session show what has changed from one record to another. Its cookie stays, and so does what the app has
 * changed in it meanwhile.
 * @returns whether the app has changed any data
 */
function applyChanges(session: Session, before: SessionRecord, after: SessionRecord): boolean {
  const live = session as unknown as SessionRecord;
  const changedMeanwhile = changedKeys(before, JSON.parse(JSON.stringify(session)));
  for (const key of changedKeys(before, after)) {
    if (key === 'cookie' || RESERVED.has(key) || changedMeanwhile.includes(key)) continue;
    if (Object.hasOwn(after, key)) live[key] = after[key];
    else delete live[key];
  }
  return changedMeanwhile.some((key) => key !== 'cookie');
}
