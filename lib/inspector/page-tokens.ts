import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../cookies/signature.js';

/**
 * Proves that a request comes from a page of ours: a random text and its HMAC. The key is derived from the secret that
 * signs cookies, so that the page of one process can revoke by another.
 */
export class PageTokens {
  readonly #key: Buffer;

  constructor(secret: Secret = randomBytes(32)) {
    this.#key = createHmac('sha256', secret as KeyObject)
      .update('steady-session/inspector: key of the page tokens')
      .digest();
  }

  issue(): string {
    const nonce = randomBytes(18).toString('base64url');
    return `${nonce}.${this.#mac(nonce)}`;
  }

  accepts(token: unknown): boolean {
    if (typeof token !== 'string') return false;
    const [nonce = '', mac = ''] = token.split('.');
    const given = Buffer.from(mac);
    const wanted = Buffer.from(this.#mac(nonce));
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  #mac(nonce: string): string {
    return createHmac('sha256', this.#key).update(nonce).digest('base64url');
  }
}
