import { createHash } from 'node:crypto';
import { Recent } from '../recent.js';

/** Tells a hashed id from any other. */
export const MARK = 'sha256-';

/**
 * A request asks for the hash of one id several times, and a revocation for those of all open sockets each time: of the
 * 0.6 us that a hash takes, each time but the first saves 0.5.
 */
const hashes = new Recent<string>(2000);

/**
 * What stands for an id where ids must not be read: `sha256-` and the base64url of the hash. An id has 192 random bits, so
 * that it can't be found by trying. One that an app has made may be a number, say, as with express-session.
 */
export function hashOf(id: unknown): string {
  const text = String(id);
  let hash = hashes.get(text);
  if (hash === undefined) {
    hash = MARK + createHash('sha256').update(text).digest('base64url');
    hashes.set(text, hash);
  }
  return hash;
}

/**
 * What stands for the record of this id in messages between processes: its hash; for a record that is stored under a hash,
 * that one. So it is the hash of the session's id whether or not the store knows the id.
 */
export function noticeOf(id: unknown): string {
  const text = String(id);
  return text.startsWith(MARK) ? text : hashOf(text);
}
