import { toConnectStore } from './adapters/to-connect.js';
import { adviseOnNotices } from './advice.js';
import { compact } from './compact.js';
import { Cookie } from './cookies/cookie.js';
import { ENCODED_START } from './cookies/cookie-value.js';
import { Identifier } from './cookies/identify.js';
import { randomId } from './cookies/random-id.js';
import { Decisions } from './decisions.js';
import { pauseAfter } from './drivers/back-off.js';
import { CallbackDriver } from './drivers/callback-driver.js';
import type { StoreDriver } from './drivers/driver.js';
import { TextDriver } from './drivers/text-driver.js';
import { asTextStore, readable } from './drivers/text-store.js';
import { TimedDriver } from './drivers/timed-driver.js';
import { WatchedDriver } from './drivers/watched-driver.js';
import { SteadyError } from './errors.js';
import { SessionEvents } from './events.js';
import type { LifecyclePolicy } from './lifecycle.js';
import { noteBeginning } from './lifetime.js';
import type { Settings } from './read-options.js';
import type { IncomingRequest } from './request/context.js';
import { contextOf } from './request/request-slot.js';
import { areTouchedPlainly, Session, type SessionData, type SessionRequest } from './session.js';
import { SocketRegistry } from './sockets/sockets.js';
import { makesPlainly, Store } from './stores/connect-store.js';
import { isCallbackStore } from './stores/contract.js';
import { MemoryStore } from './stores/memory.js';
import type { SessionStore } from './stores/store.js';
import { unref } from './timers.js';

/** What all requests of one `session(options)` share. */
export class Core {
  readonly settings: Settings;
  readonly policy: LifecyclePolicy;
  readonly identifier: Identifier;
  /** What all its cookies have in common, as they are sent. */
  readonly cookieStart: string;
  /** What the app sees as `req.sessionStore`: always a callback store. */
  readonly store: Store;
  /** `false` while the store says that it is disconnected. */
  storeReady = true;
  readonly inProduction: boolean = process.env['NODE_ENV'] === 'production';
  readonly events: SessionEvents = new SessionEvents();
  readonly decisions: Decisions = new Decisions();
  readonly sockets: SocketRegistry = new SocketRegistry((id) => this.updater.fateOf(id));
  /** What `update()` and `take()` work by, whatever the requests' driver is. */
  readonly updater: TextDriver;
  /**
   * Merges whatever `concurrency` says: for sockets, which live long enough to meet other requests, and for a touch that has to
   * write the record.
   */
  readonly mergingDriver: StoreDriver;
  /** A touch puts the cookie's new end of life into the record, as express-session's MemoryStore does. */
  readonly rewritesOnTouch: boolean;
  #ownGenerate: Store['generate'] | undefined;
  readonly #callback: StoreDriver;
  readonly #text: StoreDriver | undefined;

  constructor(settings: Settings) {
    this.settings = settings;
    this.identifier = new Identifier(settings.name);
    this.cookieStart = `${settings.name}=${ENCODED_START}`;
    const { store, storeTimeout } = settings;
    this.store = isCallbackStore(store)
      ? store
      : toConnectStore(readable(store, settings.serializer), { ttl: settings.ttl });
    this.rewritesOnTouch = store instanceof MemoryStore;
    const textStore = asTextStore(settings);
    this.updater = new TextDriver(this, textStore, {
      merge: settings.concurrency === 'merge',
      rewriteOnTouch: this.rewritesOnTouch,
    });
    const merging = new TextDriver(this, textStore, { merge: true, rewriteOnTouch: false });
    this.mergingDriver = this.#watched(merging);
    this.#callback = this.#watched(new TimedDriver(new CallbackDriver(this.store), storeTimeout));
    this.#text = this.#textDriver(settings);
    this.policy = { ...settings, canTouch: this.driver.canTouch };
    this.#attach(this.store);
    this.sockets.whenUsed = () => this.#listenTo(store);
  }

  /**
   * A store that can tell of destroyed sessions saves their sockets the wait for the next look. Until it listens it has
   * told of none, so that all are looked up then. Where it fails it is asked again: its server may be away just now.
   */
  async #listenTo(store: Store | SessionStore, failures = 0): Promise<void> {
    const { onDestroy } = store as SessionStore;
    if (!onDestroy) return;
    try {
      await onDestroy.call(store, (id) => void this.sockets.check(id));
      this.sockets.checkAll();
    } catch (error) {
      if (failures === 0) this.events.report('', undefined, error, adviseOnNotices);
      unref(setTimeout(() => void this.#listenTo(store, failures + 1), pauseAfter(failures)));
    }
  }

  #textDriver({ store, concurrency }: Settings): StoreDriver | undefined {
    return isCallbackStore(store) && concurrency === 'overwrite' ? undefined : this.#watched(this.updater);
  }

