import type { CookieOptions } from './cookies/cookie.js';
import type { Secret } from './cookies/signature.js';
import type { AppRequest } from './express-types.js';
import type { MergeFunction } from './merge.js';
import type { OwnerOption } from './owners.js';
import type { CallbackStore } from './stores/connect-store.js';
import type { Serializer } from './stores/serialized.js';
import type { SessionStore } from './stores/store.js';

/** Written as a method, a function may ask for a request of any other type, as with express-session's types. */
type Method<F extends (...args: any[]) => unknown> = { of(...args: Parameters<F>): ReturnType<F> }['of'];

/** The options of `session()`. All of express-session's mean what they mean there. */
export interface SessionOptions {
  /**
   * Signs the cookie: anything that `crypto.createHmac` takes, with 32 random bytes in it. Of an array the first
   * signs and all verify, so that a secret can be replaced without logging anybody out.
   */
  secret?: Secret | Secret[] | undefined;
  /** Where sessions are kept: a {@link SessionStore}, or any store made for express-session. Default: a new {@link MemoryStore}, for development. */
  store?: SessionStore | CallbackStore | undefined;
  /** Attributes of the cookie, or a function of the request that gives them. Default `{ path: '/', httpOnly: true, maxAge: null }`. */
  cookie?: CookieOptions | undefined | ((req: AppRequest) => CookieOptions);
  /** Name of the cookie. Default `connect.sid`. */
  name?: string | undefined;
  /** Another word for `name`. */
  key?: string | undefined;
  /** Makes the id of a new session; must not be guessable. Default: 192 random bits. */
  genid?: Method<(req: AppRequest) => string> | undefined;
  /** Whether `X-Forwarded-Proto` tells if a request is secure. Default: as Express's "trust proxy" has it. */
  proxy?: boolean | undefined;
  /** Write the session on every request, changed or not. Default `true`, deprecated: say `false`. */
  resave?: boolean | undefined;
  /** Send the cookie on every response, so that its lifetime starts anew. Default `false`. */
  rolling?: boolean | undefined;
  /** Store and send new sessions that nothing was put in. Default `true`, deprecated: say `false`. */
  saveUninitialized?: boolean | undefined;
  /** What `req.session = null` does to the stored session. Default `'keep'`. */
  unset?: 'destroy' | 'keep' | undefined;
  /**
   * What happens when a session can't be saved, prolonged or destroyed at the end of a response. `'pass'` (default, as
   * express-session): the response goes out as written, and the error to `next()`. `'error'`: nothing of the response
   * goes out, and the app's error handler answers; a response that the app had begun to stream is cut off, and one of
   * status 500 and above goes out as written. Express runs an error handler once for a request: where it has answered
   * already, say with a 404, Express's own page takes its place.
   */
  saveFailure?: 'pass' | 'error' | undefined;
  /** Expire the browser's cookie when its session is destroyed, by `destroy()` or by `unset: 'destroy'`. Default `false`; `clear()` always does. */
  clearCookie?: boolean | undefined;
  /** How a {@link SessionStore}'s texts are made of the sessions' JSON data, and read again. Default: `JSON`, as express-session's stores have it. */
  serializer?: Serializer | undefined;
  /** How long a session is kept without a request when its cookie has no `maxAge`, in milliseconds; for stores of text. Default one day. */
  ttl?: number | undefined;
  /**
   * What two requests that change one session at the same time come to. `'merge'`: both changes are kept, and a session
   * that was destroyed stays so. `'overwrite'`: the last write wins, as in express-session. Default: `'merge'`, except
   * for stores made for express-session; with those, merging is safe among the requests of one process only, and a
   * new session takes one look at the store more.
   */
  concurrency?: 'merge' | 'overwrite' | undefined;
  /** When merging, decides on a key that both requests have changed. Default: the later write wins. */
  merge?: MergeFunction | undefined;
  /** What becomes of a request whose changes were dropped, since its session was destroyed meanwhile. `'error'`: as if saving had failed. Default `'ignore'`. */
  onInterrupted?: 'ignore' | 'error' | undefined;
  /**
   * How long the store may take over one operation, in milliseconds, before that fails with `ERR_SESSION_STORE_TIMEOUT`.
   * It holds for each step of a listing, too. A write that others keep getting in the way of is tried for five times as
   * long. 24 days at most. Default 30 seconds.
   */
  storeTimeout?: number | undefined;
  /**
   * What requests get while a store made for express-session says that it is disconnected, from its event `disconnect`
   * until `connect`. `'skip'` (default, as express-session): no `req.session`. `'error'`: `ERR_SESSION_STORE_DOWN`. A store
   * that fails or doesn't answer is an error for the request whatever this option says.
   */
  onStoreDown?: 'skip' | 'error' | undefined;
  /** How long a session may live however busy it is, in milliseconds since it began. `regenerate({ restart: true })` begins anew. Default: for ever. */
  absoluteTimeout?: number | undefined;
  /**
   * Milliseconds for which requests that only read leave the store and the cookie alone: the idle time is prolonged
   * no sooner than that after the last time. Has to be less than `cookie.maxAge` or, without one, `ttl`: else users are logged
   * out while they are active. Default 0: on every request.
   */
  touchAfter?: number | undefined;
  /**
   * Milliseconds after which a session gets a new id, so that a stolen one does not serve for long (OWASP: renew the id
   * periodically). Needs `concurrency: 'merge'`. Default: never.
   */
  rotateAfter?: number | undefined;
  /** How long the old id goes on to serve after a rotation, for requests under way, in milliseconds. Default one minute. */
  rotateGrace?: number | undefined;
  /** What happens when an id is used that was rotated away. `'revoke'`: its session is destroyed, since one of its users is a thief. Default `'ignore'`: the request gets a fresh session. An event `reuse` tells of it. */
  onReuse?: 'ignore' | 'revoke' | undefined;
  /** Whose a session is, so that `sessions.of(user)` and `sessions.revoke(user)` find it: a key of the session, such as `'userId'`, or a function of its data. The key is one of the top level; what it holds, and what the function returns, is a text or a number. */
  owner?: OwnerOption | undefined;
  /** Whether this request keeps its session alive; polling need not. One that doesn't does not rotate the id either. Default: all do. */
  touch?: ((req: AppRequest) => boolean) | undefined;
  /** Requests that have no business with sessions, such as static files and health checks: they get no `req.session`. */
  skip?: ((req: AppRequest) => boolean) | undefined;
  /** Save and send the cookie when only `req.session.cookie` has changed. Default `false`, as express-session. */
  trackCookie?: boolean | undefined;
  /** Sign the cookie anew, at once, when it was signed by a secret that is not the first. Default `false`, as express-session. */
  resign?: boolean | undefined;
  /** Add `Cache-Control: private` where the cookie is sent and the app says nothing of caching. Default `false`. */
  cachePrivate?: boolean | undefined;
  /** When a browser sends several cookies of ours, make it drop those that are not in use. Default `false`. */
  expireStrays?: boolean | undefined;
  /**
   * Store a new session that was changed too late for its cookie to go out. Default `true`, as express-session. Either way
   * `regenerate()` and `clear()` end the session that was there before: the browser, which keeps its cookie, is logged out.
   */
  storeUnreachable?: boolean | undefined;
  /** Warn of sessions with more characters than this, since all of them are read on every request. Default 65536. */
  largeSession?: number | undefined;
}

