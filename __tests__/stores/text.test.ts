import fc from 'fast-check';
import { decodeText, encodeText } from '../../lib/stores/text.js';

const text = fc.string({
  unit: fc.oneof(fc.constantFrom('\0', '\u0001', '0', '1', 'a'), fc.string({ unit: 'binary' })),
});

test('what is encoded has no NUL and decodes to what it was', () => {
  fc.assert(
    fc.property(text, (original) => {
      const stored = encodeText(original);
      expect(stored).not.toContain('\0');
      expect(decodeText(stored)).toBe(original);
    }),
  );
});

test('different texts stay different', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(encodeText(a) === encodeText(b)).toBe(a === b);
    }),
  );
});

test('JSON is stored as it is', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(encodeText(json)).toBe(json);
      expect(decodeText(json)).toBe(json);
    }),
  );
  expect(encodeText(JSON.stringify('\0\u0001'))).toBe('"\\u0000\\u0001"');
});

test.each([
  ['\0', '\u00010'],
  ['\u0001', '\u00011'],
  ['\u00010', '\u000110'],
  ['a\0\0b\u0001', 'a\u00010\u00010b\u00011'],
])('%j is stored as %j', (original, stored) => {
  expect(encodeText(original)).toBe(stored);
  expect(decodeText(stored)).toBe(original);
});
