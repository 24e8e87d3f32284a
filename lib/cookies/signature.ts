import { timingSafeEqual } from 'node:crypto';
import { types } from 'node:util';
import { type HmacKey, hmac } from './hmac.js';

/** What signs cookies. */
export type Secret = HmacKey;

/**
 * The HMAC-SHA256 that signs `value`, in base64 without padding: what the `cookie-signature` package appends to it after a
 * dot.
 */
export function signatureOf(value: string, secret: Secret): string {
  return hmac(value, secret).slice(0, SIGNATURE_LENGTH);
}

/**
 * The value of a signed text and the index of the secret that signed it, or `undefined` when none did. All secrets are
 * tried, so that cookies survive a rotation. The comparison takes the same time wherever the first wrong byte is.
 */
export function unsign(
  signed: string,
  secrets: readonly Secret[],
): { value: string; secret: number } | undefined {
  const dot = signed.lastIndexOf('.');
  if (dot === -1) return undefined;
  const value = signed.slice(0, dot);
  const signature = signed.slice(dot + 1);
  for (let secret = 0; secret < secrets.length; secret++) {
    if (isSame(signature, hmac(value, secrets[secret] as Secret))) return { value, secret };
  }
  return undefined;
}

/** What 32 bytes come to in base64, without the one sign of padding. */
const SIGNATURE_LENGTH = 43;

/** Room for the two that are compared: buffers of their own would cost a forged cookie 280 bytes, a fifth of it all. */
const given = Buffer.alloc(SIGNATURE_LENGTH);
const wanted = Buffer.alloc(SIGNATURE_LENGTH);

/**
 * The length is no secret: all signatures have the same. A text whose characters take several bytes does not fit in as
 * many bytes. Nor does the padding of the expected one, which is so left out.
 */
function isSame(signature: string, padded: string): boolean {
  const fits = signature.length === SIGNATURE_LENGTH && given.write(signature) === SIGNATURE_LENGTH;
  wanted.write(padded);
  return fits && timingSafeEqual(given, wanted);
}

/** Whether `createHmac` would take this as a key. */
export function isSecret(value: unknown): value is Secret {
  return (
    typeof value === 'string' ||
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isKeyObject(value)
  );
}
