import { toConnectStore } from './adapters/to-connect.js';
import type { IncomingRequest } from './context.js';
import { Cookie } from './cookie.js';
import { CallbackDriver } from './drivers/callback-driver.js';
import type { StoreDriver } from './drivers/driver.js';
import { TextDriver } from './drivers/text-driver.js';
import type { LifecyclePolicy } from './lifecycle.js';
import { isCallbackStore, type Settings } from './options.js';
import { contextOf } from './request-slot.js';
import { Session, type SessionData, type SessionRequest } from './session.js';
import { Store } from './stores/connect-store.js';
import { MemoryStore } from './stores/memory.js';
import { warnOnce } from './warnings.js';

/** What all requests of one `session(options)` share. */
export class Core {
  readonly settings: Settings;
  readonly policy: LifecyclePolicy;
  /** What the app sees as `req.sessionStore`: always a callback store. */
  readonly store: Store;
  /** `false` while the store says that it is disconnected. */
  storeReady = true;
  readonly #drivers: { callback: StoreDriver; text?: StoreDriver };

  constructor(settings: Settings) {
    this.settings = settings;
    const { store } = settings;
    this.store = isCallbackStore(store) ? store : toConnectStore(store, { ttl: settings.ttl });
    const callback = new CallbackDriver(this.store);
    if (store instanceof MemoryStore) {
      this.#drivers = { callback, text: new TextDriver(this, store, { rewriteOnTouch: true }) };
    } else if (isCallbackStore(store)) {
      this.#drivers = { callback };
    } else {
      this.#drivers = { callback, text: new TextDriver(this, store, { rewriteOnTouch: false }) };
    }
    this.policy = { ...settings, canTouch: this.driver.canTouch };
    this.#attach(this.store);
  }

  /** A memory store whose methods the app has replaced, to watch or to extend it, is called by those methods. */
  get driver(): StoreDriver {
    const { callback, text } = this.#drivers;
    if (!text || (this.store instanceof MemoryStore && !this.store.isPlain)) return callback;
    return text;
  }

  /** Puts a new session under a new id on the request. */
  generate(req: object): void {
    const request = req as SessionRequest;
    request.sessionID = this.settings.genid(request);
    const session = new Session(request);
    request.session = session;
    session.cookie = this.#newCookie(request);
  }

  /** Makes a session of stored data. A store may have its own way, as express-session lets it. */
  createSession(req: SessionRequest, data: object): void {
    const { store } = this;
    const createSession = store.createSession ?? Store.prototype.createSession;
    createSession.call(store, req, data as SessionData);
  }

  /** Gives a session a new id and a new cookie. */
  renew(session: Session): void {
    const { req } = session;
    req.sessionID = this.settings.genid(req);
    Object.defineProperty(session, 'id', { value: req.sessionID, configurable: true });
    session.cookie = this.#newCookie(req);
  }

  /** Whether the request came over HTTPS, as far as the app lets us believe it. */
  isSecure(req: IncomingRequest): boolean {
    const socket = (req.socket ?? req.connection) as { encrypted?: boolean } | undefined;
    if (socket?.encrypted) return true;
    const { proxy } = this.settings;
    if (proxy === false) return false;
    if (proxy !== true) return (req as { secure?: boolean }).secure === true;
    const [first = ''] = String(req.headers['x-forwarded-proto'] ?? '').split(',', 1);
    return first.trim().toLowerCase() === 'https';
  }

  /** Tells of trouble for which there is no request to blame any more. */
  report(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    warnOnce(
      'ERR_SESSION_LATE_SAVE',
      `a session changed after its response was sent could not be saved: ${message}`,
    );
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
    if (typeof store.on !== 'function') return;
    store.on('disconnect', () => {
      this.storeReady = false;
    });
    store.on('connect', () => {
      this.storeReady = true;
    });
  }
}
