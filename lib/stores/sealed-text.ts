import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { recordKey } from './encryption-keys.js';

/**
 * The name that RFC 7518 (section 5.1) gives to AES-256-GCM. A sealed text is JSON of an object, so that it can be
 * stored wherever sessions can: `{"A256GCM":"<base64url of nonce, ciphertext and tag>"}`.
 */
const NAME = 'A256GCM';
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts the text of the record of `id`; different each time. */
export function seal(text: string, id: string, key: KeyObject): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, recordKey(key, id), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(id));
  const bytes = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return JSON.stringify({ [NAME]: Buffer.concat(bytes).toString('base64url') });
}

/** The text that was sealed for `id` with one of the keys; `undefined` for anything else. */
export function unseal(sealed: string, id: string, keys: readonly KeyObject[]): string | undefined {
  const bytes = bytesOf(sealed);
  if (!bytes || bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  for (const key of keys) {
    const text = decrypted(bytes, id, key);
    if (text !== undefined) return text;
  }
  return undefined;
}

function bytesOf(sealed: string): Buffer | undefined {
  try {
    const encoded: unknown = JSON.parse(sealed)[NAME];
    return typeof encoded === 'string' ? Buffer.from(encoded, 'base64url') : undefined;
  } catch {
    return undefined;
  }
}

function decrypted(bytes: Buffer, id: string, key: KeyObject): string | undefined {
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, recordKey(key, id), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(id));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return undefined; // another key, another id, or bytes that were changed
  }
}
