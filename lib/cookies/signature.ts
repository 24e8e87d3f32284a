import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { types } from 'node:util';

/** What signs cookies: anything that `crypto.createHmac` takes as a key. */
export type Secret = string | NodeJS.ArrayBufferView | ArrayBuffer | KeyObject;

/**
 * `value` with its HMAC-SHA256 appended, in the format of the `cookie-signature` package: `value.base64`,
 * without padding. Both packages verify each other's cookies.
 */
export function sign(value: string, secret: Secret): string {
  return `${value}.${hmac(value, secret)}`;
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
  const given = Buffer.from(signed.slice(dot + 1));
  const secret = secrets.findIndex((each) => matches(given, hmac(value, each)));
  return secret === -1 ? undefined : { value, secret };
}

function matches(given: Buffer, expected: string): boolean {
  const wanted = Buffer.from(expected);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function hmac(value: string, secret: Secret): string {
  const padded = createHmac('sha256', secret as KeyObject)
    .update(value)
    .digest('base64');
  return padded.slice(0, -1); // of 32 bytes, base64 has one sign of padding
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
