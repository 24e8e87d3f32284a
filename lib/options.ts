import type { IncomingMessage } from 'node:http';
import type { CookieOptions } from './cookie.js';
import type { AppRequest } from './express-types.js';
import { type MergeFunction, takeMine } from './merge.js';
import { badOption, describe, didYouMean } from './option-checks.js';
import type { OwnerOption } from './owners.js';
import { randomId } from './random-id.js';
import { isSecret, type Secret } from './signature.js';
import type { CallbackStore, Store } from './stores/connect-store.js';
import { MemoryStore } from './stores/memory.js';
import type { Serializer } from './stores/serialized.js';
import type { SessionStore } from './stores/store.js';
import { warnOnce } from './warnings.js';

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
  genid?(req: AppRequest): string;
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
   * What happens when a session can't be saved at the end of a response. `'pass'` (default, as express-session): the
   * response goes out as written, and the error to `next()`. `'error'`: nothing of the response goes out, and the app's
   * error handler answers; a response that the app had begun to stream is cut off.
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
   * for express-session's kind of stores; with those, merging is safe among the requests of one process only.
   */
  concurrency?: 'merge' | 'overwrite' | undefined;
  /** When merging, decides on a key that both requests have changed. Default: the later write wins. */
  merge?: MergeFunction | undefined;
  /** What becomes of a request whose changes were dropped, since its session was destroyed meanwhile. `'error'`: as if saving had failed. Default `'ignore'`. */
  onInterrupted?: 'ignore' | 'error' | undefined;
  /** How long the store may take over one operation, in milliseconds, before that fails with `ERR_SESSION_STORE_TIMEOUT`. Default 30 seconds. */
  storeTimeout?: number | undefined;
  /** What requests get while the store says that it is disconnected. `'skip'` (default, as express-session): no `req.session`. `'error'`: `ERR_SESSION_STORE_DOWN`. */
  onStoreDown?: 'skip' | 'error' | undefined;
  /** How long a session may live however busy it is, in milliseconds since it began. `regenerate({ restart: true })` begins anew. Default: for ever. */
  absoluteTimeout?: number | undefined;
  /**
   * Milliseconds for which requests that only read leave the store and the cookie alone: the idle time is prolonged
   * no sooner than that after the last time. Default 0: on every request.
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
  /** Whose a session is, so that `sessions.of(user)` and `sessions.revoke(user)` find it: a key of the session, such as `'userId'`, or a function of its data. */
  owner?: OwnerOption | undefined;
  /** Whether this request keeps its session alive; polling need not. Default: all do. */
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
  /** Store a new session that was changed too late for its cookie to go out. Default `true`, as express-session. */
  storeUnreachable?: boolean | undefined;
  /** Warn of sessions with more characters than this, since all of them are read on every request. Default 65536. */
  largeSession?: number | undefined;
}

