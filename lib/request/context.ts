import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import type { Cookie } from '../cookies/cookie.js';
import type { Identity } from '../cookies/identify.js';
import { randomId } from '../cookies/random-id.js';
import type { Secret } from '../cookies/signature.js';
import type { Core } from '../core.js';
import type { StoreDriver } from '../drivers/driver.js';
import { dataText, NO_DATA, type UnreadRecord } from '../record.js';
import type { EndListener, HeldEnd } from '../response/end-listener.js';
import { afterUnwinding, type Unwinding } from '../response/unwinding.js';
import { assignData, type Callback, type Session, type SessionRequest } from '../session.js';
import { nextTurn } from '../timers.js';
import { beforeEnd } from './commit.js';
import { type Ending, NOT_ENDED } from './ending.js';
import { exposeSession, isBehindAppsAccessor, isExposed } from './exposed-session.js';
import { RequestFacts } from './facts.js';
import { SessionHistory } from './history.js';
import { type IdChanges, NO_ID_CHANGES } from './id-changes.js';
import { InFlight, inLaterTurn } from './in-flight.js';
import { setVisit, type Visit, visitOf } from './request-slot.js';
import { setCookies } from './session-cookie.js';
import { settle } from './settle.js';
import { type StoredView, viewOf, viewOfLoaded } from './stored-view.js';

export type Next = (error?: unknown) => void;

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
export class SessionContext implements EndListener, Unwinding, Visit {
  readonly core: Core;
  readonly req: SessionRequest;
  /** Called without a `this`, and so first taken from here, as in `const { next } = context`. */
  readonly next: Next;
  driver: StoreDriver;

  /** The ids that verified cookies brought, and the one whose session it is. */
  readonly identities: readonly Identity[];
  identity: Identity | undefined;
  /** How many of the identities have been tried, and were none. */
  tried = 0;
  private knownHistory: SessionHistory | undefined;
  private knownFacts: RequestFacts | undefined;
  storedId: string | undefined;
  latestView: StoredView | undefined;
  formerViews: WeakMap<object, StoredView> | undefined;
  idChanges: IdChanges = NO_ID_CHANGES;
  ending: Ending = NOT_ENDED;

  /** The app is to find a session on the request. It may not have been made yet. */
  begun = false;
  session: Session | null | undefined;
  /** The id of a new session that nobody has looked at: it has its id, and that is all. */
  unmadeId: string | undefined;
  /** The stored data of a session that nobody has looked at: it has its cookie, and that is all. */
  unread: UnreadRecord | undefined;
  over = false;
  touched = false;
  /** What the option `touch` has said at the end of the request. */
  mayTouch: boolean | undefined;
  /** The stored record does not say yet when the session began. */
  undated = false;
  cookieSent = false;
  headersLeft = false;
  /** Nothing of the session is committed any more: that has failed, or the response goes on for long after its request. */
  abandoned = false;
  /** The cookie of a session that is gone: the browser's is expired with the same attributes. */
  lastCookie: Cookie | undefined;

  /** What the app has asked for; the end of the response waits for it, whether or not the app does. */
  inFlight: InFlight | undefined;
  /** What waits for the commit. */
  end: HeldEnd | undefined;
  /** The session that the commit stores. */
  saving: Session | undefined;
  /** While the commit is under way: `settling` if all else is over, and the last look is due as soon as it has ended. */
  committing: false | true | 'settling' = false;

  constructor(core: Core, req: IncomingRequest, next: Next, identities: readonly Identity[]) {
    this.core = core;
    this.req = req as SessionRequest;
    this.next = next;
    this.driver = core.driver;
    this.identities = identities;
    this.identity = identities[0];
    setVisit(req, this);
  }

  get context(): this {
    return this;
  }

  /** Whether `req.session` is that of this middleware, and not of one that came later. */
  get isLatest(): boolean {
    return visitOf(this.req) === this;
  }

  /** Its request has become a socket. */
  get isSocket(): boolean {
    return this.driver === this.core.mergingDriver;
  }

  // ---- Beginning a new session

  begin(): void {
    exposeSession(this.req);
    if (this.core.beginsUnseen) {
      this.begun = true;
      this.unmadeId = randomId();
      (this.req as { sessionID: string }).sessionID = this.unmadeId;
      return;
    }
    this.core.begin(this.req);
    this.remember(dataText(this.req.session as Session));
  }

  // ---- req.session: made when somebody looks at it

  get exposed(): Session | null | undefined {
    this.materialize();
    return this.session;
  }

