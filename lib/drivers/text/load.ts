import type { Pointer } from '../../pointer.js';
import { parseRecord, UnreadRecord } from '../../record.js';
import type { SessionContext } from '../../request/context.js';
import { type Awaitable, andThen, type TextStore } from '../awaitable.js';
import { destroy } from './destroy.js';
import { lineOf } from './fate.js';
import { DEAD, MOST_HOPS, type TextRecords } from './records.js';

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
    ? follow(records, context, id, pointer, hops)
    : found(records, context, id, text, touchedUntil);
}

/**
 * The expiry that this request will give the session if it only reads it, as far as that is known before; the store
 * can then read and touch in one round trip. The end of the request corrects it if the session has its own.
 */
function expiryBeforehand({ core, store }: TextRecords, { req }: SessionContext): number | undefined {
  const { settings } = core;
  const indexed = settings.owner !== undefined && store.owned !== undefined;
  const perRecord = indexed || settings.touchAfter > 0 || settings.absoluteTimeout > 0 || settings.resave;
  if (!store.getAndTouch || perRecord || settings.idleTime === undefined || !settings.touch(req))
    return undefined;
  return Date.now() + settings.idleTime;
}

function get(store: TextStore, id: string, touchUntil: number | undefined): Awaitable<string | undefined> {
  return touchUntil !== undefined && store.getAndTouch ? store.getAndTouch(id, touchUntil) : store.get(id);
}

/** The id was rotated away: within the grace it still serves, after that its use is a sign of theft. */
async function follow(
  records: TextRecords,
  context: SessionContext,
  id: string,
  { target, movedAt }: Pointer,
  hops: number,
): Promise<object | null> {
  const { settings, events } = records.core;
  const { rotateGrace, onReuse } = settings;
  if (Date.now() - movedAt <= rotateGrace) {
    context.follow(target);
    return load(records, context, target, hops + 1);
  }
  if (await bringsPresentId(records, context, target)) return null;
  events.emit('reuse', id, { req: context.req });
  if (onReuse === 'revoke') await destroy(records, target, hops + 1);
  return null;
}

/** Whoever has the session's present cookie too has just kept an old one, as browsers do of another path. */
async function bringsPresentId(
  records: TextRecords,
  { identities }: SessionContext,
  target: string,
): Promise<boolean> {
  if (identities.length === 1) return false;
  const line = await lineOf(records, target);
  return identities.some(({ id }) => id === line.at(-1));
}

function found(
  { core, store }: TextRecords,
  context: SessionContext,
  id: string,
  text: string,
  touchedUntil: number | undefined,
): object | null {
  const unread = context.takesUnread ? UnreadRecord.of(text) : undefined;
  const record = unread ?? parseRecord(text) ?? (store.isSession?.(id) ? JSON.parse(text) : undefined);
  if (!record) {
    core.reportUnusable(id, context.req);
    return null;
  }
  const view = context.viewOf(id);
  view.stored = view.seen = text;
  view.read = unread;
  if (touchedUntil !== undefined) view.touchedUntil = touchedUntil;
  return record;
}
