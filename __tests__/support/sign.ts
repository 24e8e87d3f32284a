import { type Secret, signatureOf } from '../../lib/cookies/signature.js';

/** `value` with its signature, in the format of the `cookie-signature` package. */
export function sign(value: string, secret: Secret): string {
  return `${value}.${signatureOf(value, secret)}`;
}