/** The options as the core uses them: checked, and with defaults filled in. */
export interface Settings {
  name: string;
  /** `undefined`: each request brings its own, from `cookie-parser`. */
  secrets: Secret[] | undefined;
  store: Store | SessionStore;
  cookieOptions(req: IncomingMessage): CookieOptions;
  genid(req: IncomingMessage): string;
  /** What a session's idle time is unless it has one of its own, in milliseconds; `undefined` if that is not known before. */
  idleTime: number | undefined;
  /** Whether `cookieOptions` gives each request the same. */
  cookieIsFixed: boolean;
  proxy: boolean | undefined;
  resave: boolean;
  rolling: boolean;
  saveUninitialized: boolean;
  unset: 'destroy' | 'keep';
  saveFailure: 'pass' | 'error';
  clearCookie: boolean;
  serializer: Serializer | undefined;
  ttl: number;
  concurrency: 'merge' | 'overwrite';
  merge: MergeFunction;
  onInterrupted: 'ignore' | 'error';
  storeTimeout: number;
  onStoreDown: 'skip' | 'error';
  absoluteTimeout: number;
  touchAfter: number;
  rotateAfter: number;
  owner: OwnerOption | undefined;
  rotateGrace: number;
  onReuse: 'ignore' | 'revoke';
  touch(req: IncomingMessage): boolean;
  skip(req: IncomingMessage): boolean;
  trackCookie: boolean;
  resign: boolean;
  cachePrivate: boolean;
  expireStrays: boolean;
  storeUnreachable: boolean;
  largeSession: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

const OPTIONS: readonly string[] = [
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

const COOKIE_OPTIONS: readonly string[] = [
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

/**
 * Checks the options once, at start.
 * @param deprecate told of defaults that express-session deprecates
 * @throws TypeError for a value that could never work
 */
export function readOptions(options: SessionOptions, deprecate: (message: string) => void): Settings {
  const { resave, saveUninitialized } = options;
  const cookie = options.cookie || {};
  const genid = options.genid || randomId;
  if (typeof genid !== 'function') throw new TypeError('genid option must be a function');
  if (resave === undefined) deprecate('undefined resave option; provide resave option');
  if (saveUninitialized === undefined)
    deprecate('undefined saveUninitialized option; provide saveUninitialized option');
  if (options.unset && options.unset !== 'destroy' && options.unset !== 'keep') {
    throw new TypeError('unset option must be "destroy" or "keep"');
  }
  const secrets = readSecrets(options.secret);
  if (!secrets) deprecate('req.secret; provide secret option');
  warnOfUnknown(options, OPTIONS, '');
  if (typeof cookie !== 'function') checkCookie(cookie);
  const store = readStore(options.store);
  const ttl = readMilliseconds('ttl', options.ttl ?? DAY);
  const name = readName(options.name || options.key || 'connect.sid');
  if (typeof cookie !== 'function') checkPrefix(name, cookie);
  return {
    name,
    secrets,
    store,
    cookieOptions: typeof cookie === 'function' ? cookie : () => cookie,
    cookieIsFixed: typeof cookie !== 'function',
    idleTime: typeof cookie === 'function' ? undefined : idleTimeOf(cookie, ttl),
    genid,
    proxy: options.proxy,
    resave: resave === undefined ? true : Boolean(resave),
    rolling: Boolean(options.rolling),
    saveUninitialized: saveUninitialized === undefined ? true : Boolean(saveUninitialized),
    unset: options.unset || 'keep',
    saveFailure: oneOf('saveFailure', options.saveFailure ?? 'pass', ['pass', 'error']),
    clearCookie: readBoolean('clearCookie', options.clearCookie ?? false),
    serializer: readSerializer(options.serializer, store),
    ttl,
    concurrency: readConcurrency(options, store),
    merge: readFunction('merge', options.merge ?? takeMine),
    onInterrupted: oneOf('onInterrupted', options.onInterrupted ?? 'ignore', ['ignore', 'error']),
    storeTimeout: readMilliseconds('storeTimeout', options.storeTimeout ?? 30 * SECOND),
    onStoreDown: oneOf('onStoreDown', options.onStoreDown ?? 'skip', ['skip', 'error']),
    absoluteTimeout: options.absoluteTimeout
      ? readMilliseconds('absoluteTimeout', options.absoluteTimeout)
      : 0,
    touchAfter: options.touchAfter ? readMilliseconds('touchAfter', options.touchAfter) : 0,
    rotateAfter: options.rotateAfter ? readMilliseconds('rotateAfter', options.rotateAfter) : 0,
    rotateGrace: readMilliseconds('rotateGrace', options.rotateGrace ?? MINUTE),
    onReuse: oneOf('onReuse', options.onReuse ?? 'ignore', ['ignore', 'revoke']),
    owner: readOwner(options.owner),
    touch: readFunction('touch', options.touch ?? always),
    skip: readFunction('skip', options.skip ?? (() => false)),
    trackCookie: readBoolean('trackCookie', options.trackCookie ?? false),
    resign: readBoolean('resign', options.resign ?? false),
    cachePrivate: readBoolean('cachePrivate', options.cachePrivate ?? false),
    expireStrays: readBoolean('expireStrays', options.expireStrays ?? false),
    storeUnreachable: readBoolean('storeUnreachable', options.storeUnreachable ?? true),
    largeSession: readPositive('largeSession', options.largeSession ?? 65_536, 'number of characters'),
  };
}

/** Stores made for express-session take callbacks and make sessions; ours do neither. */
export function isCallbackStore(store: Store | SessionStore): store is Store {
  return typeof (store as Store).createSession === 'function' || store.get.length >= 2;
}

function always(): boolean {
  return true;
}

function idleTimeOf({ maxAge, expires }: CookieOptions, ttl: number): number | undefined {
  if (expires) return undefined;
  return typeof maxAge === 'number' ? maxAge : ttl;
}

function readConcurrency(
  { concurrency, rotateAfter }: SessionOptions,
  store: Store | SessionStore,
): 'merge' | 'overwrite' {
  const fallback = store instanceof MemoryStore || !isCallbackStore(store) ? 'merge' : 'overwrite';
  const choice = oneOf<'merge' | 'overwrite'>('concurrency', concurrency ?? fallback, ['merge', 'overwrite']);
  if (rotateAfter && choice === 'overwrite')
    throw badOption('concurrency', choice, "'merge' for rotateAfter to be safe");
  return choice;
}

function readSecrets(secret: SessionOptions['secret']): Secret[] | undefined {
  if (Array.isArray(secret) && secret.length === 0) {
    throw new TypeError('secret option array must contain one or more strings');
  }
  if (!secret) return undefined;
  const secrets = Array.isArray(secret) ? secret : [secret];
  for (const each of secrets) {
    if (!isSecret(each))
      throw new TypeError(
        `secret option must be a string, a Buffer, a KeyObject or an array of them; got ${typeof each}`,
      );
  }
  return secrets;
}

function readName(name: string): string {
  // a token, as RFC 6265bis section 4.1.1 has it
  if (typeof name === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return name;
  throw badOption('name', name, "a cookie name: letters, digits and !#$%&'*+-.^_`|~");
}

/** Browsers drop cookies that break the promise of their name (RFC 6265bis section 4.1.3). */
function checkPrefix(name: string, { secure, path = '/', domain }: CookieOptions): void {
  const prefix = /^__(secure|host)-/i.exec(name)?.[0].toLowerCase();
  if (prefix && !secure) throw badOption('cookie.secure', secure, `true for a cookie called ${name}`);
  if (prefix !== '__host-') return;
  if (path !== '/') throw badOption('cookie.path', path, `'/' for a cookie called ${name}`);
  if (domain) throw badOption('cookie.domain', domain, `left out for a cookie called ${name}`);
}

function readStore(given: SessionOptions['store']): Store | SessionStore {
  const store = given as Store | SessionStore | undefined;
  if (!store) {
    return new MemoryStore();
  }
  for (const method of ['get', 'set', 'destroy'] as const) {
    if (typeof store[method] !== 'function') throw missingMethod(store, method);
  }
  if (!isCallbackStore(store) && typeof store.touch !== 'function') throw missingMethod(store, 'touch');
  return store;
}

function missingMethod(store: unknown, method: string): TypeError {
  const hint = typeof store === 'function' ? '; pass an instance of it: `new ...`' : '';
  return new TypeError(
    `store option must be a session store, but it has no ${method}() method; got ${describe(store)}${hint}`,
  );
}

function checkCookie(cookie: CookieOptions): void {
  if (typeof cookie !== 'object' || cookie === null)
    throw badOption('cookie', cookie, 'an object or a function');
  warnOfUnknown(cookie, COOKIE_OPTIONS, 'cookie.');
  const { sameSite, priority, maxAge } = cookie;
  if (sameSite)
    oneOf('cookie.sameSite', lowerCased(sameSite), [true, 'lax', 'strict', 'none', 'auto'], sameSite);
  if (priority) oneOf('cookie.priority', lowerCased(priority), ['low', 'medium', 'high'], priority);
  if (maxAge && typeof maxAge !== 'number' && !((maxAge as unknown) instanceof Date)) {
    throw badOption('cookie.maxAge', maxAge, 'a number of milliseconds');
  }
}

function lowerCased<T>(value: T): T {
  return (typeof value === 'string' ? value.toLowerCase() : value) as T;
}

function oneOf<T>(name: string, value: T, allowed: readonly T[], given: unknown = value): T {
  if (allowed.includes(value)) return value;
  const words = allowed.map((each) => JSON.stringify(each)).join(', ');
  const meant =
    typeof given === 'string'
      ? didYouMean(
          given,
          allowed.filter((each) => typeof each === 'string'),
        )
      : undefined;
  throw badOption(name, given, `one of ${words}${meant ? ` (did you mean ${JSON.stringify(meant)}?)` : ''}`);
}

function readBoolean(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw badOption(name, value, 'true or false');
}

function readFunction<T>(name: string, value: T): T {
  if (typeof value === 'function') return value;
  throw badOption(name, value, 'a function');
}

function readSerializer(
  serializer: Serializer | undefined,
  store: Store | SessionStore,
): Serializer | undefined {
  if (serializer === undefined) return undefined;
  if (typeof serializer?.stringify !== 'function' || typeof serializer.parse !== 'function') {
    throw badOption('serializer', serializer, 'an object with the functions stringify and parse');
  }
  if (isCallbackStore(store)) {
    throw badOption(
      'serializer',
      serializer,
      "left out with express-session's kind of stores, which have their own",
    );
  }
  return serializer;
}

function readOwner(owner: unknown): OwnerOption | undefined {
  if (owner === undefined || typeof owner === 'function' || (typeof owner === 'string' && owner !== '')) {
    return owner as OwnerOption | undefined;
  }
  throw badOption('owner', owner, 'the name of a key, or a function of the session data');
}

function readMilliseconds(name: string, value: unknown): number {
  return readPositive(name, value, 'number of milliseconds');
}

function readPositive(name: string, value: unknown, what: string): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw badOption(name, value, `a positive ${what}`);
}

/** A warning, not an error: express-session lets apps pass what it doesn't know. */
function warnOfUnknown(options: object, known: readonly string[], prefix: string): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const meant = didYouMean(name, known);
    const hint = meant ? `did you mean ${prefix}${meant}?` : `known are: ${known.join(', ')}`;
    warnOnce('WARN_SESSION_UNKNOWN_OPTION', `unknown option ${prefix}${name} is ignored; ${hint}`);
  }
}
