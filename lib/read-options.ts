import { IncomingMessage } from 'node:http';
import { adviseOnGenid, adviseOnTouchAfter } from './advice.js';
import { compact } from './compact.js';
import { checkCookie, checkPrefix, lifetimeOf } from './cookies/check-cookie.js';
import type { CookieOptions } from './cookies/cookie.js';
import { randomId } from './cookies/random-id.js';
import { isSecret, type Secret } from './cookies/signature.js';
import { isPromise } from './drivers/awaitable.js';
import { SteadyError } from './errors.js';
import { type MergeFunction, takeMine } from './merge.js';
import {
  awaitHint,
  badOption,
  describe,
  describeWithoutText,
  hasMethods,
  oneOf,
  readBoolean,
  readFunction,
  readMilliseconds,
  readPeriod,
  readPositive,
  readTimer,
} from './option-checks.js';
import { EXPRESS_SESSION_OPTIONS, type SessionOptions } from './options.js';
import type { OwnerOption } from './owners.js';
import type { Store } from './stores/connect-store.js';
import { isCallbackStore, isOnlyCallbackStore } from './stores/contract.js';
import { MemoryStore } from './stores/memory.js';
import type { Serializer } from './stores/serialized.js';
import type { SessionStore } from './stores/store.js';
import { warnOfUnknownCookieOptions, warnOfUnknownOptions } from './unknown-options.js';

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
  /** The cookie is to be secure where its request is. */
  isSecureAuto: boolean;
  /** The app has given no option but express-session's, and may not know of us. */
  isDropIn: boolean;
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

/**
 * Checks the options once, at start.
 * @param deprecate told of defaults that express-session deprecates
 * @throws TypeError for a value that could never work
 */
export function readOptions(options: SessionOptions, deprecate: (message: string) => void): Settings {
  checkKind(options);
  const { resave, saveUninitialized } = options;
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
  warnOfUnknownOptions(options);
  const cookie = readCookie(options.cookie);
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
    isSecureAuto: typeof cookie !== 'function' && cookie.secure === 'auto',
    idleTime: typeof cookie === 'function' ? undefined : idleTimeOf(cookie, ttl),
    genid: options.genid ? compactIds(genid) : genid,
    isDropIn: Object.keys(options).every((option) => EXPRESS_SESSION_OPTIONS.includes(option)),
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
    storeTimeout: readTimer('storeTimeout', options.storeTimeout ?? 30 * SECOND),
    onStoreDown: oneOf('onStoreDown', options.onStoreDown ?? 'skip', ['skip', 'error']),
    absoluteTimeout: readPeriod('absoluteTimeout', options.absoluteTimeout),
    touchAfter: readTouchAfter(options, store, ttl),
    rotateAfter: readPeriod('rotateAfter', options.rotateAfter),
    rotateGrace: readMilliseconds('rotateGrace', options.rotateGrace ?? MINUTE),
    onReuse: oneOf('onReuse', options.onReuse ?? 'ignore', ['ignore', 'revoke']),
    owner: readOwner(options.owner),
    touch: readAnswering('touch', options.touch, () => true),
    skip: readAnswering('skip', options.skip, () => false),
    trackCookie: readBoolean('trackCookie', options.trackCookie ?? false),
    resign: readBoolean('resign', options.resign ?? false),
    cachePrivate: readBoolean('cachePrivate', options.cachePrivate ?? false),
    expireStrays: readBoolean('expireStrays', options.expireStrays ?? false),
    storeUnreachable: readBoolean('storeUnreachable', options.storeUnreachable ?? true),
    largeSession: readSize('largeSession', options.largeSession ?? 65_536),
  };
}

