import type { IncomingMessage } from 'node:http';
import parseUrl from 'parseurl';
import {
  adviseOnCookieSize,
  adviseOnLateChange,
  adviseOnRecordSize,
  adviseOnUnreachable,
  adviseOnWithheldCookie,
} from './advice.js';
import type { Cookie } from './cookie.js';
import { restoreCookie, serializeExpired } from './cookie.js';
import type { Core } from './core.js';
import type { DecisionMade } from './decisions.js';
import type { StoreDriver } from './drivers/driver.js';
import { type Heritage, narrowed } from './drivers/heritage.js';
import { SteadyError } from './errors.js';
import { exposeSession } from './exposed-session.js';
import { SessionHistory } from './history.js';
import type { Identity } from './identify.js';
import { InFlight } from './in-flight.js';
import { cookieAction, type SessionFacts, type SessionState, storeAction } from './lifecycle.js';
import { dateIfUndated, expiryOf, isOver, limit, rotationIsDue, touchIsDue } from './lifetime.js';
import { lookLater } from './look-later.js';
import { changedKeys, type SessionRecord } from './merge.js';
import { randomId } from './random-id.js';
import { dataText, dataTextOf, jsonOf, NO_DATA, UnreadRecord } from './record.js';
import { contextOf, setContext } from './request-slot.js';
import { afterUnwinding, type EndListener, type HeldEnd, type Unwinding } from './response.js';
import { assignData, type Callback, Session, type SessionRequest } from './session.js';
import { type Secret, sign } from './signature.js';
import { type StoredView, StoredViews } from './stored-view.js';
import { expireStrays } from './stray-cookies.js';

export type Next = (error?: unknown) => void;

/** Messages over a socket prolong a session no more often than this, in milliseconds. */
const KEEP_ALIVE = 1000;

const PRESENT: ReadonlySet<SessionState> = new Set(['new', 'unchanged', 'modified']);

/** What a commit does to the store. */
type Commit = 'nothing' | 'save' | 'merge' | 'touch' | 'rotate' | 'retire';

/** A request, before or after it got its session. */
export type IncomingRequest = IncomingMessage &
  Partial<Omit<SessionRequest, keyof IncomingMessage>> &
  CookieParsed;

/** What `cookie-parser` puts on a request. */
interface CookieParsed {
  secret?: Secret;
  cookies?: Record<string, unknown>;
  signedCookies?: Record<string, unknown>;
}

/**
 * The life of one session in one request: begun or loaded, changed by the app, committed when the response ends, and
 * settled when it is over.
 */
export class SessionContext implements EndListener, Unwinding {
  readonly core: Core;
  readonly req: SessionRequest;
  readonly #next: Next;
  #driver: StoreDriver;

  /** The ids that verified cookies brought, and the one whose session it is. */
  readonly #identities: readonly Identity[];
  #identity: Identity | undefined;
  readonly #history = new SessionHistory();
  #storedId: string | undefined;
  #views: StoredViews | undefined;
  /** Ids that this session had before; their records go as soon as the new one is stored. */
  #retiredIds: string[] | undefined;
  /** What the session has of the one under its former id, until that is settled. */
  heritage: Heritage | undefined;
  /** Ids that `regenerate()` has replaced; their sockets hear of it when the new session is stored. */
  #leftIds: string[] | undefined;

  /** The app is to find a session on the request. It may not have been made yet. */
  #begun = false;
  #session: Session | null | undefined;
  /** The session is new, and nobody has looked at it: it has its id, and that is all. */
  #unmade = false;
  /** The stored data of a session that nobody has looked at: it has its cookie, and that is all. */
  #unread: UnreadRecord | undefined;
  #over = false;
  /** The id has been rotated, and the browser does not know it yet. */
  #renamed = false;
  #moved: Identity | undefined;
  #touched = false;
  /** The stored record does not say yet when the session began. */
  #undated = false;
  #isSocket = false;
  #keptAliveAt = 0;
  /** When a socket's session should be over unless it is prolonged, in epoch milliseconds, as far as this process knows. */
  livesUntil: number = Infinity;
  #cookieSent = false;
  #headersLeft = false;
  #cleared = false;
  /** The session that the app has destroyed, and the one that was found to be gone. */
  #destroyedId: string | undefined;
  #interruptedId: string | undefined;
  #failed = false;
  /** The cookie of a session that is gone: the browser's is expired with the same attributes. */
  #lastCookie: Cookie | undefined;

