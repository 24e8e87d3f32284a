import { EventEmitter } from 'node:events';
import { restoreCookie } from '../cookies/cookie.js';
import { contextOf } from '../request/request-slot.js';
import { type Callback, Session, type SessionData, type SessionRequest } from '../session.js';
import { callStore } from './call-store.js';
import { callable, makeEnumerable } from './callable.js';

/** What `get` and `load` answer. No error and no session: there is none, or it has expired. */
export type SessionCallback<S = SessionData> = (error?: any, session?: S | null) => void;

type LoadCallback = (error?: any, session?: Session & SessionData) => void;

/** What any store made for express-session has, wherever its types come from: those of `@types/express-session`, or none. */
export interface CallbackStore {
  get(sid: string, callback: SessionCallback<any>): unknown;
  set(sid: string, session: any, callback?: Callback): unknown;
  destroy(sid: string, callback?: Callback): unknown;
}

/**
 * The base of express-session's stores: sessions as objects, answers by callback.
 *
 * A subclass provides `get`, `set` and `destroy`, and usually `touch`. It emits `disconnect` when its back end is
 * out of reach and `connect` when it is back. For a new store, a `SessionStore` is less work and safer.
 */
abstract class ConnectStore extends EventEmitter {
  /** Makes a new session for the request; put here by the middleware that the store is given to. */
  declare generate: (req: SessionRequest) => void;

  /** Asks for the session data under `sid`. */
  abstract get(sid: string, callback: SessionCallback): void;
  /** Stores the session under `sid`, in place of what was there. */
  abstract set(sid: string, session: SessionData, callback?: Callback): void;
  /** Deletes what is stored under `sid`. Fine if there is nothing. */
  abstract destroy(sid: string, callback?: Callback): void;

  /** Optional: starts the stored session's lifetime anew, and leaves the rest of it as it is stored. */
  touch?(sid: string, session: SessionData, callback?: Callback): void;
  /** Optional: all sessions, by id or in any order. */
  all?(callback: (error: any, sessions?: Record<string, SessionData> | SessionData[] | null) => void): void;
  /** Optional: the number of sessions. */
  length?(callback: (error: any, length?: number) => void): void;
  /** Optional: deletes all sessions. */
  clear?(callback?: Callback): void;

  /** Deletes the request's stored session and makes a new one in its place, which exists also after an error. */
  regenerate(req: SessionRequest): Promise<void>;
  regenerate(req: SessionRequest, callback: Callback): void;
  regenerate(req: SessionRequest, callback?: Callback): unknown {
    if (!callback) return promised((done) => this.regenerate(req, done));
    const regenerated: Callback = (error) => {
      this.generate(req);
      callback(error);
    };
    const context = contextOf(req);
    const late = (error: unknown) => context?.report(error);
    const caught = (error: unknown) => context?.next.call(undefined, error);
    callStore(
      (done) => this.destroy(req.sessionID, done),
      this.destroy.length < 2,
      regenerated,
      late,
      caught,
    );
    return undefined;
  }

  /** Loads a stored session outside of a request: a `Session`, or `undefined` when there is none. */
  load(sid: string): Promise<(Session & SessionData) | undefined>;
  load(sid: string, callback: LoadCallback): void;
  load(sid: string, callback?: LoadCallback): unknown {
    if (!callback) return promised((done) => this.load(sid, done));
    this.get(sid, (error, data) => {
      if (error) return callback(error);
      if (!data) return callback();
      const request = { sessionID: sid, sessionStore: this };
      let session: Session & SessionData;
      try {
        session = this.createSession(request, data);
      } catch (unusable) {
        return callback(unusable);
      }
      callback(null, session);
    });
    return undefined;
  }

  /**
   * Makes the `Session` of `data` and puts it on the request. `data.cookie` becomes a `Cookie`.
   * @throws TypeError if `data` has no cookie.
   */
  createSession(req: object, data: SessionData): Session & SessionData {
    data.cookie = restoreCookie(data.cookie);
    const session = new Session(req, data);
    (req as SessionRequest).session = session;
    return session;
  }
}

/** As express-session's, so that `Object.assign(My.prototype, Store.prototype)` takes them along. */
makeEnumerable(ConnectStore.prototype, 'regenerate', 'load', 'createSession');

const { createSession } = ConnectStore.prototype;

/** Whether a store makes sessions as we do it: an app may have put a `createSession` of its own on it, or on the prototype. */
export function makesPlainly(store: ConnectStore): boolean {
  return store.createSession === createSession;
}

function promised<T>(operation: (done: (error?: any, value?: any) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    operation((error, value) => (error ? reject(error) : resolve(value)));
  });
}

export type Store = ConnectStore;

/** The constructor of {@link Store}: for `class X extends Store` and for `Store.call(this)` in an old-style subclass. */
export const Store: typeof ConnectStore & ((this: object) => void) = callable(
  'Store',
  ConnectStore,
  function (this: object) {
    (EventEmitter as unknown as (this: object) => void).call(this);
  },
);
