import { IdLock } from '../adapters/lock.js';
import type { SessionContext } from '../context.js';
import type { Cookie } from '../cookie.js';
import type { Core } from '../core.js';
import { SteadyError } from '../errors.js';
import { expiryOf, isOver } from '../lifetime.js';
import { changedKeys, type MergeFunction, mergeRecords, type SessionRecord } from '../merge.js';
import { type OwnedSession, ownerOf, revokeSessions, sessionsOf } from '../owners.js';
import { type Pointer, pointerOf, pointerText } from '../pointer.js';
import { dataText, parseRecord, recordText, UnreadRecord } from '../record.js';
import { type Callback, RESERVED, type Session } from '../session.js';
import type { Fate } from '../sockets.js';
import type { StoredView } from '../stored-view.js';
import type { SessionStore, SetOptions } from '../stores/store.js';
import { type Awaitable, andThen, isPromise, type TextStore } from './awaitable.js';
import { backOff } from './back-off.js';
import type { LoadCallback, StoreDriver } from './driver.js';
import { type Heritage, withHeritage } from './heritage.js';

/** How often a write is tried again when other requests keep changing the same session. */
const ATTEMPTS = 100;

const SECOND = 1000;

/** A request that takes no longer than this needs no second touch at its end, in milliseconds. */
const TOUCH_TOLERANCE = 5 * SECOND;

const EMPTY: SessionRecord = {};

/** A record that is about to be destroyed. It has the form of a session, since some stores keep nothing else. */
const DEAD: string = JSON.stringify({ cookie: { originalMaxAge: null, expires: null, movedTo: null } });

/** How many ids of one session are followed, so that a damaged store leads nobody round in a circle for ever. */
const MOST_HOPS = 1000;

/** How a {@link TextDriver} works, besides the options. */
export interface TextDriverMode {
  /** Compare and merge; otherwise the last write wins, as with express-session. */
  merge: boolean;
  /** The store keeps the cookie's new end of life in the record, as express-session's MemoryStore does. */
  rewriteOnTouch: boolean;
}

/**
 * Uses a store of text. A write names the text that it replaces, so that a change of another request in between is
 * seen, merged and kept, and a session that was destroyed in between stays so.
 */
export class TextDriver implements StoreDriver {
  readonly canTouch = true;
  readonly #core: Core;
  readonly #store: TextStore;
  readonly #mode: TextDriverMode;
  readonly #updates = new IdLock();

  constructor(core: Core, store: TextStore, mode: TextDriverMode) {
    this.#core = core;
    this.#store = store;
    this.#mode = mode;
  }

