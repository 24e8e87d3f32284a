import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { types } from 'node:util';
import { describe } from '../option-checks.js';

/**
 * A key of 32 random bytes, as `crypto.randomBytes(32)` gives them; or a text of at least 32 characters that nobody
 * can guess, such as those bytes in base64, from which a key is derived. A password is not such a text.
 */
export type EncryptionKey = string | Uint8Array | KeyObject;

const KEY_BYTES = 32;
const LEAST_CHARACTERS = 32;

/**
 * The keys of `encrypt`, ready for use. Messages never show a key.
 * @throws TypeError, RangeError
 */
export function readKeys(keys: EncryptionKey | readonly EncryptionKey[]): KeyObject[] {
  const list = Array.isArray(keys) ? keys : [keys];
  if (list.length === 0) throw new TypeError('encrypt() needs at least one key');
  return list.map(readKey);
}

/**
 * The key for the records of one id. Random nonces allow no more than 2^32 messages under one key (NIST SP 800-38D,
 * section 8.3), which a busy site writes within weeks; no single session comes near that.
 */
export function recordKey(key: KeyObject, id: string): KeyObject {
  return createSecretKey(createHmac('sha256', key).update('steady-session record\0').update(id).digest());
}

function readKey(key: EncryptionKey): KeyObject {
  if (typeof key === 'string') return derivedKey(key);
  if (types.isKeyObject(key) && (key as KeyObject).type === 'secret') return ofRightSize(key as KeyObject);
  if (types.isUint8Array(key)) return ofRightSize(createSecretKey(key));
  const what = types.isKeyObject(key) ? `a ${(key as KeyObject).type} key` : describe(key);
  throw new TypeError(`a key of encrypt() must be a string, a Buffer or a secret KeyObject; got ${what}`);
}

/** By HKDF (RFC 5869), which suits texts that are as good as random, and no passwords. */
function derivedKey(text: string): KeyObject {
  if (text.length < LEAST_CHARACTERS) {
    throw new RangeError(
      `a key of encrypt() that is a string needs at least ${LEAST_CHARACTERS} characters; got ${text.length}; ` +
        `make one with crypto.randomBytes(${KEY_BYTES}).toString('base64')`,
    );
  }
  return createSecretKey(Buffer.from(hkdfSync('sha256', text, '', 'steady-session encryption', KEY_BYTES)));
}

function ofRightSize(key: KeyObject): KeyObject {
  if (key.symmetricKeySize === KEY_BYTES) return key;
  throw new RangeError(
    `a key of encrypt() needs ${KEY_BYTES} bytes, as crypto.randomBytes(${KEY_BYTES}) gives; got ${key.symmetricKeySize}`,
  );
}