  set exposed(session: unknown) {
    if (this.unmadeId !== undefined) this.make(this.unmadeId);
    this.unread = undefined;
    this.session = session as Session | null | undefined;
  }

  /** Makes or reads the session, if it waits for somebody to look at it. */
  materialize(): void {
    if (this.unmadeId !== undefined) this.make(this.unmadeId);
    else if (this.unread) this.read(this.unread);
  }

  /** Makes the new session as if it had been there from the start, whatever id the request has been given since. */
  make(id: string): void {
    this.unmadeId = undefined;
    const { req } = this;
    const since = req.sessionID;
    req.sessionID = id;
    this.session = this.core.freshSession(req); // not `req.session = `: an accessor of the app's may have no setter
    this.remember(dataText(this.session, NO_DATA));
    req.sessionID = since;
    if (this.over) this.closed();
  }

  /**
   * Whether the session waits for somebody to look at it. The app may have deleted `req.session`, or put something else in its
   * place: then nothing does any more. An accessor of its own may look at any time.
   */
  checkWaiting(): boolean {
    if (this.unmadeId === undefined && !this.unread) return false;
    if (!this.isLatest || isExposed(this.req)) return true;
    if (isBehindAppsAccessor(this.req)) this.materialize();
    else this.drop();
    return false;
  }

  drop(): void {
    if (this.unmadeId !== undefined) this.history.begin(this.unmadeId, NO_DATA, undefined, false);
    this.unmadeId = undefined;
    this.unread = undefined;
  }

  read(unread: UnreadRecord): void {
    this.unread = undefined;
    const data = unread.read();
    const session = this.session as Session;
    const { cookie } = session;
    if (data) assignData(session, data);
    session.cookie = cookie;
    if (!data) {
      this.core.reportUnusable(this.req.sessionID, this.req);
      this.identity = undefined;
      this.storedId = undefined;
      this.core.begin(this.req);
      this.remember(dataText(this.session as Session));
    }
    if (this.over) this.closed();
  }

  /** Nobody has looked at the new session, so that there is nothing to store or to send. */
  get isUntouched(): boolean {
    const { policy, decisions } = this.core;
    return (
      this.unmadeId !== undefined &&
      !policy.saveUninitialized &&
      !decisions.areObserved &&
      this.checkWaiting()
    );
  }

  /** Whether the app finds a session on the request, which isn't made for that, unless an accessor of the app's hides ours. */
  get isServing(): boolean {
    return this.checkWaiting() || Boolean(this.req.session);
  }

  /** Whether the store may leave a session unread that nobody may ever look at. */
  get takesUnread(): boolean {
    return !this.begun && this.core.restoresUnseen && this.core.settings.rotateAfter === 0;
  }

  /** The session that a cookie names is stored under another id now. */
  follow(from: string, id: string): void {
    const session = this.begun ? this.current() : undefined;
    if (session?.id === from) this.rename(session, id);
    else this.noteIds({ renamed: true, moved: { id, signedByOldSecret: false } });
  }

  remember(text: string): void {
    this.begun = true;
    this.lastCookie = this.session?.cookie;
    this.history.begin(this.req.sessionID, text, this.lastCookie, this.core.settings.trackCookie);
  }

  // ---- What is known of the stored session

  get history(): SessionHistory {
    this.knownHistory ??= new SessionHistory();
    return this.knownHistory;
  }

  /** On what is to be decided what happens; one object for all decisions of a request. */
  get facts(): RequestFacts {
    this.knownFacts ??= new RequestFacts(this);
    return this.knownFacts;
  }

  noteIds(changes: Partial<IdChanges>): void {
    this.idChanges = { ...this.idChanges, ...changes };
  }

  noteEnding(changes: Partial<Ending>): void {
    this.ending = { ...this.ending, ...changes };
  }

  run(done: Callback, operation: (finished: Callback) => void): void {
    this.inFlight ??= new InFlight();
    this.inFlight.run(done, this.core.answersAtOnce ? inLaterTurn(operation) : operation);
  }

  destroyRecord(id: string, done: Callback): void {
    this.driver.destroy(this, id, (error) => {
      if (!error) this.core.sockets.end(id);
      done(error);
    });
  }

  /** Some stores write to the session that they are given: that is no change of the app's. */
  handedOver(session: Session): void {
    try {
      this.history.committedText = dataText(session);
    } catch {} // it has its record; what the store has made of the session will be looked at when all is over
  }

  /** The session has just been stored as it is. */
  saved(session: Session): void {
    this.history.saved(session, dataText(session));
  }