  /** What the app has asked for; the end of the response waits for it, whether or not the app does. */
  #inFlight: InFlight | undefined;
  #settling: 'waiting' | 'due' | 'done' = 'waiting';
  #committing = false;

  constructor(core: Core, req: IncomingRequest, next: Next, identities: readonly Identity[]) {
    this.core = core;
    this.req = req as SessionRequest;
    this.#next = next;
    this.#driver = core.driver;
    this.#identities = identities;
    this.#identity = identities[0];
    setContext(req, this);
  }

  // ---- Beginning: a new session, or the one that the cookie names

  #begin(): void {
    exposeSession(this.req);
    if (this.core.beginsUnseen) {
      this.#unmade = true;
      this.#begun = true;
      (this.req as { sessionID: string }).sessionID = randomId();
      return;
    }
    this.core.begin(this.req);
    this.#remember(dataText(this.req.session as Session));
  }

  // ---- req.session: made when somebody looks at it

  get exposed(): Session | null | undefined {
    if (this.#unmade) this.#make();
    else if (this.#unread) this.#read(this.#unread);
    return this.#session;
  }

  set exposed(session: Session | null | undefined) {
    if (this.#unmade) this.#make();
    this.#unread = undefined;
    this.#session = session;
  }

  #make(): void {
    this.#unmade = false;
    this.core.beginUnder(this.req);
    this.#remember(dataText(this.#session as Session));
    if (this.#over) this.closed();
  }

  #read(unread: UnreadRecord): void {
    this.#unread = undefined;
    const data = unread.read();
    const session = this.#session as Session;
    const { cookie } = session;
    if (data) assignData(session, data);
    session.cookie = cookie;
    if (!data) {
      this.core.reportUnusable(this.req.sessionID, this.req);
      this.#identity = undefined;
      this.#storedId = undefined;
      this.core.begin(this.req);
      this.#remember(dataText(this.#session as Session));
    }
    if (this.#over) this.closed();
  }

  /** Nobody has looked at the new session, so that there is nothing to store or to send. */
  get #isUntouched(): boolean {
    const { policy, decisions } = this.core;
    return this.#unmade && !policy.saveUninitialized && !decisions.areObserved && 'session' in this.req;
  }

  /** Whether the app finds a session on the request. Doesn't make it look at it. */
  get isServing(): boolean {
    if (this.#unmade || this.#unread) return 'session' in this.req;
    return Boolean(this.req.session);
  }

  /** Whether the store may leave a session unread that nobody may ever look at. */
  get takesUnread(): boolean {
    return !this.#begun && this.core.restoresUnseen && this.core.settings.rotateAfter === 0;
  }

  /** Loads the first of the cookies' sessions that is live, or begins a new one. */
  load(done: Next, from = 0): void {
    const identity = this.#identities[from];
    if (!identity) return this.#beginning(done);
    this.req.sessionID = identity.id;
    this.#renamed = false;
    this.#moved = undefined;
    this.#driver.load(this, identity.id, (error, data) => {
      if (error && (error as NodeJS.ErrnoException).code !== 'ENOENT') return done(error);
      if (!error && data && this.#isOver(data)) return this.#expire(identity, done, from);
      if (!error && data) return this.#beginning(done, identity, data);
      this.load(done, from + 1);
    });
  }

  #isOver(data: object): boolean {
    const { cookie } = data as { cookie?: Cookie };
    return Boolean(cookie) && isOver(cookie as Cookie, this.core.settings, Date.now());
  }

  /** The session that a cookie names is stored under another id now. */
  follow(id: string): void {
    this.#renamed = true;
    this.#moved = { id, signedByOldSecret: false };
  }

  /** The session has reached its absolute end. */
  #expire(identity: Identity, done: Next, from: number): void {
    this.core.events.emit('expire', identity.id, { req: this.req });
    this.#destroyRecord(identity.id, (error) => (error ? done(error) : this.load(done, from + 1)));
  }

  #beginning(done: Next, identity?: Identity, data?: object): void {
    try {
      if (identity && data) this.#inflate(identity, data);
      else this.#begin();
    } catch (failure) {
      return done(failure);
    }
    done();
  }

  #inflate(identity: Identity, data: object): void {
    this.#identity = this.#moved ?? identity;
    this.#storedId = this.#identity.id;
    this.req.sessionID = this.#identity.id;
    exposeSession(this.req);
    const text = data instanceof UnreadRecord ? this.#adopt(data) : this.#restore(data);
    const cookie = this.#session?.cookie;
    if (cookie) this.#undated = dateIfUndated(cookie, this.core.settings, Date.now());
    this.#remember(text);
    if (!this.core.settings.resave) this.#history.loadedIsSaved();
  }

  /** @returns the text of the data */
  #adopt(unread: UnreadRecord): string {
    const session = new Session(this.req);
    session.cookie = restoreCookie(unread.cookie);
    this.#session = session;
    this.#unread = unread;
    return unread.data;
  }

  #restore(data: object): string {
    const stored = this.#views?.textOf(this.req.sessionID);
    const text = stored === undefined ? undefined : dataTextOf(stored, data as SessionRecord);
    this.core.createSession(this.req, data);
    return text ?? dataText(data);
  }

  #remember(text: string): void {
    this.#begun = true;
    this.#lastCookie = this.#session?.cookie;
    this.#history.begin(this.req.sessionID, text, this.#lastCookie, this.core.settings.trackCookie);
  }

  // ---- What the app asks for while it has the request: req.session.save() and its siblings

  save(session: Session, done: Callback): void {
    let text: string;
    try {
      text = dataText(session);
    } catch (error) {
      return done(error);
    }
    this.#prolongSocket(session);
    const undo = this.#history.saved(session.id, text);
    this.#run(
      (error) => {
        // The app need not look at the outcome: the end of the response then tries again, and fails where it matters.
        if (error && this.core.settings.saveFailure === 'error') undo();
        done(error);
      },
      (finished) => this.#write(session, text, finished),
    );
  }

  reload(session: Session, done: Callback): void {
    this.#run(done, (finished) =>
      this.#driver.load(this, session.id, (error, data) => {
        if (error) return finished(error);
        if (!data) {
          if (this.#isSocket) this.interrupt(session);
          return finished(new Error('failed to load session'));
        }
        try {
          this.core.createSession(this.req, data);
          this.#prolongSocket(this.req.session as Session);
        } catch (unusable) {
          return finished(unusable);
        }
        finished();
      }),
    );
  }

  destroy(session: Session, done: Callback): void {
    const { id } = session;
    this.#destroyedId = id;
    this.#lastCookie = session.cookie;
    this.#run(done, (finished) => this.#destroyRecord(id, finished));
  }

  #destroyRecord(id: string, done: Callback): void {
    this.#driver.destroy(this, id, (error) => {
      if (!error) this.core.sockets.end(id);
      done(error);
    });
  }

  regenerate(done: Callback): void {
    if (this.#isSocket) {
      const text =
        'a session can get no new id over a socket, since no cookie can go out: regenerate it in an HTTP request, ' +
        'or in the upgrade option of websocket()';
      return done(new SteadyError('ERR_SESSION_NO_RESPONSE', text));
    }
    this.#leftIds = [...(this.#leftIds ?? []), this.req.sessionID];
    this.#run(done, (finished) => this.#driver.regenerate(this, finished));
  }

  #run(done: Callback, operation: (finished: Callback) => void): void {
    this.#inFlight ??= new InFlight();
    this.#inFlight.run(done, operation);
  }

  update<T>(session: Session, change: (data: SessionRecord) => T | Promise<T>): Promise<T> {
    this.#prolongSocket(session);
    return new Promise((resolve, reject) => {
      let result: T;
      const settled: Callback = (error) => (error ? reject(error) : resolve(result));
      this.#run(settled, (finished) => {
        this.core.updater.update(this, session, change).then((value) => {
          result = value;
          finished();
        }, finished);
      });
    });
  }

  /** Some stores write to the session that they are given: that is no change of the app's. */
  handedOver(session: Session): void {
    this.#history.committedText = dataText(session);
  }

  /** The session has just been stored as it is. */
  saved(session: Session): void {
    this.#history.saved(session.id, dataText(session));
  }

  /** What `regenerate()` carries over from the session's present id, if there is anything that others may change. */
  bequeath(session: Session, keep: true | readonly string[], keys: readonly string[]): Heritage | undefined {
    if (this.heritage) return narrowed(this.heritage, keep, keys);
    const { seen } = this.viewOf(session.id);
    const nothing = keep !== true && keep.length === 0;
    if (nothing || seen === undefined || !this.wasStored(session.id)) return undefined;
    return { id: session.id, keep, keys, base: JSON.parse(seen) };
  }

  clear(session: Session): void {
    this.#cleared = true;
    this.heritage = undefined;
    this.#lastCookie = session.cookie;
    this.retire(session.id);
    this.core.renew(session);
    if (this.#isSocket) this.#destroyRetired((error) => error && this.report(error)); // there is no response to wait for
  }

  /** The record under this id is to go once the session has been stored under another, or has been cleared. */
  retire(id: string): void {
    if (this.wasStored(id) && !this.#retiredIds?.includes(id)) this.#retire(id);
  }

  #retire(id: string): void {
    this.#retiredIds = [...(this.#retiredIds ?? []), id];
  }

  /** The session goes on under another id: this request, or one at the same time, has rotated it. */
  rename(session: Session, id: string): void {
    this.core.rename(session, id);
    this.#renamed = true;
    this.#identity = { id, signedByOldSecret: false };
    this.#history.originalId = id;
    this.#storedId = id;
  }

  /** As `rename`, for a socket whose session another request has given a new id. */
  followTo(id: string): void {
    const session = this.#current();
    const { seen } = this.viewOf(this.req.sessionID);
    if (session) this.rename(session, id);
    else this.req.sessionID = id;
    this.viewOf(id).seen = seen;
  }

  /** The handshake has been answered: from here on others change the session too, and no cookie can go out. */
  becomeSocket(): void {
    this.#isSocket = true;
    this.#driver = this.core.socketDriver;
    const session = this.#current();
    if (!session) return;
    const view = this.viewOf(session.id);
    const { committedText } = this.#history;
    if (view.stored === undefined) view.seen = committedText && jsonOf(committedText);
    this.#keptAliveAt = session.cookie.touchedAt ?? Date.now();
    this.livesUntil = expiryOf(session.cookie, this.core.settings, Date.now());
  }

  /** A message has come over a socket: the session's lifetime starts anew, now and then. */
  keepAlive(): void {
    const session = this.#current();
    const { settings } = this.core;
    if (!session || Date.now() - this.#keptAliveAt < Math.max(settings.touchAfter, KEEP_ALIVE)) return;
    this.#keptAliveAt = Date.now();
    if (!settings.touch(this.req) || !this.wasStored(session.id)) return;
    this.#prolongSocket(session);
    this.#driver.touch(this, session, this.#dataOf(session), (error) => error && this.report(error));
  }

  /** A socket may outlive the lifetime that its request gave the session: whatever it stores starts a new one. */
  #prolongSocket(session: Session): void {
    if (!this.#isSocket) return;
    this.#touched = false;
    this.#touch(session);
  }

  /** Whether there is a record under this id, as far as this request knows. */
  isStored(id: string): boolean {
    return id === this.#storedId;
  }

  /** Whether there is, was, or may be just now, a record under this id. */
  wasStored(id: string): boolean {
    return id === this.#identity?.id || this.#history.hasSaved(id);
  }

  /** What is known of the stored session; for stores of text. There are several only if the id has changed. */
  viewOf(id: string): StoredView {
    this.#views ??= new StoredViews();
    return this.#views.of(id, id === this.#history.originalId ? this.#history.originalText : undefined);
  }

  /** The store has no such session any more: another request destroyed it, or it expired. It stays so. */
  interrupt(session: Session): void {
    this.#interruptedId = session.id;
    this.core.sockets.end(session.id);
  }

  isDestroyed(session: Session): boolean {
    return session.id === this.#destroyedId || session.id === this.#interruptedId;
  }

  // ---- The end: the response is held, the session committed, the headers leave

  beforeEnd(end: HeldEnd): void {
    if (this.#inFlight) this.#inFlight.whenIdle(() => this.#commit(end));
    else this.#commit(end);
  }

  #commit(end: HeldEnd): void {
    if (!this.#begun || this.#failed || this.#isUntouched) return end.done();
    let commit: Commit;
    try {
      commit = this.#decide();
    } catch (error) {
      this.#failed = true; // it can't be serialized: saying so once is enough
      return this.#commitFailed(error, end);
    }
    if (commit === 'nothing') return end.done();
    this.#committing = true;
    this.#carryOut(commit, (error) => {
      this.#committing = false;
      if (this.#settling === 'due') this.#settle();
      if (error) this.#commitFailed(error, end);
      else end.done();
    });
  }

  /** What is to be done with the store, by the lifecycle table. */
  #decide(): Commit {
    const session = this.#current();
    const text = session && this.#dataOf(session);
    const facts = this.#facts(session, text);
    this.#history.committedText = text;
    const { policy, settings } = this.core;
    const action = storeAction(facts, policy);
    this.#tell(facts, { what: 'store', action });
    const idle = action === 'nothing' && !facts.touches;
    if (session && facts.state !== 'cleared' && !idle) this.#touch(session);
    if (action === 'create' && this.#isUnreachable()) return 'nothing';
    if (session && !idle && this.#rotates(session, facts)) return 'rotate';
    if (action === 'write' || action === 'create') {
      this.#history.saved((session as Session).id, text);
      adviseOnRecordSize(text?.length ?? 0, settings.largeSession);
      return 'save';
    }
    // with `touchAfter` the record itself has to say when it was touched; not at the cost of another request's change
    if (action === 'touch') return settings.touchAfter > 0 || this.#undated ? 'merge' : 'touch';
    if (action === 'delete' && facts.state !== 'cleared') this.#retire(this.#id());
    return this.#retiredIds ? 'retire' : 'nothing';
  }

  #carryOut(commit: Exclude<Commit, 'nothing'>, done: Callback): void {
    if (commit === 'retire') return this.#destroyRetired(done);
    const session = this.#current() as Session;
    const text = this.#history.committedText as string;
    if (commit === 'rotate') this.core.rotate(this, session, done);
    else if (commit === 'save') this.#saveBy(session, text, done);
    else if (commit === 'merge') this.core.socketDriver.write(this, session, text, done);
    else this.#driver.touch(this, session, text, done);
  }

  /** An id that can still be told to the browser is replaced when its time has come. */
  #rotates(session: Session, { known, state }: SessionFacts): boolean {
    const due = known && PRESENT.has(state) && !this.#headersLeft;
    return due && rotationIsDue(session.cookie, this.core.settings, Date.now());
  }

  /** A new session that came too late for its cookie. */
  #isUnreachable(): boolean {
    if (!this.#headersLeft || this.#cookieSent) return false;
    const drop = !this.core.settings.storeUnreachable;
    adviseOnUnreachable(drop);
    return drop;
  }

  /** An app may have put a `save` of its own on the session, to watch it or to prevent it. */
  #saveBy(session: Session, data: string, done: Callback): void {
    if (session.save === Session.prototype.save) this.#write(session, data, done);
    else session.save(done);
  }

  /** The new record is there before the old one goes, so that a failure loses neither. */
  #write(session: Session, data: string, done: Callback): void {
    this.#driver.write(this, session, data, (error) => {
      if (!error) this.stored(session.id);
      const savesInFlight = (this.#inFlight?.count ?? 0) > 1; // one of the old record, maybe: the commit comes after it
      if (error || !this.#retiredIds || savesInFlight) done(error);
      else this.#destroyRetired(done);
    });
  }

  /** There is a record under this id now. The sockets of a session that was regenerated may go along with it. */
  stored(id: string): void {
    this.#storedId = id;
    for (const left of this.#leftIds ?? []) this.core.sockets.renew(left, id);
    this.#leftIds = undefined;
  }

  #destroyRetired(done: Callback): void {
    const current = this.#cleared ? undefined : this.#current()?.id;
    const ids = (this.#retiredIds ?? []).filter((id) => id !== current); // genid may give the same id again
    this.#retiredIds = undefined;
    if (ids.length === 0) return done();
    let left = ids.length;
    let failure: unknown;
    for (const id of ids) {
      this.#destroyRecord(id, (error) => {
        failure ??= error;
        if (--left === 0) done(failure);
      });
    }
  }

  /** As express-session, the error reaches the app once the response is out; with `saveFailure: 'error'`, in its place. */
  #commitFailed(error: unknown, end: HeldEnd): void {
    if (this.core.settings.saveFailure === 'error') {
      this.#failed = true;
      return end.done(error);
    }
    setImmediate(this.#next, error);
    end.done();
  }

  takenBack(error: unknown): void {
    this.#next(error);
  }

  get cachePrivate(): boolean {
    return this.core.settings.cachePrivate;
  }

  setCookies(unwatched: boolean): string[] {
    this.#headersLeft = true;
    if (!this.#begun || this.#failed || this.#isUntouched) return [];
    try {
      const line = this.#cookieLine(unwatched);
      return line === undefined ? [] : [...this.#strayLines(), line];
    } catch (error) {
      setImmediate(this.#next, error);
      return [];
    }
  }

  /** All cookies of ours but the one in this response; the one in use may be any of them. */
  #strayLines(): string[] {
    const { settings } = this.core;
    const cookie = this.#current()?.cookie ?? this.#lastCookie;
    if (!this.#hasStrays() || !cookie) return [];
    const { host = '' } = this.req.headers;
    return expireStrays(settings.name, cookie, host, parseUrl.original(this.req)?.pathname ?? '/');
  }

  /** The browser has sent more than one cookie of ours, and is to be rid of all but one. */
  #hasStrays(): boolean {
    return this.core.settings.expireStrays && this.#identities.length > 1;
  }

  #cookieLine(unwatched: boolean): string | undefined {
    const session = this.#current();
    // no need to look at the data again if no code of the app's has run since the commit
    const facts = this.#facts(session, (unwatched && this.#history.committedText) || undefined);
    const action = cookieAction(facts, this.core.policy);
    const cookie = action === 'expire' ? this.#lastCookie : session?.cookie;
    const withheld = action !== 'nothing' && Boolean(cookie?.secure) && !this.core.isSecure(this.req);
    this.#tell(facts, { what: 'cookie', action, withheld });
    if (action === 'nothing' || !cookie) return undefined;
    if (withheld) {
      adviseOnWithheldCookie();
      return undefined;
    }
    const { name } = this.core.settings;
    if (action === 'expire') return serializeExpired(name, cookie);
    this.#touch(session as Session);
    const line = cookie.serialize(name, `s:${this.#signedId()}`);
    this.#cookieSent = true;
    adviseOnCookieSize(name, line);
    return line;
  }

  /** As it came in the cookie, unless it is new or was signed by an old secret. */
  #signedId(): string {
    const id = this.req.sessionID;
    const identity = this.#identity;
    if (identity?.id === id && identity.signed !== undefined && !identity.signedByOldSecret)
      return identity.signed;
    const [secret] = this.core.settings.secrets ?? [(this.req as IncomingRequest).secret];
    return sign(id, secret as Secret);
  }

  // ---- After it: what finish and close listeners changed, or what a client that left did not wait for

  closed(): void {
    this.#over = true;
    if (this.#unmade || this.#unread) return; // should somebody look at it yet, this will be called again
    afterUnwinding(this);
  }

  unwound(): void {
    if (this.#committing) this.#settling = 'due';
    else this.#settle();
  }

  #settle(): void {
    this.#settling = 'done';
    const session = this.#current();
    if (!session || this.#failed) return;
    try {
      const text = dataText(session);
      if (!this.#changedSinceCommit(session, text)) return this.#watchForLateChanges(session, text);
      const facts = this.#facts(session, text);
      if (!PRESENT.has(facts.state)) return;
      if (!facts.known && this.#isUnreachable()) return;
      this.#touch(session);
    } catch (error) {
      return this.report(error);
    }
    this.save(session, (error) => error && this.report(error));
  }

  #changedSinceCommit(session: Session, text: string): boolean {
    if (!this.#isSocket) return text !== this.#history.committedText;
    if (this.#cleared) return false; // what was put in after that has no cookie that leads to it
    const { seen = '{}' } = this.viewOf(session.id);
    return changedKeys(JSON.parse(seen), JSON.parse(JSON.stringify(session))).some((key) => key !== 'cookie');
  }

  /** Nothing is written after this. During development, look once more whether something should have been. */
  #watchForLateChanges(session: Session, text: string): void {
    if (this.core.inProduction || contextOf(this.req) !== this || this.#isSocket) return;
    lookLater(() => {
      const now = dataText(session);
      if (now !== text && this.#history.savedState(session, now) !== 'current') adviseOnLateChange();
    });
  }

  /** For trouble that comes too late to be told to the request. */
  report(error: unknown): void {
    this.core.events.report(this.req.sessionID, this.req, error);
  }

  // ---- The facts on which all of it is decided

  #facts(session: Session | undefined, text = session && this.#dataOf(session)): SessionFacts {
    const { settings } = this.core;
    return {
      state: this.#state(session, text),
      known: this.#identity !== undefined && this.#identity.id === this.req.sessionID,
      saved: this.#history.savedState(session, text),
      expires: session?.cookie?.expires != null,
      cookieChanged: this.#history.cookieChanged(session),
      touches: this.#touches(session),
      outdatedCookie:
        this.#renamed || this.#hasStrays() || (settings.resign && this.#identity?.signedByOldSecret === true),
      browserHasCookie: this.#identity !== undefined || this.#cookieSent,
    };
  }

  #state(session: Session | undefined, text: string | undefined): SessionState {
    if (!this.#begun || typeof this.req.sessionID !== 'string') return 'absent';
    if (!session) return this.#destroyedId === undefined ? 'unset' : 'destroyed';
    if (session.id === this.#interruptedId) return 'interrupted';
    if (this.isDestroyed(session)) return 'destroyed';
    if (this.#cleared && text === NO_DATA) return 'cleared';
    if (this.#history.isModified(session, text)) return 'modified';
    return this.#identity?.id === session.id ? 'unchanged' : 'new';
  }

  #touches(session: Session | undefined): boolean {
    const { settings } = this.core;
    if (this.#touched) return true;
    return (
      session?.cookie !== undefined &&
      touchIsDue(session.cookie, settings, Date.now()) &&
      settings.touch(this.req)
    );
  }

  #touch(session: Session): void {
    if (this.#touched) return;
    this.#touched = true;
    const { settings, sockets } = this.core;
    session.touch();
    limit(session.cookie, settings, Date.now());
    sockets.prolong(session.id, expiryOf(session.cookie, settings, Date.now()));
  }

  #tell(facts: SessionFacts, decision: DecisionMade): void {
    const { decisions } = this.core;
    if (!decisions.areObserved) return;
    const id = facts.state === 'cleared' ? this.#history.originalId : this.#id(); // clear() has given it another
    decisions.tell({ id: id as string, req: this.req, facts, ...decision });
  }

  /** The text of a session's data. */
  #dataOf(session: Session): string {
    return this.#unread && session === this.#session ? this.#unread.data : dataText(session);
  }

  /** The session's id; a later middleware's is not it. */
  #id(): string {
    return contextOf(this.req) === this ? this.req.sessionID : (this.#history.originalId as string);
  }

  /** The request's session, unless a later middleware has put one of its own in its place. */
  #current(): Session | undefined {
    if (contextOf(this.req) !== this) return undefined;
    if (this.#unread && 'session' in this.req) return this.#session ?? undefined;
    return (this.req.session as Session | null | undefined) ?? undefined;
  }
}
