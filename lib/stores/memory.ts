import { SteadyError } from '../errors.js';
import { badOption } from '../option-checks.js';
import type { Callback, SessionData } from '../session.js';
import { nextTurn } from '../timers.js';
import { callable, makeEnumerable } from './callable.js';
import { type SessionCallback, Store } from './connect-store.js';
import { MemoryRecords } from './memory-records.js';
import type { SessionStore, SetOptions } from './store.js';
import { checkOptions } from './store-options.js';
import { recordsBehind, type Texts, textsObject } from './texts-object.js';

export interface MemoryStoreOptions {
  /**
   * How long, in milliseconds, a session is kept after it was last set or touched when its cookie has no expiry, so
   * that the browser keeps it until it is closed. For users of express-session's contract; in the other one each
   * write says when it expires.
   * @default 86_400_000 (24 hours)
   */
  ttl?: number | undefined;
  /**
   * How many sessions are kept at most. Where one more comes, the one that would expire first is dropped.
   * @default Infinity
   */
  max?: number | undefined;
}

const DAY = 24 * 60 * 60 * 1000;

/** Options of the package `memorystore`. */
const ELSEWHERE = { checkPeriod: 'expired sessions leave memory by themselves, so leave it out' };

/** All live sessions by id, on an object without a prototype: an id may be any string. */
type Sessions = Record<string, SessionData>;

/**
 * Keeps sessions in the memory of this process, until it ends: for development, tests and small programs that run as
 * one process.
 *
 * What it stores is text, so that nobody shares an object with it. A session leaves memory when it expires, whether or
 * not anybody asks for it. The store speaks both contracts: {@link SessionStore}, with atomic writes, and that of
 * express-session, by callback or, where none is given, by promise.
 */
class MemorySessionStore extends Store implements SessionStore {
  /** @internal The records, without promises or callbacks. */
  declare readonly records: MemoryRecords;
  declare private readonly textsById: Texts;
  /** @internal */
  declare readonly sessionTtl: number;

  /**
   * With a callback: the session under `id`, as an object of the caller's own.
   *
   * Without one, a promise of what `set` was given: text if it was text, a session object if it was a session.
   */
  get<T = string>(id: string): Promise<T | undefined>;
  get(id: string, callback: SessionCallback): void;
  get(id: string, callback?: SessionCallback): unknown {
    const key = String(id);
    if (callback) return answer(callback, () => readSession(this, key));
    return promise(() => (this.records.isSession(key) ? readSession(this, key) : this.records.read(key)));
  }

  /**
   * With text: see {@link SessionStore.set}.
   *
   * With a session object: stores its JSON, until its `cookie.expires` or, for want of that, for `ttl` ms.
   */
  set(id: string, text: string, how: SetOptions): Promise<boolean>;
  set(id: string, session: object): Promise<void>;
  set(id: string, session: object, callback: Callback | undefined): void;
  set(id: string, value: string | object, how?: SetOptions | Callback): unknown {
    const key = String(id);
    if (typeof how === 'function') return finish(how, () => writeSession(this, key, value as object));
    const isText = typeof value === 'string' || how;
    return promise(() =>
      isText ? this.records.write(key, value as string, how as SetOptions) : writeSession(this, key, value),
    );
  }

  /**
   * With a time (epoch ms): see {@link SessionStore.touch}.
   *
   * With a session object: replaces the cookie of the stored session by the given one's, and so its expiry, and leaves
   * the rest as it is stored. Does nothing if there is no such session.
   */
  override touch(id: string, expires: number): Promise<boolean>;
  override touch(id: string, session: object): Promise<void>;
  override touch(id: string, session: object, callback: Callback | undefined): void;
  override touch(id: string, value: number | object, callback?: Callback): unknown {
    const key = String(id);
    if (typeof value === 'number') return promise(() => this.records.prolong(key, value));
    const work = () => touchSession(this, key, value as SessionData);
    return callback ? finish(callback, work) : promise(work);
  }

  /** Deletes what is stored under `id`. Fine if there is nothing. */
  destroy(id: string): Promise<void>;
  destroy(id: string, callback: Callback | undefined): void;
  destroy(id: string, callback?: Callback): unknown {
    const work = () => this.records.remove(String(id));
    return callback ? finish(callback, work) : promise(work);
  }

