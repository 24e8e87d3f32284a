import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { type HmacKey, hmac } from '../lib/cookies/hmac.js';

const byNode = (text: string, key: HmacKey): string =>
  createHmac('sha256', key as string)
    .update(text)
    .digest('base64');

/** Around the size of a block of SHA-256, beyond which a key is hashed first, and around what is put together by us. */
const size = fc.oneof(fc.nat(200), fc.constantFrom(0, 1, 31, 32, 63, 64, 65, 127, 128, 129));
const string = size.chain((length) =>
  fc.oneof(
    fc.string({ minLength: length, maxLength: length, unit: 'binary-ascii' }),
    fc.string({ minLength: length, maxLength: length, unit: 'binary' }),
    fc.constantFrom('é', '€', '\ud800', '😀').map((unit) => unit.repeat(length)),
  ),
);

test('test case 2 of RFC 4231', () => {
  const hex = (text: string, key: string) => Buffer.from(hmac(text, key), 'base64').toString('hex');
  expect(hex('what do ya want for nothing?', 'Jefe')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

test('is that of node:crypto, for any text and key, also in turn', () => {
  fc.assert(
    fc.property(fc.array(string, { minLength: 1, maxLength: 4 }), string, string, (texts, key, other) => {
      for (const text of [...texts, ...texts.reverse()]) {
        expect(hmac(text, key)).toBe(byNode(text, key));
        expect(hmac(text, other)).toBe(byNode(text, other));
      }
    }),
    { numRuns: 500 },
  );
});

test('of keys that are no strings, and may change', () => {
  const bytes = Buffer.from('keyboard cat');
  expect(hmac('id', bytes)).toBe(byNode('id', 'keyboard cat'));
  expect(hmac('id', createSecretKey(bytes))).toBe(byNode('id', 'keyboard cat'));
  bytes[0] = 0x4b;
  expect(hmac('id', bytes)).toBe(byNode('id', 'Keyboard cat'));
});

test('without crypto.hash(), which Node.js 20.0 lacks', () => {
  jest.isolateModules(() => {
    jest.doMock('node:crypto', () => ({ ...jest.requireActual('node:crypto'), hash: undefined }));
    try {
      const old = require('../lib/cookies/hmac.js') as { hmac: typeof hmac };
      expect(old.hmac('id', 'keyboard cat')).toBe(byNode('id', 'keyboard cat'));
    } finally {
      jest.dontMock('node:crypto');
    }
  });
});