  load(context: SessionContext, id: string, done: LoadCallback): void {
    callBack(() => this.#load(context, id), done);
  }

  write(context: SessionContext, session: Session, data: string, done: Callback): void {
    callBack(() => this.#write(context, session, data), done);
  }

  touch(context: SessionContext, session: Session, data: string, done: Callback): void {
    callBack(() => this.#touch(context, session, data), done);
  }

  destroy(_context: SessionContext, id: string, done: Callback): void {
    callBack(() => this.#destroy(id), done);
  }

  /** Nothing is asked of the store yet: the new session is stored first, and then the old one destroyed. */
  regenerate(context: SessionContext, done: Callback): void {
    callBack(async () => {
      context.retire(context.req.sessionID);
      this.#core.generate(context.req);
    }, done);
  }

  /**
   * Runs `change` on a fresh copy of the stored session, together with what the request has changed itself, and stores
   * the result; runs it again when another request was faster. The live session then shows the result.
   */
  update<T>(
    context: SessionContext,
    session: Session,
    change: (draft: SessionRecord) => T | Promise<T>,
  ): Promise<T> {
    return this.#updates.run(session.id, () => this.#update(context, session, change));
  }

  #load(context: SessionContext, id: string, hops = 0): Awaitable<object | null> {
    const touchedUntil = this.#expiryBeforehand(context);
    return andThen(this.#get(id, touchedUntil), (text) => this.#found(context, id, text, touchedUntil, hops));
  }

  #found(
    context: SessionContext,
    id: string,
    text: string | undefined,
    touchedUntil: number | undefined,
    hops: number,
  ): Awaitable<object | null> {
    if (text === undefined || text === DEAD || hops > MOST_HOPS) return null;
    const pointer = this.#pointerOf(id, text);
    if (pointer) return this.#follow(context, id, pointer, hops);
    const record = (context.takesUnread && UnreadRecord.of(text)) || parseRecord(text);
    if (!record) {
      this.#core.reportUnusable(id, context.req);
      return null;
    }
    const view = context.viewOf(id);
    view.stored = view.seen = text;
    if (touchedUntil !== undefined) view.touchedUntil = touchedUntil;
    return record;
  }

  /** The id was rotated away: within the grace it still serves, after that its use is a sign of theft. */
  async #follow(
    context: SessionContext,
    id: string,
    { target, movedAt }: Pointer,
    hops: number,
  ): Promise<object | null> {
    const { rotateGrace, onReuse } = this.#core.settings;
    if (Date.now() - movedAt <= rotateGrace) {
      context.follow(target);
      return this.#load(context, target, hops + 1);
    }
    this.#core.events.emit('reuse', id, { req: context.req });
    if (onReuse === 'revoke') await this.#destroy(target, hops + 1);
    return null;
  }

  #write(context: SessionContext, session: Session, data = dataText(session)): Awaitable<void> {
    const mine = recordText(session, data);
    if (context.isDestroyed(session)) return this.#reject(this.#drop(context, session, mine));
    if (context.heritage && this.#mode.merge) return this.#succeed(context, session, context.heritage, mine);
    // a socket whose session was renamed, or loaded by callback, has not seen the record; it must not make it anew
    const unseen = context.isStored(session.id) && context.viewOf(session.id).stored === undefined;
    return unseen ? this.#writeAgain(context, session, mine, 0) : this.#tryToWrite(context, session, mine, 0);
  }

  #tryToWrite(context: SessionContext, session: Session, mine: string, attempt: number): Awaitable<void> {
    const text = this.#merged(context, session, mine);
    const written = this.#set(context, session, text, this.#mode.merge, cookieOf(session, mine, text));
    return andThen(written, (isWritten): Awaitable<void> => {
      if (!isWritten) return this.#writeAgain(context, session, mine, attempt + 1);
      const view = context.viewOf(session.id);
      view.stored = text;
      view.seen = mine;
      return undefined;
    });
  }

  /** Another request has stored the session meanwhile, or has ended it. */
  async #writeAgain(context: SessionContext, session: Session, mine: string, attempt: number): Promise<void> {
    if (!(await this.#readAgain(context, session))) {
      return this.#reject(this.#drop(context, session, mine));
    }
    if (attempt === ATTEMPTS) throw this.#tooManyConflicts();
    await backOff(attempt - 1);
    return this.#tryToWrite(context, session, mine, attempt);
  }

  /**
   * Stores a session that has data of the one under its former id, in exchange for that one, which must not have
   * changed at this moment. The new id is known to nobody before.
   */
  async #succeed(context: SessionContext, session: Session, heritage: Heritage, mine: string): Promise<void> {
    const view = context.viewOf(session.id);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const old = await this.#store.get(heritage.id);
      const pointer = old === undefined ? undefined : this.#pointerOf(heritage.id, old);
      if (pointer) return this.#succeed(context, session, { ...heritage, id: pointer.target }, mine);
      const record = old === undefined || old === DEAD ? undefined : parseRecord(old);
      if (old === undefined || !record) return this.#disinherit(context, session, heritage);
      const text = withHeritage(heritage, mine, record, this.#core.settings.merge);
      const stored = await this.#set(context, session, text, true);
      if (!stored) await this.#readAgain(context, session);
      else Object.assign(view, { stored: text, seen: mine });
      if (stored && (await this.#store.set(heritage.id, old, { expires: 0, expected: old }))) {
        context.heritage = undefined;
        return;
      }
      await backOff(attempt);
    }
    throw this.#tooManyConflicts();
  }

  /** The former session has been ended meanwhile: its data must not live on. What is new in this one may. */
  async #disinherit(context: SessionContext, session: Session, { keys }: Heritage): Promise<void> {
    const view = context.viewOf(session.id);
    context.heritage = undefined;
    view.seen = view.stored;
    for (const key of keys) delete (session as unknown as SessionRecord)[key];
    const error = this.#interrupted(context, session.id, keys);
    if (error && this.#core.settings.onInterrupted === 'error') {
      if (view.stored !== undefined) await this.#store.destroy(session.id);
      throw error;
    }
    return this.#write(context, session);
  }