  /** All live sessions by id. It parses every one of them, in one go. */
  override all(): Promise<Sessions>;
  override all(callback: (error: any, sessions?: Sessions) => void): void;
  override all(callback?: (error: any, sessions?: Sessions) => void): unknown {
    const work = () => parseAll(this.records);
    return callback ? answer(callback, work) : promise(work);
  }

  /**
   * How many sessions are stored and have not expired. Takes constant time, unless many have expired just now: those
   * are removed first, in slices.
   */
  override length(): Promise<number>;
  override length(callback: (error: any, length?: number) => void): void;
  override length(callback?: (error: any, length?: number) => void): unknown {
    const count = this.records.count();
    return callback ? void count.then((size) => nextTurn(callback, null, size)) : count;
  }

  /** Deletes all sessions. */
  override clear(): Promise<void>;
  override clear(callback: Callback | undefined): void;
  override clear(callback?: Callback): unknown {
    const work = () => this.records.clear();
    return callback ? finish(callback, work) : promise(work);
  }

  /** The ids of all live sessions, in any order. Sessions may come and go while they are read. */
  async *ids(): AsyncGenerator<string, void, undefined> {
    for (const [id] of this.records.entries()) yield id;
  }

  /**
   * All live texts by id. What is put in, or deleted, is stored or destroyed at once; a text that says nothing of when it
   * expires is kept for `ttl` ms. Another object in its place is copied, but for that of another store: two stores then
   * hold the same sessions. What was in its place before is a store's no longer, and can be put back.
   */
  get sessions(): Record<string, string> {
    return this.textsById;
  }

  set sessions(given: Record<string, string>) {
    this.keepIn(recordsBehind(given) ?? recordsOf(this, given));
  }

  /** Ends the store's timer. The store goes on answering, but expired sessions then leave memory only when asked for. */
  close(): void {
    this.records.close();
  }

  /** @internal The contract of text alone, for all records, also those that were put in as sessions. */
  get texts(): SessionStore {
    return {
      get: async (id) => this.records.read(id),
      set: async (id, text, how) => this.records.write(id, text, how),
      touch: async (id, expires) => this.records.prolong(id, expires),
      destroy: async (id) => this.records.remove(id),
    };
  }

  /** @internal `false` if a subclass or the app has replaced a method: then it wants to be called. */
  get isPlain(): boolean {
    return (
      this.get === PLAIN.get &&
      this.set === PLAIN.set &&
      this.touch === PLAIN.touch &&
      this.destroy === PLAIN.destroy &&
      this.regenerate === PLAIN.regenerate
    );
  }

  /** @internal */
  keepIn(records: MemoryRecords): void {
    const write = (id: string, value: unknown) => writeText(this, records, id, value);
    // Not enumerable: whoever logs the store must not find everybody's sessions in the log.
    Object.defineProperties(this, {
      records: { value: records, configurable: true },
      textsById: { value: textsObject(records, write), configurable: true },
    });
  }
}

/** As express-session's, so that `Object.assign(My.prototype, MemoryStore.prototype)` takes them along. */
makeEnumerable(MemorySessionStore.prototype, 'get', 'set', 'touch', 'destroy', 'all', 'length', 'clear');

/** Taken now, since an app may put methods of its own on the prototype, too. */
const PLAIN = plainMethodsOf(MemorySessionStore.prototype);

function plainMethodsOf({ get, set, touch, destroy, regenerate }: MemorySessionStore) {
  return { get, set, touch, destroy, regenerate };
}

// ---- What the methods do. These are no methods, which a store that is not of this class, but has our methods, would lack.

function recordsOf(store: MemorySessionStore, texts: Record<string, unknown>): MemoryRecords {
  const records = store.records.fresh();
  for (const [id, value] of Object.entries(texts)) writeText(store, records, id, value);
  return records;
}

/** Whatever it is, as express-session's: nobody looks at it before it is read. */
function writeText(store: MemorySessionStore, records: MemoryRecords, id: string, value: unknown): void {
  if (!value) return records.remove(id);
  const text = String(value);
  records.write(id, text, { expires: expiryOf(store, parsedIfPossible(text)) }, true);
}

