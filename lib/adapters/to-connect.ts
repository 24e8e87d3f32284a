import { asError, SteadyError } from '../errors.js';
import { readLife } from '../option-checks.js';
import { parseRecord } from '../record.js';
import type { Callback, SessionData } from '../session.js';
import { type SessionCallback, Store } from '../stores/connect-store.js';
import type { SessionStore } from '../stores/store.js';
import { checkOptions } from '../stores/store-options.js';
import { endOfLife } from '../stores/time-left.js';
import { warnOnce } from '../warnings.js';
import { requireMethods } from './backend.js';

const DAY = 86_400_000;

export interface ToConnectStoreOptions {
  /**
   * The life, in ms from each write, of a session whose cookie has no expiry of its own, since it lasts until the
   * browser is closed.
   * @default 86_400_000 (24 hours)
   */
  ttl?: number | undefined;
}

/** All sessions by id, on an object without a prototype: an id may be any string. */
type Sessions = Record<string, SessionData>;
type AnswerCallback<T> = (error?: any, value?: T) => void;

/**
 * Any session store as a store of express-session's kind, for the real express-session, @fastify/session and all else
 * that takes one. Without a callback each method returns a promise; ignoring it is safe.
 *
 * A record that is no session counts as none: the store emits `unreadable` with the error and the id, or warns once
 * if nobody listens. `all`, `length` and `clear` exist if the session store can list its ids.
 *
 * @throws TypeError if `store` lacks a method, or for an option that is unknown or no good.
 */
export function toConnectStore(store: SessionStore, options: ToConnectStoreOptions = {}): ConnectedStore {
  requireMethods('toConnectStore', store, ['get', 'set', 'touch', 'destroy']);
  checkOptions('toConnectStore', options, ['ttl']);
  return new ConnectedStore(store, readLife('toConnectStore: ttl', options.ttl ?? DAY));
}

/** What {@link toConnectStore} returns. */
export class ConnectedStore extends Store {
  readonly #store: SessionStore;
  readonly #ttl: number;
  /** All live sessions by id. */
  declare readonly all?: (callback?: AnswerCallback<Sessions>) => Promise<Sessions> | undefined;
  /** The number of live sessions. */
  declare readonly length?: (callback?: AnswerCallback<number>) => Promise<number> | undefined;
  /** Destroys all sessions. */
  declare readonly clear?: (callback?: AnswerCallback<void>) => Promise<void> | undefined;

  /** @internal */
  constructor(store: SessionStore, ttl: number) {
    super();
    this.#store = store;
    this.#ttl = ttl;
    if (store.ids)
      Object.assign(
        this,
        this.#listing(() => store.ids!()),
      );
  }

  get(sid: string): Promise<SessionData | undefined>;
  get(sid: string, callback: SessionCallback): void;
  get(sid: string, callback?: SessionCallback): unknown {
    return settle(this.#read(sid), callback as AnswerCallback<SessionData | undefined> | undefined);
  }

  set(sid: string, session: object, callback?: Callback): Promise<void> | undefined {
    const write = async () => {
      await this.#store.set(sid, JSON.stringify(session), { expires: this.#expiryOf(session) });
    };
    return settle(write(), callback);
  }

  override touch(sid: string, session: object, callback?: Callback): Promise<void> | undefined {
    const touch = async () => {
      await this.#store.touch(sid, this.#expiryOf(session));
    };
    return settle(touch(), callback);
  }

  destroy(sid: string, callback?: Callback): Promise<void> | undefined {
    const destroy = async () => this.#store.destroy(sid);
    return settle(destroy(), callback);
  }

  /** Frees what the session store itself opened. */
  async close(): Promise<void> {
    await this.#store.close?.();
  }

  async #read(sid: string): Promise<SessionData | undefined> {
    const text = await this.#store.get(sid);
    if (text == null) return undefined;
    const session = parseRecord(text);
    if (!session) this.#reportUnreadable(sid);
    return session as SessionData | undefined;
  }

  #reportUnreadable(sid: string): void {
    const message = 'a stored session is unusable: it is not JSON of an object with a cookie';
    if (this.listenerCount('unreadable') === 0) warnOnce('WARN_SESSION_ERROR', message);
    else this.emit('unreadable', new SteadyError('ERR_SESSION_RECORD', message), sid);
  }

  /** As connect-redis: the cookie's expiry, or `ttl` from now for a cookie without. */
  #expiryOf(session: object): number {
    const { expires, maxAge } =
      (session as { cookie?: { expires?: unknown; maxAge?: unknown } }).cookie ?? {};
    const time = expires ? new Date(expires as string | number | Date).getTime() : Number.NaN;
    if (!Number.isNaN(time)) return time;
    return endOfLife(typeof maxAge === 'number' ? maxAge : this.#ttl);
  }

  #listing(ids: () => AsyncIterable<string>): Pick<ConnectedStore, 'all' | 'length' | 'clear'> {
    const all = async () => {
      const sessions: Sessions = Object.create(null);
      for await (const id of ids()) {
        const session = await this.#read(id);
        if (session) sessions[id] = session;
      }
      return sessions;
    };
    const length = async () => {
      let count = 0;
      for await (const _ of ids()) count++;
      return count;
    };
    const clear = async () => {
      for await (const id of ids()) await this.#store.destroy(id);
    };
    return {
      all: (callback) => settle(all(), callback),
      length: (callback) => settle(length(), callback),
      clear: (callback) => settle(clear(), callback),
    };
  }
}

/**
 * Calls back, or returns the promise if there is no callback. What the callback throws is thrown as from any Node.js
 * callback: it is neither swallowed nor taken for the store's error.
 */
function settle<T>(work: Promise<T>, callback: AnswerCallback<T> | undefined): Promise<T> | undefined {
  if (!callback) {
    work.catch(() => {}); // callers of express-session's contract may ignore it
    return work;
  }
  work.then(
    (value) => process.nextTick(callback, null, value),
    (error) => process.nextTick(callback, asError(error)),
  );
  return undefined;
}