  /** The record under this id is to go once the session has been stored under another, or has been cleared. */
  retire(id: string): void {
    if (this.wasStored(id) && !this.idChanges.retired.includes(id)) this.mustRetire(id);
  }

  mustRetire(id: string): void {
    this.noteIds({ retired: [...this.idChanges.retired, id] });
  }

  /** The session goes on under another id: this request, or one at the same time, has rotated it. */
  rename(session: Session, id: string): void {
    const { seen, tried } = this.viewOf(session);
    this.core.rename(session, id);
    this.noteIds({ renamed: true });
    this.identity = { id, signedByOldSecret: false };
    this.history.originalId = id;
    this.storedId = id;
    Object.assign(this.viewOf(session, id), { seen, tried });
  }

  /** Whether there is a record under this id, as far as this request knows. */
  isStored(id: string): boolean {
    return id === this.storedId;
  }

  /** Whether there is, or was, a record under this id. */
  isKnown(id: string): boolean {
    return id === this.identity?.id || this.isStored(id);
  }

  /** Whether there is, was, or may be just now, a record under this id. */
  wasStored(id: string): boolean {
    return this.isKnown(id) || this.history.hasSaved(id);
  }

  /** What is known of the stored session; for stores of text. */
  viewOf(session: Session, id: string = session.id): StoredView {
    return viewOf(this, session, id);
  }

  /** The same for a session that has just been read. */
  viewOfLoaded(id: string): StoredView {
    return viewOfLoaded(this, this.begun ? this.current() : undefined, id);
  }

  /** The store has no such session any more: another request destroyed it, or it expired. It stays so. */
  interrupt(session: Session): void {
    this.noteEnding({ interruptedId: session.id });
    this.core.sockets.end(session.id);
  }

  isDestroyed(session: Session): boolean {
    return this.isInterrupted(session) || isSameId(session, this.ending.destroyedId);
  }

  isInterrupted(session: Session): boolean {
    return isSameId(session, this.ending.interruptedId);
  }

  /** There is a record under this id now. The sockets of a session that was regenerated may go along with it. */
  stored(id: string): void {
    this.storedId = id;
    if (this.idChanges.left.length === 0) return;
    for (const left of this.idChanges.left) this.core.sockets.renew(left, id);
    this.noteIds({ left: [] });
  }

  // ---- The response, and when its turn comes

  beforeEnd(end: HeldEnd): void {
    this.end = end;
    beforeEnd(this);
  }

  setCookies(unwatched: boolean): readonly string[] {
    return setCookies(this, unwatched);
  }

  takenBack(error: unknown): void {
    const { next } = this;
    next(error);
  }

  get cachePrivate(): boolean {
    return this.core.settings.cachePrivate;
  }

  /** As express-session, the error reaches the app after the response. Express closes the connection upon it, if not before. */
  failAfterwards(error: unknown): void {
    const { next } = this;
    if (this.end)
      this.end.whenOver(AsyncResource.bind(() => next(error))); // the response may be over by another request's doing
    else nextTurn(next, error); // a response that is streamed may go on for hours
  }

  closed(): void {
    this.over = true;
    if (this.checkWaiting()) return; // should somebody look at it yet, this will be called again
    afterUnwinding(this);
  }

  unwound(): void {
    if (this.committing) this.committing = 'settling';
    else settle(this);
  }

  /** For a response that goes on for long after its request was served: nothing of the session is stored at its end. */
  letGo(): void {
    this.abandoned = true;
  }

  /** For trouble that comes too late to be told to the request. */
  report(error: unknown): void {
    this.core.events.report(this.req.sessionID, this.req, error);
  }

  /** A callback for what nobody waits for. */
  get reporting(): Callback {
    return (error) => error && this.report(error);
  }

  /** The text of a session's data. */
  dataOf(session: Session): string {
    if (this.unread && session === this.session) return this.unread.data;
    return this.history.dataOf(session);
  }

  /** The session's id; a later middleware's is not it. */
  id(): string {
    return this.isLatest ? this.req.sessionID : (this.history.originalId as string);
  }

  /** The request's session, unless a later middleware has put one of its own in its place. */
  current(): Session | undefined {
    if (!this.isLatest) return undefined;
    if (this.checkWaiting() && this.unread) return this.session ?? undefined;
    return (this.req.session as Session | null | undefined) ?? undefined;
  }
}

/** What an app has put in the session's place may have no id. */
function isSameId(session: Session, id: string | undefined): boolean {
  return id !== undefined && session.id === id;
}
