import { createHash } from 'node:crypto';
import { adviseOnOwner } from './advice.js';
import type { Core } from './core.js';
import type { TextStore } from './drivers/awaitable.js';
import { longestWrite } from './drivers/back-off.js';
import { messageOf, SteadyError } from './errors.js';
import type { SessionRecord } from './merge.js';
import { describe, describeWithoutText } from './option-checks.js';
import { isBeingRotatedFrom, isPointer, MOST_HOPS, pointerOf } from './pointer.js';
import { parseRecord } from './record.js';
import { ownedRecord } from './stores/owned-record.js';
import type { OwnedRecord, SessionStore } from './stores/store.js';

/** To whom a session belongs: the name of the key that holds the user's id, or a function of the session's data. */
export type OwnerOption = string | ((data: any) => string | number | undefined | null);

/** One session in a listing of a user's sessions. */
export interface OwnedSession {
  /** Names the session in a page or a form; a hash, useless as a session id. */
  handle: string;
  /** When the session began; known with `absoluteTimeout`. */
  createdAt: Date | undefined;
  /**
   * When the session ends, as its record tells, or later: a touch need not change the record. `undefined` where the record
   * does not tell, or tells a time that has passed.
   */
  expiresAt: Date | undefined;
  /** What the app has put in it. */
  data: Record<string, unknown>;
  /**
   * Destroys the session, and closes its sockets; also when its id has been rotated since it was listed, except behind
   * `hashIds`, where it has to be listed again.
   */
  revoke(): Promise<void>;
}

/** The owner of a stored session, or `undefined` if it has none. */
export function ownerOf(record: SessionRecord, option: OwnerOption | undefined): string | undefined {
  if (option === undefined) return undefined;
  const { cookie: _, ...data } = record;
  const owner =
    typeof option === 'function' ? option(data) : Object.hasOwn(data, option) ? data[option] : undefined;
  if (typeof owner === 'string' || typeof owner === 'number') return String(owner);
  adviseOnOwner(owner);
  return undefined;
}

/** The same where the app's function may throw: the session then has no owner, and `report` is told. */
export function ownerOrNone(
  record: SessionRecord,
  option: OwnerOption,
  report: (error: SteadyError) => void,
): string | undefined {
  try {
    return ownerOf(record, option);
  } catch (cause) {
    const reason = messageOf(cause);
    const text = `the option owner threw, so that nobody finds this session by its owner: ${reason}`;
    report(new SteadyError('ERR_SESSION_OWNER', text, { cause }));
    return undefined;
  }
}

/**
 * Whether the store has an index that may forget a session which is to end: not where a write may come yet that relies on the
 * entry that it has made, as where the last write wins, or where another process has compared and is about to write. A store
 * without one is not told of owners: its destroy() may take a callback there.
 */
export function mayBeForgotten({ settings }: Core, { owned, atomic }: TextStore): boolean {
  return owned !== undefined && atomic !== false && settings.concurrency === 'merge';
}

/** A user's live sessions. */
export async function* sessionsOf(
  core: Core,
  store: SessionStore,
  owner: string,
): AsyncGenerator<OwnedSession> {
  for await (const { found, record } of find(core, store, owner)) {
    const { cookie, ...data } = record;
    const { createdAt, expires } = cookie as Record<string, unknown>;
    yield {
      handle: createHash('sha256').update(`handle ${found.key}`).digest('base64url').slice(0, 22),
      createdAt: dateOf(createdAt),
      expiresAt: dateToCome(expires),
      data,
      revoke: () => revokeOne(core, store, found, owner),
    };
  }
}

/**
 * Destroys a user's sessions but the one with the id `except`.
 * @returns how many there were
 */
export async function revokeSessions(
  core: Core,
  store: SessionStore,
  owner: string,
  except?: string,
): Promise<number> {
  const revoked = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const before = revoked.size;
    for await (const { found, record } of find(core, store, owner)) {
      const isBack = revoked.has(found.key); // where the last write wins; or the listing is out of date
      if (!isBack && except !== undefined && (await isSpared(core, found, record, except))) continue;
      await (isBack ? endOne : revokeOne)(core, store, found, owner);
      revoked.add(found.key);
    }
    if (revoked.size === before && round > 0) break; // else a session may have got another id while it was listed
  }
  return revoked.size;
}

/** Whether this is the session with that id, or the one that it has become, or is becoming: another request may rotate it. */
async function isSpared(
  core: Core,
  found: OwnedRecord,
  record: SessionRecord,
  except: string,
): Promise<boolean> {
  if (found.matches(except)) return true;
  if (core.settings.rotateAfter === 0) return false;
  const line = await core.updater.lineOf(except);
  const within = longestWrite(core.settings.storeTimeout);
  return [except, ...line].some((id) => found.matches(id) || isBeingRotatedFrom(id, record, within));
}

/** What the sockets of a revoked session are told. */
const REVOKED = 'session revoked';

/** How often the sessions are listed at most. */
const ROUNDS = 10;