function readSession({ records }: MemorySessionStore, id: string): SessionData | undefined {
  const text = records.read(id);
  return text === undefined ? undefined : parseSession(text);
}

function writeSession(store: MemorySessionStore, id: string, session: object): void {
  const text = JSON.stringify(session) as string | undefined;
  if (text === undefined) store.records.remove(id);
  else store.records.write(id, text, { expires: expiryOf(store, session) }, true);
}

function touchSession(store: MemorySessionStore, id: string, session: SessionData): void {
  const stored = readSession(store, id);
  if (!stored) return;
  stored.cookie = session.cookie;
  const how = { expires: expiryOf(store, stored) };
  store.records.write(id, JSON.stringify(stored), how, store.records.isSession(id));
}

/** Epoch ms. A cookie that ends with the browser has no expiry, or (`JSON` of an invalid date) none that makes sense. */
function expiryOf({ sessionTtl }: MemorySessionStore, session: object): number {
  const expires: unknown = (session as Partial<SessionData> | null)?.cookie?.expires;
  const time = expires ? new Date(expires as Date | string).getTime() : Number.NaN;
  return Number.isNaN(time) ? Date.now() + sessionTtl : time;
}

function parseAll(records: MemoryRecords): Sessions {
  const all: Sessions = Object.create(null);
  for (const [id, text] of records.entries()) {
    const session = parseSession(text);
    if (session !== undefined) all[id] = session;
  }
  return all;
}

/** A text that holds no object holds no session; express-session would fail on it later. */
function parseSession(text: string): SessionData | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own error quotes the record, and so would end up with it in a log.
    throw new SteadyError(
      'ERR_SESSION_RECORD_NOT_JSON',
      'the stored record is not JSON; it was stored as text, so read it by get(id), without a callback',
    );
  }
  return typeof value === 'object' && value !== null ? (value as SessionData) : undefined;
}

function parsedIfPossible(text: string): object {
  try {
    return parseSession(text) ?? {};
  } catch {
    return {};
  }
}

// ---- Answers. All work is done before the caller goes on; a callback is called later, as express-session's is.

/** Calls back with an error or with `null` and what the work came to. */
function answer<T>(callback: (error?: any, value?: T) => void, work: () => T | undefined): void {
  let value: T | undefined;
  try {
    value = work();
  } catch (error) {
    nextTurn(callback, error);
    return;
  }
  nextTurn(callback, null, value);
}

/** Calls back with an error or with nothing at all. */
function finish(callback: Callback, work: () => void): void {
  try {
    work();
  } catch (error) {
    nextTurn(callback, error);
    return;
  }
  nextTurn(callback);
}

async function promise<T>(work: () => T): Promise<T> {
  return work();
}

// ---- The constructor

function readOptions(options: MemoryStoreOptions): { ttl: number; max: number } {
  checkOptions('MemoryStore', options, ['ttl', 'max'], ELSEWHERE);
  const { ttl = DAY, max = Infinity } = options;
  if (typeof ttl !== 'number' || !(ttl > 0)) {
    throw badOption('MemoryStore: ttl', ttl, 'a positive number of milliseconds');
  }
  if (max !== Infinity && !(Number.isInteger(max) && max > 0)) {
    throw badOption('MemoryStore: max', max, 'a positive whole number');
  }
  return { ttl, max };
}

export type MemoryStore = MemorySessionStore;

/** What {@link MemoryStore} is made with: `new`, `class X extends`, or `MemoryStore.call(this, options)`. */
export interface MemoryStoreConstructor {
  /** @throws TypeError if an option is unknown or makes no sense */
  new (options?: MemoryStoreOptions): MemoryStore;
  (this: object, options?: MemoryStoreOptions): void;
  readonly prototype: MemoryStore;
}

export const MemoryStore: MemoryStoreConstructor = callable('MemoryStore', MemorySessionStore, initialize);

function initialize(this: object, options: MemoryStoreOptions = {}): void {
  const { ttl, max } = readOptions(options);
  Store.call(this);
  Object.defineProperty(this, 'sessionTtl', { value: ttl });
  MemorySessionStore.prototype.keepIn.call(this as MemorySessionStore, new MemoryRecords(max));
}
