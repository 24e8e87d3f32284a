import { type CookieData, restoreCookie } from '../../cookies/cookie.js';
import { expiryOf, idleTimeOf } from '../../lifetime.js';
import type { SessionRecord } from '../../merge.js';
import { MOST_HOPS, type Pointer, pointerText } from '../../pointer.js';
import type { Settings } from '../../read-options.js';
import { parseRecord, UnreadRecord } from '../../record.js';
import type { SessionContext } from '../../request/context.js';
import { learn, type StoredView } from '../../request/stored-view.js';
import { type Awaitable, andThen, type TextStore } from '../awaitable.js';
import { endSession } from './destroy.js';
import { lineOf } from './fate.js';
import { DEAD, type TextRecords } from './records.js';
import { TOUCH_TOLERANCE } from './touch.js';

/** Reads a session, and notes what the request has seen of it. */
export function load(
  records: TextRecords,
  context: SessionContext,
  id: string,
  hops: number,
): Awaitable<object | null> {
  const touchedUntil = expiryBeforehand(records, context);
  return andThen(get(records.store, id, touchedUntil), loaded, records, context, id, touchedUntil, hops);
}

function loaded(
  text: string | undefined,
  records: TextRecords,
  context: SessionContext,
  id: string,
  touchedUntil: number | undefined,
  hops: number,
): Awaitable<object | null> {
  if (text === undefined || text === DEAD || hops > MOST_HOPS) return null;
  const pointer = records.pointerOf(id, text);
  return pointer
    ? follow(records, context, id, text, pointer, touchedUntil, hops)
    : found(records, context, id, text, touchedUntil);
}

/**
 * The expiry that this request will give the session if it only reads it, as far as that is known before; the store
 * can then read and touch in one round trip. Corrected once the session has been read, if it has a life of its own.
 */
function expiryBeforehand({ core, store }: TextRecords, { req }: SessionContext): number | undefined {
  const { settings } = core;
  const indexed = settings.owner !== undefined && store.owned !== undefined;
  const perRecord = indexed || settings.touchAfter > 0 || settings.absoluteTimeout > 0 || settings.resave;
  if (!store.getAndTouch || perRecord || settings.idleTime === undefined || !settings.touch(req))
    return undefined;
  return Math.trunc(Date.now() + settings.idleTime);
}

function get(store: TextStore, id: string, touchUntil: number | undefined): Awaitable<string | undefined> {
  return touchUntil !== undefined && store.getAndTouch ? store.getAndTouch(id, touchUntil) : store.get(id);
}

/** The id was rotated away: within the grace it still serves, after that its use is a sign of theft. */
async function follow(
  records: TextRecords,
  context: SessionContext,
  id: string,
  text: string,
  { target, movedAt }: Pointer,
  touchedUntil: number | undefined,
  hops: number,
): Promise<object | null> {
  const { settings, events } = records.core;
  const { cookie } = parseRecord(text) as SessionRecord;
  if (touchedUntil !== undefined && hasOwnTime(cookie, settings))
    await touchOwn(records.store, context, id, cookie, movedAt); // else a theft would not be noticed for as long
  const { rotateGrace, onReuse } = settings;
  // a request that reads its session once more came with the id when it still served
  if (context.begun || Date.now() - movedAt <= rotateGrace) {
    context.follow(id, target);
    return load(records, context, target, hops + 1);
  }
  const present =
    context.identities.length > 1
      ? await presentId(records, context, id, text, { target, movedAt })
      : undefined;
  // who has the session's present cookie too has just kept an old one, as browsers do of another path
  if (context.identities.some((identity) => identity.id === present)) return null;
  events.emit('reuse', id, { req: context.req });
  if (onReuse === 'revoke') await revoke(records, context, target, hops + 1);
  return null;
}

async function revoke(
  records: TextRecords,
  { req }: SessionContext,
  id: string,
  hops: number,
): Promise<void> {
  const start = performance.now();
  const ended = await endSession(records, id, {}, hops);
  if (ended !== undefined)
    records.core.events.emit('destroy', ended, { req, duration: performance.now() - start });
}

/** The session's id by now. The next look at the pointer finds it at once, however often the id has been rotated since. */
async function presentId(
  records: TextRecords,
  context: SessionContext,
  id: string,
  text: string,
  { target, movedAt }: Pointer,
): Promise<string | undefined> {
  const line = await lineOf(records, target);
  const present = line.at(-1);
  if (present === undefined || line.length < 2) return present;
  const record = parseRecord(text) as SessionRecord;
  // for as long as before: it was made when the id was rotated
  const expires = expiryOf(restoreCookie(record['cookie'] as CookieData), records.core.settings, movedAt);
  if (expires <= Date.now()) return present;
  try {
    const pointer = pointerText(id, record, { target: present, movedAt });
    await records.store.set(id, pointer, { expires, expected: text });
  } catch (error) {
    context.report(error); // this request can do without
  }
  return present;
}

function found(
  { core, store }: TextRecords,
  context: SessionContext,
  id: string,
  text: string,
  touchedUntil: number | undefined,
): Awaitable<object | null> {
  const unread = context.takesUnread ? UnreadRecord.of(text) : undefined;
  const record = unread ?? parseRecord(text) ?? (store.isSession?.(id) ? JSON.parse(text) : undefined);
  if (!record) {
    core.reportUnusable(id, context.req);
    return null;
  }
  const view = context.viewOfLoaded(id);
  learn(view, text);
  view.seen = text;
  view.read = unread;
  if (touchedUntil === undefined) return record;
  view.touchedUntil = touchedUntil;
  return hasOwnTime(record.cookie, core.settings) ? touchFound(store, context, view, record) : record;
}

/** Whether a session with this cookie has another life than the option `cookie` gives, such as one for "remember me". */
function hasOwnTime(cookie: unknown, settings: Settings): boolean {
  const time = idleTimeOf(cookie as Partial<CookieData>, settings);
  return time > 0 && Math.abs(time - (settings.idleTime ?? time)) >= TOUCH_TOLERANCE;
}

/** At once, since the request may take longer than the session would be kept, or never end. */
async function touchFound(
  store: TextStore,
  context: SessionContext,
  view: StoredView,
  record: SessionRecord | UnreadRecord,
): Promise<object> {
  view.touchedUntil = await touchOwn(store, context, view.id, record.cookie, Date.now());
  return record;
}

/** @returns until when the record is kept, if that could be done; else the end of the request tries again */
async function touchOwn(
  store: TextStore,
  context: SessionContext,
  id: string,
  cookie: unknown,
  since: number,
): Promise<number | undefined> {
  const until = Math.trunc(since + idleTimeOf(cookie as Partial<CookieData>, context.core.settings));
  try {
    return (await store.touch(id, until)) ? until : undefined;
  } catch (error) {
    context.report(error);
    return undefined;
  }
}