/** Shows no text: it may be a secret. An array or a function is taken for options without any, as in express-session. */
function checkKind(options: unknown): void {
  const isRequest = options instanceof IncomingMessage;
  const isKind = typeof options === 'object' || typeof options === 'function';
  if (isKind && !isRequest && !isPromise(options)) return;
  const hint = isRequest
    ? '; did you mean app.use(session({ ... })), and not app.use(session)?'
    : typeof options === 'string'
      ? '; did you mean { secret: ... }?'
      : awaitHint(options);
  throw new TypeError(
    `options must be an object, such as { secret, store }; got ${describeWithoutText(options)}${hint}`,
  );
}

function readSize(name: string, value: unknown): number {
  return value === Infinity ? value : readPositive(name, value, 'number of characters');
}

/** An id may be kept for long, and is not to keep what it was cut out of. */
function compactIds(genid: (req: any) => string): (req: IncomingMessage) => string {
  return (req) => {
    const id: unknown = genid(req);
    if (typeof id === 'string' && id !== '') return compact(id);
    adviseOnGenid(id);
    return id as string;
  };
}

function idleTimeOf({ maxAge, expires }: CookieOptions, ttl: number): number | undefined {
  if (expires) return undefined;
  return typeof maxAge === 'number' ? maxAge : ttl;
}

/** A session that is not touched before it has ended ends for its users while they are at work. */
function readTouchAfter(
  { touchAfter, cookie }: SessionOptions,
  store: Store | SessionStore,
  ttl: number,
): number {
  const pause = readPeriod('touchAfter', touchAfter);
  if (pause === 0 || typeof cookie === 'function' || cookie?.expires) return pause;
  const maxAge = cookie ? lifetimeOf(cookie) : undefined;
  const isKeptByTtl = maxAge === undefined && !isOnlyCallbackStore(store);
  const limit = isKeptByTtl ? ttl : maxAge;
  if (limit !== undefined && pause >= limit)
    adviseOnTouchAfter(pause, isKeptByTtl ? 'ttl' : 'cookie.maxAge', limit);
  return pause;
}

function readConcurrency(
  { concurrency, rotateAfter }: SessionOptions,
  store: Store | SessionStore,
): 'merge' | 'overwrite' {
  const fallback = isOnlyCallbackStore(store) ? 'overwrite' : 'merge';
  const choice = oneOf<'merge' | 'overwrite'>('concurrency', concurrency ?? fallback, ['merge', 'overwrite']);
  if (!rotateAfter || choice === 'merge') return choice;
  if (concurrency) throw badOption('concurrency', choice, "'merge' for rotateAfter to be safe");
  throw new TypeError(
    "rotateAfter option needs concurrency: 'merge', which is not the default with a store made for express-session; add it",
  );
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
        `secret option must be a string, a Buffer, a KeyObject or an array of them; got ${each === null ? 'null' : typeof each}`,
      );
  }
  return secrets;
}