  #watched(driver: StoreDriver): StoreDriver {
    return new WatchedDriver(driver, this.events);
  }

  /** A memory store whose methods the app has replaced, to watch or to extend it, is called by those methods. */
  get driver(): StoreDriver {
    const replaced = this.store instanceof MemoryStore && !this.store.isPlain;
    return replaced || !this.#text ? this.#callback : this.#text;
  }

  /** Whether the store answers before its methods have returned. */
  get answersAtOnce(): boolean {
    return this.store instanceof MemoryStore && this.driver === this.#text;
  }

  /** Whether nobody can tell when a new session is made: no code of the app's takes part in it. */
  get beginsUnseen(): boolean {
    const { genid, cookieIsFixed } = this.settings;
    const isOurs = genid === randomId && this.store.generate === this.#ownGenerate;
    return isOurs && cookieIsFixed && areTouchedPlainly();
  }

  /** The same for a session that is made of stored data. */
  get restoresUnseen(): boolean {
    return makesPlainly(this.store) && areTouchedPlainly();
  }

  /** Whether nothing at all comes of a new session that nobody looks at. */
  get ignoresUnseen(): boolean {
    return !this.policy.saveUninitialized && this.beginsUnseen;
  }

  /** Begins a session. An app may have put a `generate` of its own on the store. */
  begin(req: SessionRequest): void {
    if (this.store.generate === this.#ownGenerate) return this.generate(req);
    this.store.generate(req);
    const { session } = req;
    // an id that the app has cut out of something is not to keep that
    if (session instanceof Session && typeof session.id === 'string')
      this.rename(session, compact(session.id));
  }

  /** Puts a new session under a new id on the request. */
  generate(req: object): void {
    const request = req as SessionRequest;
    request.sessionID = this.settings.genid(request);
    const session = new Session(request);
    request.session = session; // before it has its cookie, as in express-session: a function that makes one may look at it
    this.#complete(session);
  }

  /** A new session for a request that has its id already. */
  freshSession(request: SessionRequest): Session {
    const session = new Session(request);
    this.#complete(session);
    return session;
  }

  #complete(session: Session): void {
    session.cookie = this.#newCookie(session.req);
    noteBeginning(session.cookie, this.settings);
  }

  /** Makes a session of stored data. A store may have its own way, as express-session lets it. */
  createSession(req: SessionRequest, data: object): void {
    const { store } = this;
    const createSession = store.createSession ?? Store.prototype.createSession;
    createSession.call(store, req, data as SessionData);
    // The real express-session's Store makes sessions of its own class, which lack half of the methods.
    const made = req.session as object;
    if (!(made instanceof Session))
      Store.prototype.createSession.call(store, req, { ...made } as SessionData);
  }

  /** Gives a session another id; all else stays. */
  rename(session: Session, id: string): void {
    session.req.sessionID = id;
    Object.defineProperty(session, 'id', { value: id, configurable: true });
  }

  /** Reports a stored record that is no session. The client isn't told, and gets a new one. */
  reportUnusable(id: string, req: SessionRequest): void {
    const text = 'a stored session is unusable: it is not JSON of an object with a cookie';
    this.events.report(id, req, new SteadyError('ERR_SESSION_RECORD', text));
  }

  /** Gives a session a new id and a new cookie. */
  renew(session: Session): void {
    const { req } = session;
    this.rename(session, this.settings.genid(req));
    this.#complete(session);
  }

  /** Whether the request came over HTTPS, as far as the app lets us believe it. */
  isSecure(req: IncomingRequest): boolean {
    if (isEncrypted(req.connection) || isEncrypted(req.socket)) return true; // they differ where a platform makes up requests
    const { proxy } = this.settings;
    if (proxy === false) return false;
    if (proxy !== true) return (req as { secure?: boolean }).secure === true;
    const [first = ''] = String(req.headers['x-forwarded-proto'] ?? '').split(',', 1);
    return first.trim().toLowerCase() === 'https';
  }

  #newCookie(req: SessionRequest): Cookie {
    const options = this.settings.cookieOptions(req);
    const cookie = new Cookie(options);
    if (options.secure !== 'auto' && options.sameSite !== 'auto') return cookie;
    const secure = this.isSecure(req);
    if (options.secure === 'auto') cookie.secure = secure;
    if (options.sameSite === 'auto') cookie.sameSite = secure ? 'none' : 'lax';
    return cookie;
  }

  /** `store.generate` is express-session's; on a store that several `session()` share, each request keeps to its own. */
  #attach(store: Store): void {
    store.generate = (req) => {
      const core = contextOf(req)?.core;
      (core?.store === store ? core : this).generate(req);
    };
    this.#ownGenerate = store.generate;
    if (typeof store.on !== 'function') return;
    store.on('disconnect', () => {
      this.storeReady = false;
    });
    store.on('connect', () => {
      this.storeReady = true;
    });
  }
}

function isEncrypted(socket: unknown): boolean {
  return Boolean((socket as { encrypted?: boolean } | undefined)?.encrypted);
}