/** The options that express-session has. */
export const EXPRESS_SESSION_OPTIONS: readonly string[] = [
  'secret',
  'store',
  'cookie',
  'name',
  'key',
  'genid',
  'proxy',
  'resave',
  'rolling',
  'saveUninitialized',
  'unset',
];

/** What `session()` takes; {@link SessionOptions} as a list. */
export const OPTIONS: readonly string[] = [
  ...EXPRESS_SESSION_OPTIONS,
  'saveFailure',
  'clearCookie',
  'serializer',
  'ttl',
  'concurrency',
  'merge',
  'onInterrupted',
  'storeTimeout',
  'onStoreDown',
  'absoluteTimeout',
  'touchAfter',
  'rotateAfter',
  'owner',
  'rotateGrace',
  'onReuse',
  'touch',
  'skip',
  'trackCookie',
  'resign',
  'cachePrivate',
  'expireStrays',
  'storeUnreachable',
  'largeSession',
];

/** What the option `cookie` takes, and what the cookie of a stored session has besides. */
export const COOKIE_OPTIONS: readonly string[] = [
  'maxAge',
  'expires',
  'path',
  'domain',
  'httpOnly',
  'secure',
  'sameSite',
  'partitioned',
  'priority',
  'signed',
  'encode',
  'originalMaxAge',
];
