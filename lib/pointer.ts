import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { compactJson } from './compact.js';
import type { SessionRecord } from './merge.js';
import { parseRecord } from './record.js';
import { decryptText, encryptText } from './stores/aes-gcm.js';
import { hashOf } from './stores/id-hash.js';

/** Where a session has moved to when its id was rotated, as the record under the old id says. */
export interface Pointer {
  target: string;
  /** When it moved, in epoch milliseconds. */
  movedAt: number;
}

/** How many ids of one session are followed, so that a damaged store leads nobody round in a circle for ever. */
export const MOST_HOPS = 1000;

/**
 * The pointer that the text stored under `id` is, if it is one. To express-session it looks like an empty session.
 *
 * The new id works, so it is not to be read in a database that keeps no ids, as behind `hashIds`: it is encrypted under a key
 * that only the old id gives. Pointers of former versions name it as it is, in `movedTo`.
 */
export function pointerOf(id: string, text: string): Pointer | undefined {
  if (!isPointer(text)) return undefined;
  const { movedTo, movedUnder, movedAt } = cookieOf(text);
  const target = typeof movedUnder === 'string' ? decryptText(movedUnder, id, keyOf(id)) : movedTo;
  return typeof target === 'string' && typeof movedAt === 'number' ? { target, movedAt } : undefined;
}

/** Whether a stored text is a pointer, even where the id that it is stored under is not known. */
export function isPointer(text: string): boolean {
  if (!text.includes('"movedAt"')) return false;
  const { movedTo, movedUnder, movedAt } = cookieOf(text);
  return typeof movedAt === 'number' && (typeof movedUnder === 'string' || typeof movedTo === 'string');
}

/** The text that takes the place of the record of the session with this id. */
export function pointerText(id: string, record: SessionRecord, { target, movedAt }: Pointer): string {
  const cookie = record['cookie'] as SessionRecord;
  const movedUnder = encryptText(target, id, keyOf(id));
  return compactJson({ cookie: { ...cookie, movedUnder, movedAt } });
}

/**
 * The text of a session that takes the place of the one with this id. The pointer comes later: until then, nothing but this
 * tells that they are the same.
 */
export function textRotatedFrom(id: string, text: string): string {
  const record = JSON.parse(text) as SessionRecord;
  const cookie = { ...(record['cookie'] as SessionRecord), rotatedFrom: hashOf(id) };
  return compactJson({ ...record, cookie });
}

/**
 * Whether the session takes the place of the one with this id, as far as its record tells: the next write drops that.
 * @param within for how long that may take, in milliseconds; after that it has failed, unless a pointer leads here
 */
export function isBeingRotatedFrom(id: string, { cookie }: SessionRecord, within: number): boolean {
  const { rotatedFrom, rotatedAt } = cookie as SessionRecord;
  return rotatedFrom === hashOf(id) && Date.now() - Number(rotatedAt) <= within;
}

function cookieOf(text: string): Record<string, unknown> {
  return (parseRecord(text)?.['cookie'] ?? {}) as Record<string, unknown>;
}

/** By HKDF (RFC 5869), which suits what is as good as random, as an id is. */
function keyOf(id: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', id, '', 'steady-session pointer', 32)));
}
