import type { IncomingMessage } from 'node:http';
import type { Cookie } from './cookies/cookie.js';
import { asError, SteadyError } from './errors.js';
import {
  checkCallback,
  checkChange,
  checkKey,
  isBadCallback,
  readRegenerate,
} from './request/argument-checks.js';
import * as asked from './request/asked.js';
import { contextOf } from './request/request-slot.js';
import { endOf } from './request/touching.js';
import type { Store } from './stores/connect-store.js';

/** What your app keeps in a session. Augment it: `declare module 'steady-session' { interface SessionData { user: string } }`. */
export interface SessionData {
  cookie: Cookie;
}

/** What {@link Session.regenerate} carries over. */
export interface RegenerateOptions {
  /** `true`: all data; an array: the data under these keys. Default: nothing. */
  keep?: boolean | readonly string[] | undefined;
  /** `true`: the `absoluteTimeout` starts anew. Default `false`. */
  restart?: boolean | undefined;
}

/** Ends an operation, as in all of Node: an error or nothing. */
export type Callback = (error?: any) => void;

/** The request that a session belongs to. */
export type SessionRequest = IncomingMessage & {
  session?: (Session & Partial<SessionData>) | null | undefined;
  sessionID: string;
  sessionStore: Store;
};

/**
 * Names that stored data can't use, exactly those of express-session. Methods that only this package has (`clear`,
 * ...) are not among them: a key of that name is data, and hides the method in that session.
 */
export const RESERVED: ReadonlySet<string> = new Set([
  ...['req', 'id', 'touch', 'resetMaxAge', 'save', 'reload', 'destroy', 'regenerate'],
  ...Object.getOwnPropertyNames(Object.prototype),
]);

/**
 * `req.session`: the data of one client, as plain properties, and what can be done with it.
 *
 * Methods that take a callback return the session when given one, and otherwise a promise. Ignoring that promise is
 * safe: a failure then goes nowhere else, as in express-session.
 */
export class Session {
  /** The session's id, which is `req.sessionID`. Not enumerable, so never part of the data. */
  declare readonly id: string;
  /** The request. Not enumerable. */
  declare readonly req: SessionRequest;
  declare cookie: Cookie;

  constructor(req: object, data?: object | null) {
    define(this, 'req', FIXED, req);
    define(this, 'id', HIDDEN, (req as SessionRequest).sessionID);
    if (typeof data === 'object' && data !== null) assignData(this, data);
  }

  /**
   * When the session began. Known only with `absoluteTimeout`. As data of the app's own,
   * `createdAt` stays usable.
   */
  get createdAt(): Date | undefined {
    const { createdAt } = this.cookie;
    return createdAt === undefined ? undefined : new Date(createdAt);
  }

  set createdAt(value: unknown) {
    defineData(this, 'createdAt', value);
  }

  /**
   * When the session ends if no further request comes. Known only where `session()` has an option that express-session
   * doesn't have; and on a request that the option `touch` keeps from prolonging it, only with `touchAfter`. As data of the app's own, `expiresAt` stays usable.
   */
  get expiresAt(): Date | undefined {
    const context = contextOf(this.req);
    const end = context && !context.core.settings.isDropIn ? endOf(context, this) : undefined;
    return end === undefined ? undefined : new Date(end);
  }

  set expiresAt(value: unknown) {
    defineData(this, 'expiresAt', value);
  }

  /** Starts the cookie's lifetime anew. The middleware does it on each response. */
  touch(): this {
    return this.resetMaxAge();
  }

  /** Sets `cookie.maxAge` back to `cookie.originalMaxAge`. */
  resetMaxAge(): this {
    this.cookie.maxAge = this.cookie.originalMaxAge;
    return this;
  }

  /** Stores the session now, rather than when the response ends. */
  save(): Promise<void>;
  save(callback: Callback): this;
  save(callback?: Callback): this | Promise<void> {
    checkCallback('save', callback);
    return run(this, callback, (done) => {
      const context = contextOf(this.req);
      if (context) asked.save(context, this, done);
      else this.req.sessionStore.set(this.id, this as unknown as SessionData, done);
    });
  }

  /** Reads the session anew: `req.session` becomes what is stored now. Fails when it is no longer stored. */
  reload(): Promise<void>;
  reload(callback: Callback): this;
  reload(callback?: Callback): this | Promise<void> {
    checkCallback('reload', callback);
    return run(this, callback, (done) => {
      const context = contextOf(this.req);
      if (context) asked.reload(context, this, done);
      else reloadFromStore(this, done);
    });
  }

  /** Deletes the stored session now and unsets `req.session`. */
  destroy(): Promise<void>;
  destroy(callback: Callback): this;
  destroy(callback?: Callback): this | Promise<void> {
    if (isBadCallback(callback)) void this.destroy(); // as in express-session, a logout is one all the same
    checkCallback('destroy', callback);
    return run(this, callback, (done) => {
      const context = contextOf(this.req);
      delete this.req.session;
      if (context) asked.destroy(context, this, done);
      else this.req.sessionStore.destroy(this.id, done);
    });
  }

