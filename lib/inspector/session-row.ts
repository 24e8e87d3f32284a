import { ownerOf } from '../owners.js';
import type { Settings } from '../read-options.js';
import type { Sighting } from './directory.js';
import { printable } from './printable.js';

/** A live session, as the page shows it: never its id, and of its data nothing but the names. */
export interface SessionRow {
  session: string;
  owner: string | undefined;
  /** Of the stored text, in bytes. */
  size: number;
  /** The names of its keys: the first of them. */
  keys: string[];
  /** How many keys it has. */
  keyCount: number;
  /** Epoch milliseconds, as is `expires`; `undefined` where neither the record nor this process can tell. */
  createdAt: number | undefined;
  expires: number | undefined;
  /** What a session has left when it has just been used, in milliseconds. */
  lifetime: number;
}

const LONGEST_NAME = 100;
const MOST_KEYS = 30;

/** @returns `undefined` for a record that is no session: one that leads on to the session's new id, or is about to go */
export function rowOf(
  hash: string,
  data: object,
  sighting: Sighting | undefined,
  settings: Settings,
): SessionRow | undefined {
  const { cookie, ...rest } = data as Record<string, unknown>;
  const facts = (typeof cookie === 'object' && cookie !== null ? cookie : {}) as Record<string, unknown>;
  if ('movedTo' in facts || 'movedUnder' in facts) return undefined;
  const keys = Object.keys(rest);
  const createdAt = numberOf(facts['createdAt']);
  const lifetime = numberOf(facts['originalMaxAge']) ?? settings.ttl;
  const { absoluteTimeout } = settings;
  const latest = absoluteTimeout > 0 && createdAt !== undefined ? createdAt + absoluteTimeout : Infinity;
  const end = endOf(facts['expires'], lifetime, sighting);
  return {
    session: hash,
    owner: ownerIn(data as Record<string, unknown>, settings),
    size: Buffer.byteLength(JSON.stringify(data)),
    keys: keys.slice(0, MOST_KEYS).map((key) => printable(key, LONGEST_NAME)),
    keyCount: keys.length,
    createdAt: createdAt ?? sighting?.createdAt,
    expires: end && Math.min(end, latest),
    lifetime,
  };
}

/** The app's function may not be prepared for what is stored. */
function ownerIn(record: Record<string, unknown>, { owner: option }: Settings): string | undefined {
  try {
    const owner = ownerOf(record, option);
    return owner === undefined ? undefined : printable(owner, LONGEST_NAME);
  } catch {
    return undefined;
  }
}

/**
 * The latest of what the record says and what this process has seen: a touch prolongs the store's expiry and may leave the
 * record as it is, so that a stored end which has passed says nothing.
 */
function endOf(stored: unknown, lifetime: number, sighting: Sighting | undefined): number | undefined {
  const { savedAt = Number.NaN, touchedAt = Number.NaN } = sighting ?? {};
  const saved = stored == null ? savedAt + lifetime : new Date(stored as string | Date).getTime();
  const ends = [saved, touchedAt + lifetime].filter((end) => end > Date.now());
  return ends.length > 0 ? Math.max(...ends) : undefined;
}

/** What a Date can hold, in milliseconds (ECMA-262 section 21.4.1.1). */
const LAST = 8.64e15;

/** Stored bytes are not trusted to hold a time or a length of time. */
function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Math.abs(value) <= LAST ? value : undefined;
}