async function revokeOne(core: Core, store: SessionStore, found: OwnedRecord, owner: string): Promise<void> {
  const start = performance.now();
  await endOne(core, store, found, owner);
  core.events.emit('destroy', found.key, { duration: performance.now() - start });
}

async function endOne(core: Core, store: SessionStore, found: OwnedRecord, owner: string): Promise<void> {
  const { key } = found;
  const former = mayBeForgotten(core, store) ? owner : undefined;
  const mayHaveMoved = core.settings.rotateAfter > 0 && found.matches(key); // an id, not the hash of one
  if (mayHaveMoved) return core.updater.end(key, { reason: REVOKED, owner: former });
  await (former === undefined ? found.destroy() : found.destroy(former));
  core.sockets.endMatching((id) => found.matches(id), REVOKED);
}

/**
 * The store's index tells which records may be the user's; the records themselves have the last word. A session whose id
 * is rotated meanwhile is looked for under its new one, which the listing may have missed. A store that keeps no ids does
 * not tell the new one: then it is asked again, until that brings no such record that was not there before.
 */
async function* find(
  core: Core,
  store: SessionStore,
  owner: string,
): AsyncGenerator<{ found: OwnedRecord; record: SessionRecord }> {
  const { owner: option } = core.settings;
  if (option === undefined) {
    throw new SteadyError(
      'ERR_SESSION_NO_OWNER',
      "to list or revoke a user's sessions, tell session() by the option `owner` whose they are",
    );
  }
  const given: OwnedRecord[] = [];
  const followed: string[] = [];
  const deadEnds = new Set<string>();
  for (let round = 0, before = -1; round < ROUNDS && deadEnds.size > before; round++) {
    before = deadEnds.size;
    for await (const listed of store.owned?.(owner) ?? scan(store)) {
      if (followed.some((id) => listed.matches(id)) || given.some(({ key }) => key === listed.key)) continue;
      const found = await follow(store, listed);
      if (!found || isPointer(found.value)) deadEnds.add(listed.key);
      if (!found || given.some((each) => each.matches(found.key))) continue;
      const record = parseRecord(found.value);
      const report = (error: SteadyError) => core.events.report(listed.key, undefined, error);
      if (!record || ownerOrNone(record, option, report) !== owner) continue;
      if (found !== listed) followed.push(found.key);
      given.push(found);
      yield { found, record };
    }
  }
}

/** What a session is stored as now, if its id has been rotated since it was listed; the pointer, if it does not tell where to. */
async function follow(store: SessionStore, listed: OwnedRecord): Promise<OwnedRecord | undefined> {
  let found: OwnedRecord | undefined = listed;
  for (let hops = 0; found && hops < MOST_HOPS; hops++) {
    const pointer = pointerOf(found.key, found.value);
    if (!pointer) break;
    found = await read(store, pointer.target);
  }
  return found;
}

/** Goes through all sessions: for stores that have no index but can list. */
async function* scan(store: SessionStore): AsyncGenerator<OwnedRecord> {
  if (!store.ids) {
    throw new SteadyError(
      'ERR_SESSION_NOT_LISTABLE',
      'the session store can neither list sessions nor find those of one owner; give it `ids()` or `owned()`; behind hashIds() it needs `owned()`',
    );
  }
  for await (const id of store.ids()) {
    const found = await read(store, id);
    if (found) yield found;
  }
}

async function read(store: SessionStore, id: string): Promise<OwnedRecord | undefined> {
  const value = await store.get(id);
  if (value === undefined) return undefined;
  return ownedRecord(store, id, value);
}

function dateToCome(value: unknown): Date | undefined {
  const date = dateOf(value);
  return date && date.getTime() > Date.now() ? date : undefined;
}

function dateOf(value: unknown): Date | undefined {
  const date = typeof value === 'number' || typeof value === 'string' ? new Date(value) : undefined;
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}

/** The owner as the store knows it. `String(undefined)` would be a user of that name, and a logout of nobody. */
export function ownerText(method: string, owner: unknown): string {
  const isNumber = typeof owner === 'number' && !Number.isNaN(owner);
  if (isNumber || (typeof owner === 'string' && owner !== '')) return String(owner);
  throw new TypeError(
    `${method}(): the owner must be a number or a string that is not empty; got ${describe(owner)}`,
  );
}

/** A misspelt exception would be none, and end the very session that asks. */
export function exceptionOf(how: { except?: string | undefined }): string | undefined {
  const isObject = typeof how === 'object' && how !== null;
  const unknown = isObject ? Object.keys(how).filter((key) => key !== 'except') : [];
  if (isObject && unknown.length === 0 && ['string', 'undefined'].includes(typeof how.except))
    return how.except;
  const [name = 'except'] = unknown;
  const given = isObject
    ? `{ ${name}: ${describeWithoutText((how as Record<string, unknown>)[name])} }`
    : describeWithoutText(how);
  throw new TypeError(`revoke(): the second argument must be { except: the id of a session }; got ${given}`);
}