  /**
   * Replaces the session by an empty one under a new id: do it whenever a user logs in (OWASP: session fixation).
   * With `{ keep: true }` all data go along, with `{ keep: ['cart'] }` those under the named keys.
   * @throws TypeError, at once and with nothing done, for an argument that is no callback and no such options
   */
  regenerate(options?: RegenerateOptions): Promise<void>;
  regenerate(callback: Callback): this;
  regenerate(options: RegenerateOptions, callback: Callback): this;
  regenerate(first?: RegenerateOptions | Callback, second?: Callback): this | Promise<void> {
    const [options, callback] = readRegenerate(first, second);
    const told = callback && ((error?: any) => callback(error)); // with an argument always, as express-session's
    return run(this, told, (done) => {
      const { createdAt } = this.cookie;
      const context = contextOf(this.req);
      const finished: Callback = (error) => {
        const { session } = this.req;
        if (error || !session) return done(error);
        try {
          const kept = keptData(this, options); // not before: a save may have been under way, and found that the session has ended
          Object.assign(session, kept);
          if (context) asked.bequeath(context, this, options.keep || [], Object.keys(kept));
          if (createdAt !== undefined && !options.restart) session.cookie.createdAt = createdAt;
        } catch (failure) {
          return done(failure || asError(failure)); // thrown by a getter of the app's
        }
        done();
      };
      if (context) asked.regenerate(context, finished);
      else this.req.sessionStore.regenerate(this.req, finished);
    });
  }

  /**
   * Changes the session without losing what other requests change at the same time: `change` runs on a fresh copy of
   * the stored data (the cookie is none of them), and again should another request store the session first. Afterwards the
   * session shows the result.
   * @returns what `change` returned. Rejects with `ERR_SESSION_GONE` if the session has been destroyed meanwhile.
   * @example await req.session.update((data) => { data.views++ })
   */
  async update<T>(change: (data: any) => T | Promise<T>): Promise<T> {
    checkChange(change);
    const context = contextOf(this.req);
    if (!context)
      throw new SteadyError(
        'ERR_SESSION_NO_REQUEST',
        'update() needs a session of a request that the middleware serves',
      );
    try {
      return await asked.update(context, this, change);
    } catch (error) {
      if (error instanceof SteadyError) Error.captureStackTrace(error); // of who waits: ours says nothing to them
      throw error;
    }
  }

  /**
   * Reads a value and removes it, such that of all requests only one gets it: flash messages, one-time tokens.
   * @returns the value, or `undefined` for all others
   */
  async take(key: string): Promise<any> {
    checkKey(key);
    return await this.update((data) => {
      const value = Object.hasOwn(data, key) ? data[key] : undefined;
      delete data[key];
      return value;
    });
  }

  /**
   * Empties the session. When the response ends, the stored record is deleted and the browser's cookie expired;
   * what is put in after `clear()` is stored under a new id.
   */
  clear(): void {
    for (const key of Object.keys(this)) {
      if (key !== 'cookie') delete (this as Record<string, unknown>)[key];
    }
    const context = contextOf(this.req);
    if (context) asked.clear(context, this);
  }
}

const { touch, resetMaxAge, save } = Session.prototype;

/** Whether all sessions are prolonged as we do it: an app may have put methods of its own on the prototype. */
export function areTouchedPlainly(): boolean {
  return Session.prototype.touch === touch && Session.prototype.resetMaxAge === resetMaxAge;
}

/** Whether a session is saved as we do it: the app may have put a `save` of its own on it, or on the prototype. */
export function isSavedPlainly(session: Session): boolean {
  return session.save === save;
}

const FIXED: PropertyDescriptor = { value: undefined };
const HIDDEN: PropertyDescriptor = { value: undefined, configurable: true };

/** With a descriptor that is used again and again: one for each property would cost every session 70 bytes. */
function define(session: Session, name: string, descriptor: PropertyDescriptor, value: unknown): void {
  descriptor.value = value;
  Object.defineProperty(session, name, descriptor);
  descriptor.value = undefined;
}

/** Puts stored data on a session. */
export function assignData(session: Session, data: object): void {
  for (const key in data) {
    if (!RESERVED.has(key))
      (session as unknown as Record<string, unknown>)[key] = (data as Record<string, unknown>)[key];
  }
}

function defineData(session: Session, key: string, value: unknown): void {
  Object.defineProperty(session, key, { value, enumerable: true, configurable: true, writable: true });
}

function keptData(session: Session, { keep }: RegenerateOptions): Record<string, unknown> {
  if (!keep) return {}; // and no getter of the app's is asked
  const { cookie: _, ...data } = session as unknown as Record<string, unknown>;
  if (keep === true) return data;
  return Object.fromEntries(Object.entries(data).filter(([key]) => keep.includes(key)));
}

function run<S extends Session>(
  session: S,
  callback: Callback | undefined,
  operation: (done: Callback) => void,
): S | Promise<void> {
  if (callback) {
    // as express-session's: without an argument where all went well
    operation((error) => (error === undefined ? callback() : callback(error)));
    return session;
  }
  const promise = new Promise<void>((resolve, reject) => {
    operation((error) => (error ? reject(error) : resolve()));
  });
  promise.catch(() => {}); // the caller may ignore it, as express-session's callers do
  return promise;
}

function reloadFromStore(session: Session, done: Callback): void {
  const { req } = session;
  req.sessionStore.get(session.id, (error, data) => {
    if (error) return done(error);
    if (!data) return done(new Error('failed to load session'));
    req.sessionStore.createSession(req, data);
    done();
  });
}
