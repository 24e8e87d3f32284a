import type { KeyObject } from 'node:crypto';
import { decryptText, encryptText } from './aes-gcm.js';
import { recordKey } from './encryption-keys.js';

/**
 * The name that RFC 7518 (section 5.1) gives to AES-256-GCM. A sealed text is JSON of an object, so that it can be
 * stored wherever sessions can: `{"A256GCM":"<base64url of nonce, ciphertext and tag>"}`.
 */
const NAME = 'A256GCM';

/** Encrypts the text of the record of `id`; different each time. */
export function seal(text: string, id: string, key: KeyObject): string {
  return JSON.stringify({ [NAME]: encryptText(text, id, recordKey(key, id)) });
}

/** The text that was sealed for `id` with one of the keys; `undefined` for anything else. */
export function unseal(sealed: string, id: string, keys: readonly KeyObject[]): string | undefined {
  const encrypted = contentOf(sealed);
  if (encrypted === undefined) return undefined;
  for (const key of keys) {
    const text = decryptText(encrypted, id, recordKey(key, id));
    if (text !== undefined) return text;
  }
  return undefined;
}

function contentOf(sealed: string): string | undefined {
  try {
    const encrypted: unknown = JSON.parse(sealed)[NAME];
    return typeof encrypted === 'string' ? encrypted : undefined;
  } catch {
    return undefined;
  }
}