function readName(name: string): string {
  // a token, as RFC 6265bis section 4.1.1 has it
  if (typeof name === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return name;
  throw badOption('name', name, "a cookie name: letters, digits and !#$%&'*+-.^_`|~");
}

function readStore(given: SessionOptions['store']): Store | SessionStore {
  const store = given as Store | SessionStore | undefined;
  if (!store) {
    return new MemoryStore();
  }
  if (isRedisClient(store)) throw clientOfStore('a Redis client', 'RedisStore({ client })', 'redis');
  for (const method of ['get', 'set', 'destroy'] as const) {
    if (typeof store[method] !== 'function') throw missingMethod(store, method);
  }
  if (!isCallbackStore(store) && typeof store.touch !== 'function') throw missingMethod(store, 'touch');
  return store;
}

/** A client of `redis` or `ioredis` has all four methods by chance; its sessions would never end, and the first logout would end the client. */
function isRedisClient(store: object): boolean {
  const { sendCommand } = store as { sendCommand?: unknown };
  return typeof sendCommand === 'function';
}

function clientOfStore(what: string, example: string, entry: string): TypeError {
  return new TypeError(
    `store option must be a session store, and this is ${what}: give it to one, as in new ${example} of 'steady-session/${entry}'`,
  );
}

function missingMethod(store: unknown, method: string): TypeError {
  if (hasMethods(store, 'query', 'connect'))
    return clientOfStore('a pool of a database', 'PostgresStore({ pool })', 'postgres');
  const what = `store option must be a session store, but it has no ${method}() method; got ${describeWithoutText(store)}`;
  const hint = storeMeant(store);
  return new TypeError(hint ? `${what}; ${hint}` : what);
}

function storeMeant(store: unknown): string | undefined {
  if (typeof store === 'function') return 'pass an instance of it: `new ...`';
  if (hasMethods(store, 'then')) return 'wait for it: `await ...`';
  if (hasMethods(store, 'getItem', 'setItem')) return 'make it one: fromUnstorage(storage)';
  if (Array.isArray((store as { stores?: unknown }).stores)) return 'make it one: fromCacheManager(cache)';
  if (hasMethods(store, 'get', 'set', 'delete')) return 'make it one: fromMap(map) or fromKeyv(keyv)';
  return undefined;
}

function readCookie(cookie: SessionOptions['cookie']): CookieOptions | ((req: any) => CookieOptions) {
  const given = cookie || {};
  if (typeof given === 'function') return checkedCookie(given);
  if (typeof given !== 'object' || Array.isArray(given))
    throw badOption('cookie', given, 'an object or a function');
  warnOfUnknownCookieOptions(given);
  checkCookie(given);
  return given;
}

/** A promise has no attributes: the cookie would leave without `Secure`, say, and nobody be told. */
function checkedCookie(cookie: (req: any) => CookieOptions): (req: any) => CookieOptions {
  let isKnown = false;
  return (req) => {
    const options: unknown = cookie(req);
    if (typeof options !== 'object' || options === null || isPromise(options))
      throw badAnswer('cookie', 'an object of options', options);
    if (!isKnown) warnOfUnknownCookieOptions(options);
    isKnown = true;
    return options;
  };
}

/** A promise would count as `true`. */
function readAnswering<T>(
  name: string,
  given: ((req: any) => T) | undefined,
  fallback: () => T,
): (req: any) => T {
  if (given === undefined || given === null) return fallback;
  readFunction(name, given);
  return (req) => {
    const answer = given(req);
    if (isPromise(answer)) throw badAnswer(name, 'true or false', answer);
    return answer;
  };
}

function badAnswer(name: string, allowed: string, given: unknown): SteadyError {
  const text = `the option ${name} must return ${allowed}, at once; got ${describe(given)}`;
  return new SteadyError('ERR_SESSION_OPTION', text);
}

function readSerializer(
  serializer: Serializer | undefined,
  store: Store | SessionStore,
): Serializer | undefined {
  if (serializer == null) return undefined;
  if (typeof serializer?.stringify !== 'function' || typeof serializer.parse !== 'function') {
    throw badOption('serializer', serializer, 'an object with the functions stringify and parse');
  }
  if (isCallbackStore(store)) {
    throw badOption(
      'serializer',
      serializer,
      'left out with MemoryStore and stores made for express-session, which have their own',
    );
  }
  return serializer;
}

function readOwner(owner: unknown): OwnerOption | undefined {
  if (typeof owner === 'string' && owner.includes('.')) throw dottedOwner(owner);
  if (owner == null) return undefined;
  if (typeof owner === 'function' || (typeof owner === 'string' && owner !== '')) return owner as OwnerOption;
  throw badOption('owner', owner, 'the name of a key, or a function of the session data');
}

/** A path would be taken for the name of a key, which no session has. */
function dottedOwner(owner: string): TypeError {
  const path = owner.split('.');
  const isPath = path.every((key) => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key));
  const meant = isPath ? path.join('?.') : `[${JSON.stringify(owner)}]`;
  const hint = `did you mean \`(data) => data${isPath ? '.' : ''}${meant}\`?`;
  return badOption('owner', owner, `the name of one key, or a function of the session data (${hint})`);
}