  async #update<T>(
    context: SessionContext,
    session: Session,
    change: (draft: SessionRecord) => T | Promise<T>,
  ): Promise<T> {
    if (context.heritage && this.#mode.merge) await this.#write(context, session);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const mine = JSON.stringify(session);
      if (context.isDestroyed(session) || !(await this.#readAgain(context, session))) {
        this.#drop(context, session, mine);
        throw new SteadyError(
          'ERR_SESSION_GONE',
          'the session to update has been destroyed or has expired; ask the user to log in again',
        );
      }
      const before = this.#merged(context, session, mine);
      const draft = JSON.parse(before) as SessionRecord;
      const result = await change(draft);
      const text = JSON.stringify(draft);
      const view = context.viewOf(session.id);
      if (text === before) {
        view.seen = withCookieOf(view.stored, view.seen); // what the request has changed is left to its own save
        applyChanges(session, JSON.parse(mine), draft);
        return result;
      }
      if (await this.#toldSet(context, session, text, cookieOf(session, mine, before))) {
        view.stored = text;
        view.seen = withCookieOf(text, mine);
        context.stored(session.id);
        applyChanges(session, JSON.parse(mine), draft);
        if (dataText(session) === dataText(draft)) context.saved(session); // else the app has changed it meanwhile
        return result;
      }
      await backOff(attempt);
    }
    throw this.#tooManyConflicts();
  }

  /** Writes on behalf of `update()`, which no watched driver knows of. */
  async #toldSet(context: SessionContext, session: Session, text: string, cookie: Cookie): Promise<boolean> {
    const { events } = this.#core;
    const set = async () => this.#set(context, session, text, true, cookie);
    if (!events.isWatched('save')) return set();
    const name = context.isStored(session.id) ? 'save' : 'create';
    return new Promise((resolve, reject) => {
      events.watch(
        'save',
        session.id,
        context.req,
        (written: boolean) => (written ? name : undefined),
        (done) => callBack(set, done),
        (error, written) => (error ? reject(error) : resolve(written)),
      );
    });
  }

  /** Learns what is stored now. `false`: the session that was stored is gone. */
  async #readAgain(context: SessionContext, session: Session, hops = 0): Promise<boolean> {
    const view = context.viewOf(session.id);
    const wasStored = view.stored !== undefined || context.wasStored(session.id);
    const now = await this.#store.get(session.id);
    if (now === DEAD || (now === undefined && wasStored)) return false;
    const pointer = now === undefined ? undefined : this.#pointerOf(session.id, now);
    if (pointer) return hops < MOST_HOPS && this.#goAlong(context, session, pointer, hops);
    view.stored = now;
    return true;
  }

  /** Another request has rotated the id meanwhile; this one's changes follow. */
  #goAlong(context: SessionContext, session: Session, { target }: Pointer, hops: number): Promise<boolean> {
    const { seen } = context.viewOf(session.id);
    context.rename(session, target);
    context.viewOf(target).seen = seen;
    return this.#readAgain(context, session, hops + 1);
  }

  #pointerOf(id: string, text: string): Pointer | undefined {
    return this.#core.settings.rotateAfter > 0 ? pointerOf(id, text) : undefined;
  }

  /**
   * Destroys a session and, where ids are rotated, whatever it has become under another: a rotation that is under way
   * finds its record changed, and gives up.
   */
  async #destroy(id: string, hops = 0): Promise<void> {
    const pointer = this.#core.settings.rotateAfter > 0 ? await this.#bury(id) : undefined;
    if (pointer && hops < MOST_HOPS) await this.#destroy(pointer.target, hops + 1);
    await this.#store.destroy(id);
    this.#core.sockets.end(id);
  }

  /** Marks a record as dead. @returns the pointer that it is, if it is one: then it stays */
  async #bury(id: string): Promise<Pointer | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const text = await this.#store.get(id);
      const pointer = text === undefined ? undefined : pointerOf(id, text);
      if (text === undefined || pointer) return pointer;
      if (await this.#store.set(id, DEAD, { expires: Date.now() + SECOND, expected: text })) return undefined;
      await backOff(attempt);
    }
    throw this.#tooManyConflicts();
  }

  /** What has become of a session, for those who wait for its end. */
  async fateOf(id: string): Promise<Fate> {
    const text = await this.#store.get(id);
    const record = text === undefined ? undefined : parseRecord(text);
    if (text === undefined || text === DEAD || !record) return 'gone';
    const pointer = this.#pointerOf(id, text);
    if (pointer) return { movedTo: pointer.target };
    return isOver(record['cookie'] as Cookie, this.#core.settings, Date.now()) ? 'gone' : 'alive';
  }

  /** Stores the session under a new id, and leaves a pointer to it under the old one. */
  rotate(context: SessionContext, session: Session, done: Callback): void {
    callBack(() => this.#rotate(context, session), done);
  }

  async #rotate(context: SessionContext, session: Session): Promise<void> {
    const { genid } = this.#core.settings;
    const old = session.id;
    const view = context.viewOf(old);
    session.cookie.rotatedAt = Date.now();
    const mine = JSON.stringify(session);
    const target = genid(context.req);
    const expires = expiryOf(session.cookie, this.#core.settings, Date.now());
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const text = this.#merged(context, session, mine);
      const owner = this.#ownerOf(text);
      await this.#store.set(target, text, owner === undefined ? { expires } : { expires, owner });
      const pointer = pointerText(old, JSON.parse(text), { target, movedAt: Date.now() });
      if (await this.#store.set(old, pointer, { expires, expected: view.stored ?? null })) {
        context.rename(session, target);
        Object.assign(context.viewOf(target), { stored: text, seen: mine });
        context.saved(session);
        this.#core.sockets.move(old, target);
        this.#core.events.emit('rotate', old, { req: context.req });
        return;
      }
      const found = await this.#readAgain(context, session);
      if (!found || session.id !== old) {
        await this.#store.destroy(target);
        return found ? this.#write(context, session) : this.#reject(this.#drop(context, session, mine));
      }
      await backOff(attempt);
    }
    throw this.#tooManyConflicts();
  }

  #set(
    context: SessionContext,
    session: Session,
    text: string,
    compare: boolean,
    cookie: Cookie = session.cookie,
  ): Awaitable<boolean> {
    const how: SetOptions = { expires: expiryOf(cookie, this.#core.settings, Date.now()) };
    const view = context.viewOf(session.id);
    if (compare) how.expected = view.stored ?? null;
    const owner = this.#ownerOf(text);
    if (owner !== undefined) how.owner = owner;
    return andThen(this.#store.set(session.id, text, how), (written) => {
      if (written) view.touchedUntil = how.expires;
      return written;
    });
  }

  /** What to store: `mine`, or, if others have written since this request last saw the record, both changes. */
  #merged(context: SessionContext, session: Session, mine: string): string {
    const view = context.viewOf(session.id);
    const text = mergedText(view, mine, this.#core.settings.merge);
    if (text !== mine) {
      const keys = changedKeys(recordOf(view.seen), recordOf(view.stored));
      this.#core.events.emit('conflict', session.id, { req: context.req, keys });
    }
    return text;
  }

  /**
   * The expiry that this request will give the session if it only reads it, as far as that is known before; the store
   * can then read and touch in one round trip. The end of the request corrects it if the session has its own.
   */
  #expiryBeforehand({ core, req }: SessionContext): number | undefined {
    const { settings } = core;
    const indexed = settings.owner !== undefined && this.#store.owned !== undefined;
    const perRecord = indexed || settings.touchAfter > 0 || settings.absoluteTimeout > 0 || settings.resave;
    if (!this.#store.getAndTouch || perRecord || settings.idleTime === undefined || !settings.touch(req))
      return undefined;
    return Date.now() + settings.idleTime;
  }

  #get(id: string, touchUntil: number | undefined): Awaitable<string | undefined> {
    const store = this.#store;
    return touchUntil !== undefined && store.getAndTouch ? store.getAndTouch(id, touchUntil) : store.get(id);
  }

  #touch(context: SessionContext, session: Session, data: string): Awaitable<void> {
    const view = context.viewOf(session.id);
    const { stored, seen, touchedUntil } = view;
    const until = expiryOf(this.#mergedCookie(view, session, data), this.#core.settings, Date.now());
    const isFresh = touchedUntil !== undefined && Math.abs(until - touchedUntil) < TOUCH_TOLERANCE;
    if (isFresh && !this.#mode.rewriteOnTouch) return undefined;
    const rewrites = this.#mode.rewriteOnTouch && stored !== undefined && stored === seen;
    const text = rewrites ? recordText(session, data, stored) : stored;
    if (text === undefined || text === stored) return this.#prolong(context, session, stored, until);
    return andThen(this.#set(context, session, text, true), (written) => {
      if (!written) return this.#prolong(context, session, stored, until);
      view.stored = view.seen = text;
    });
  }

  #prolong(
    context: SessionContext,
    session: Session,
    stored: string | undefined,
    until: number,
  ): Awaitable<void> {
    const owner = this.#ownerOf(stored);
    const found =
      owner !== undefined
        ? this.#store.touch(session.id, until, owner)
        : this.#store.touch(session.id, until);
    return andThen(found, (isThere) => {
      if (!isThere) context.interrupt(session);
    });
  }

  #mergedCookie(view: StoredView, session: Session, data: string): Cookie {
    if (view.stored === view.seen) return session.cookie;
    const mine = recordText(session, data);
    return cookieOf(session, mine, mergedText(view, mine, this.#core.settings.merge));
  }

  /** The session has gone meanwhile, and stays so: nothing is written. @returns what to say of it, if there were changes */
  #drop(context: SessionContext, session: Session, mine: string): SteadyError | undefined {
    context.interrupt(session);
    const { seen } = context.viewOf(session.id);
    const keys = changedKeys(recordOf(seen), JSON.parse(mine)).filter((key) => key !== 'cookie');
    return this.#interrupted(context, session.id, keys);
  }

  #interrupted(context: SessionContext, id: string, keys: readonly string[]): SteadyError | undefined {
    if (keys.length === 0) return undefined;
    const error = new SteadyError(
      'ERR_SESSION_INTERRUPTED',
      'changes to a session were dropped, since it had been destroyed or had expired meanwhile',
    );
    this.#core.events.emit('interrupted', id, { req: context.req, keys: [...keys], error });
    return error;
  }

  #reject(error: SteadyError | undefined): void {
    if (error && this.#core.settings.onInterrupted === 'error') throw error;
  }

  /** For the store's index, if it has one. */
  #ownerOf(text: string | undefined): string | undefined {
    const option = this.#store.owned && this.#core.settings.owner;
    const record = option && text !== undefined ? parseRecord(text) : undefined;
    return record && ownerOf(record, option);
  }

  /** A user's live sessions. */
  of(owner: string): AsyncGenerator<OwnedSession> {
    return sessionsOf(this.#core, this.#store as SessionStore, owner);
  }

  /** Destroys a user's sessions, but `except`. */
  revoke(owner: string, except?: string): Promise<number> {
    return revokeSessions(this.#core, this.#store as SessionStore, owner, except);
  }

  #tooManyConflicts(): SteadyError {
    return new SteadyError(
      'ERR_SESSION_CONFLICT',
      `a session could not be stored in ${ATTEMPTS} attempts, since others kept changing it; write to it less often`,
    );
  }
}

