import type { CipherKey } from 'node:crypto';
import * as crypto from 'node:crypto';
import { Recent } from '../recent.js';

/** Anything that `crypto.createHmac` takes as a key. */
export type HmacKey = CipherKey | ArrayBuffer;

/**
 * The HMAC-SHA256 of a text (RFC 2104), in base64 with padding.
 *
 * For short texts and keys that are strings, which nearly all are, it is put together from two calls of `crypto.hash()`: a
 * `Hmac` object takes 1.4 us and 350 bytes, a fifth of what a forged cookie costs; this takes 0.8 us and 110 bytes.
 * `createHmac` does the rest, and all on Node.js before 20.12, which has no `crypto.hash()`.
 */
export function hmac(text: string, key: HmacKey): string {
  if (hash === undefined || typeof key !== 'string' || text.length > LONGEST) return plainHmac(text, key);
  let state = states.get(key);
  if (!state) {
    state = new KeyedHash(key, hash);
    states.set(key, state);
  }
  return state.of(text);
}

function plainHmac(text: string, key: HmacKey): string {
  return crypto
    .createHmac('sha256', key as Exclude<HmacKey, ArrayBuffer>)
    .update(text)
    .digest('base64');
}

type Hash = (algorithm: string, data: NodeJS.ArrayBufferView, encoding: 'latin1' | 'base64') => string;

const { hash } = crypto as { hash?: Hash };

/** Those of the latest keys: an app has one or two, and cookie-parser may bring one with each request. */
const states = new Recent<KeyedHash>(16);

/** What SHA-256 works on at a time, and what it gives, in bytes. */
const BLOCK = 64;
const DIGEST = 32;

/** In UTF-16 code units, each of which takes three bytes at most. */
const LONGEST = 128;

/** What RFC 2104 combines the key with, for the inner hash and for the outer one. */
const INNER = 0x36;
const OUTER = 0x5c;

/** Both hashes begin with a block that depends on the key alone; behind it is the room for what they are of. */
class KeyedHash {
  readonly #hash: Hash;
  readonly #inner: Buffer;
  readonly #outer: Buffer;
  /** As much of `#inner` as the last text took. */
  #input: Buffer;

  constructor(key: string, hash: Hash) {
    const bytes = Buffer.from(key);
    const block = Buffer.alloc(BLOCK);
    if (bytes.length > BLOCK) block.write(hash('sha256', bytes, 'latin1'), 'latin1');
    else bytes.copy(block);
    this.#hash = hash;
    this.#inner = Buffer.concat([block.map((byte) => byte ^ INNER)], BLOCK + 3 * LONGEST);
    this.#outer = Buffer.concat([block.map((byte) => byte ^ OUTER)], BLOCK + DIGEST);
    this.#input = this.#inner;
  }

  of(text: string): string {
    const end = BLOCK + this.#inner.write(text, BLOCK);
    if (this.#input.length !== end) this.#input = this.#inner.subarray(0, end);
    this.#outer.write(this.#hash('sha256', this.#input, 'latin1'), BLOCK, 'latin1');
    return this.#hash('sha256', this.#outer, 'base64');
  }
}
