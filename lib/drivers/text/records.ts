import type { Cookie } from '../../cookies/cookie.js';
import type { Core } from '../../core.js';
import { expiryOf } from '../../lifetime.js';
import { mayBeForgotten, ownerOrNone } from '../../owners.js';
import { MOST_HOPS, type Pointer, pointerOf } from '../../pointer.js';
import { parseRecord } from '../../record.js';
import type { SessionContext } from '../../request/context.js';
import { learn, type StoredView } from '../../request/stored-view.js';
import type { Session } from '../../session.js';
import type { SetOptions } from '../../stores/store.js';
import { type Awaitable, andThen, type TextStore } from '../awaitable.js';
import { hasOthersText, keysNotStored, keysOfOthers, mergedText, noteTried } from './merged-text.js';

/** A record that is about to be destroyed. It has the form of a session, since some stores keep nothing else. */
export const DEAD: string = JSON.stringify({
  cookie: { originalMaxAge: null, expires: null, movedTo: null },
});

/** How a `TextDriver` works, besides the options. */
export interface TextDriverMode {
  /** Compare and merge; otherwise the last write wins, as with express-session. */
  merge: boolean;
  /** The store keeps the cookie's new end of life in the record, as express-session's MemoryStore does. */
  rewriteOnTouch: boolean;
}

/** Whether another request has changed data that this one has changed in another way: the later change hides the earlier one. */
function hasLost(view: StoredView, mine: string): boolean {
  if (!hasOthersText(view)) return false;
  const different = keysNotStored(view, mine);
  return keysOfOthers(view).some((key) => key !== 'cookie' && different.includes(key));
}

function noteExpiry(written: boolean, view: StoredView, expires: number): boolean {
  if (written) view.touchedUntil = expires;
  return written;
}

/** A store's records, and how a request brings what it knows of them and what they are together. */
export class TextRecords {
  readonly core: Core;
  readonly store: TextStore;
  readonly mode: TextDriverMode;

  constructor(core: Core, store: TextStore, mode: TextDriverMode) {
    this.core = core;
    this.store = store;
    this.mode = mode;
  }

  /**
   * Stores the session as `text`, for as long as `cookie` says.
   * @param expected what has to be stored now, or `null` for nothing; else `false`. `undefined`: it doesn't matter.
   */
  set(
    context: SessionContext,
    session: Session,
    text: string,
    expected: string | null | undefined,
    cookie: Cookie = session.cookie,
  ): Awaitable<boolean> {
    const expires = expiryOf(cookie, this.core.settings, Date.now());
    const view = context.viewOf(session);
    const how: SetOptions = expected === undefined ? { expires } : { expires, expected };
    const owner = this.ownerOf(context, text);
    if (owner !== undefined) how.owner = owner;
    return andThen(this.store.set(session.id, text, how), noteExpiry, view, expires);
  }

  /** Learns what is stored now, also of a session that gets another id meanwhile. `false`: the session that was stored is gone. */
  async readAgain(context: SessionContext, session: Session, hops = 0): Promise<boolean> {
    const { id } = session;
    const view = context.viewOf(session, id);
    const wasStored = view.stored !== undefined || context.isKnown(id);
    const { learnt } = view;
    const now = await this.store.get(id);
    const isOutdated = view.learnt !== learnt && view.stored !== undefined && session.id === id;
    if (isOutdated) {
      // what has been learnt meanwhile is later, or a write that expects it will tell
      noteTried(view);
      return true;
    }
    const isRenamed = session.id !== id && !context.ending.cleared;
    if (isRenamed) return hops < MOST_HOPS && this.readAgain(context, session, hops + 1);
    if (now === DEAD || (now === undefined && wasStored)) return false;
    const pointer = now === undefined ? undefined : this.pointerOf(session.id, now);
    if (pointer) return hops < MOST_HOPS && this.#goAlong(context, session, pointer, hops);
    learn(view, now);
    view.reads++;
    noteTried(view);
    return true;
  }

  /** Another request has rotated the id meanwhile; this one's changes follow. */
  #goAlong(context: SessionContext, session: Session, { target }: Pointer, hops: number): Promise<boolean> {
    this.core.sockets.move(session.id, target);
    context.rename(session, target);
    return this.readAgain(context, session, hops + 1);
  }

  /** What to store: `mine`, or, if others have written since this request last saw the record, both changes. */
  merged(context: SessionContext, session: Session, mine: string): string {
    const view = context.viewOf(session);
    const text = mergedText(view, mine, this.core.settings.merge);
    if (text !== mine || hasLost(view, mine)) this.#tellOfConflict(context, session, keysOfOthers(view));
    return text;
  }

  #tellOfConflict({ req }: SessionContext, { id }: Session, keys: string[]): void {
    if (keys.length > 0) this.core.events.emit('conflict', id, { req, keys });
  }

  /** Where the session under this id has moved to, if that is what is stored. */
  pointerOf(id: string, text: string): Pointer | undefined {
    return this.core.settings.rotateAfter > 0 ? pointerOf(id, text) : undefined;
  }

  /** For the store's index, if it has one. A session whose owner can't be told is stored without. */
  ownerOf(context: SessionContext, text: string | undefined): string | undefined {
    const option = this.store.owned && this.core.settings.owner;
    if (!option || text === undefined) return undefined;
    const record = parseRecord(text);
    return record && ownerOrNone(record, option, (error) => context.report(error));
  }

  /** The same of a session that is to end, if the index may forget it. */
  formerOwnerOf(context: SessionContext, text: string | undefined): string | undefined {
    return mayBeForgotten(this.core, this.store) ? this.ownerOf(context, text) : undefined;
  }
}