/** The session with the changes of both sides; `mine` itself if nobody else has written. */
function mergedText({ stored, seen }: StoredView, mine: string, decide: MergeFunction): string {
  const theirs = stored === seen || stored === undefined ? undefined : parseRecord(stored);
  return theirs ? JSON.stringify(mergeRecords(recordOf(seen), JSON.parse(mine), theirs, decide)) : mine;
}

function recordOf(text: string | undefined): SessionRecord {
  return text === undefined ? EMPTY : JSON.parse(text);
}

/** The cookie of what is to be stored: the session's own, unless another request's has been merged in. */
function cookieOf(session: Session, mine: string, text: string): Cookie {
  const merged = text === mine ? undefined : (parseRecord(text)?.['cookie'] as SessionRecord | undefined);
  if (!merged) return session.cookie;
  const { expires } = merged;
  return { ...merged, expires: typeof expires === 'string' ? new Date(expires) : null } as unknown as Cookie;
}

/**
 * What the live session looks like when it has taken over all data of a stored text but not the cookie, which stays as
 * the request has it.
 */
function withCookieOf(text: string | undefined, own: string | undefined): string | undefined {
  if (text === undefined || own === undefined || text === own) return text;
  const { cookie } = JSON.parse(own) as SessionRecord;
  return JSON.stringify({ ...JSON.parse(text), cookie });
}

/** Makes the live session show what has changed from one record to another. Its cookie stays. */
function applyChanges(session: Session, before: SessionRecord, after: SessionRecord): void {
  const live = session as unknown as SessionRecord;
  for (const key of changedKeys(before, after)) {
    if (key === 'cookie' || RESERVED.has(key)) continue;
    if (Object.hasOwn(after, key)) live[key] = after[key];
    else delete live[key];
  }
}

/** Calls back with what an operation comes to. An error that the callback itself throws is not taken for the store's. */
function callBack<T>(operation: () => Awaitable<T>, done: (error: unknown, value?: T) => void): void {
  const fail = (error: unknown) => done(error ?? new Error('the session store failed without an error'));
  let value: Awaitable<T>;
  try {
    value = operation();
  } catch (error) {
    return fail(error);
  }
  if (isPromise(value)) value.then((result) => done(undefined, result), fail);
  else done(undefined, value as T);
}
