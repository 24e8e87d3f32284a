import { createSecretKey } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { isSecret, type Secret, unsign } from '../lib/cookies/signature.js';
import { sign } from './support/sign.js';

/** The package that express-session signs with. */
const real = require(
  require.resolve('cookie-signature', { paths: [require.resolve('express-session')] }),
) as { sign(value: string, secret: Secret): string; unsign(signed: string, secret: Secret): string | false };

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '.', 'a.b', 's:a.b', 'größer', '☃'),
);
const secret: fc.Arbitrary<Secret> = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ minLength: 1 }).map((bytes) => createSecretKey(bytes)),
);

const unsignByReal = (signed: string, by: Secret): unknown => real.unsign(signed, by) || undefined;

describe('sign()', () => {
  test('a known example', () => {
    expect(sign('hello', 'tobiiscool')).toBe('hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI');
  });

  test('gives what cookie-signature gives', () => {
    fc.assert(fc.property(text, secret, (value, by) => expect(sign(value, by)).toBe(real.sign(value, by))));
  });
});

describe('unsign()', () => {
  test('accepts what cookie-signature has signed, and the other way round', () => {
    fc.assert(
      fc.property(text, secret, (value, by) => {
        expect(unsign(real.sign(value, by), [by])).toEqual({ value, secret: 0 });
        expect(real.unsign(sign(value, by), by)).toBe(value);
      }),
    );
  });

  test('refuses any text as cookie-signature does', () => {
    fc.assert(
      fc.property(text, secret, (signed, by) => {
        expect(unsign(signed, [by])?.value).toBe(unsignByReal(signed, by));
        expect(unsign(signed, [by])).toBeUndefined();
      }),
    );
  });

  test('refuses a character of two bytes in place of the last, whatever was compared before', () => {
    const signed = sign('value', 'secret');
    expect(unsign(signed, ['secret'])).toEqual({ value: 'value', secret: 0 });
    expect(unsign(`${signed.slice(0, -1)}é`, ['secret'])).toBeUndefined();
    expect(unsign(`${signed.slice(0, -1)}`, ['secret'])).toBeUndefined();
    expect(unsign(`${signed}=`, ['secret'])).toBeUndefined();
  });

  test('refuses a signed text of which one character has been changed, added or dropped', () => {
    fc.assert(
      fc.property(
        text,
        secret,
        fc.nat(),
        fc.string({ maxLength: 1 }),
        fc.nat({ max: 1 }),
        (value, by, at, put, cut) => {
          const signed = sign(value, by);
          const place = at % (signed.length + 1);
          const forged = signed.slice(0, place) + put + signed.slice(place + cut);
          if (forged === signed) return;
          expect(unsign(forged, [by])?.value).toBe(unsignByReal(forged, by));
          expect(unsign(forged, [by])).toBeUndefined();
        },
      ),
    );
  });

  test.each([
    ['', 'nothing'],
    ['hello', 'no signature'],
    ['hello.', 'an empty signature'],
    ['.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI', 'the signature of another value'],
    ['hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI=', 'padding'],
    ['hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5Q', 'a signature cut short'],
    ['hello.DGDUkGlIkCzPz-C0B064FNgHdEjox7ch8tOBGslZ5QI', 'base64url'],
    ['hello.dgdukglikczpz+c0b064fnghdejox7ch8tobgslz5qi', 'another case'],
    ['hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5Qé', 'as many characters, but more bytes'],
  ])('refuses %j: %s', (signed) => {
    expect(unsign(signed, ['tobiiscool'])).toBeUndefined();
  });

  test('takes the value up to the last dot', () => {
    expect(unsign(sign('a.b.c', 'x'), ['x'])).toEqual({ value: 'a.b.c', secret: 0 });
  });

  test('tells which of several secrets has signed', () => {
    const secrets = ['new', 'old', 'oldest'];
    expect(secrets.map((by) => unsign(sign('id', by), secrets))).toEqual([
      { value: 'id', secret: 0 },
      { value: 'id', secret: 1 },
      { value: 'id', secret: 2 },
    ]);
    expect(unsign(sign('id', 'another'), secrets)).toBeUndefined();
  });

  test('accepts nothing where there are no secrets', () => {
    expect(unsign(sign('id', 'x'), [])).toBeUndefined();
  });
});

describe('isSecret()', () => {
  const bytes = new Uint8Array([1, 2, 3]);

  test.each<[string, unknown]>([
    ['text', 'keyboard cat'],
    ['a Buffer', Buffer.from(bytes)],
    ['a Uint8Array', bytes],
    ['a DataView', new DataView(bytes.buffer)],
    ['an ArrayBuffer', bytes.buffer],
    ['a KeyObject', createSecretKey(bytes)],
    ['bytes of another realm', runInNewContext('new Uint8Array([1, 2, 3]).buffer')],
  ])('%s is one, and signs', (_name, value) => {
    expect(isSecret(value)).toBe(true);
    expect(unsign(sign('id', value as Secret), [value as Secret])).toEqual({ value: 'id', secret: 0 });
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 42],
    ['true', true],
    ['a plain object', { type: 'secret' }],
    ['a list', ['keyboard cat']],
    ['a function', () => 'keyboard cat'],
  ])('%s is none', (_name, value) => {
    expect(isSecret(value)).toBe(false);
  });

  test('bytes sign as the same text does', () => {
    expect(sign('id', Buffer.from('keyboard cat'))).toBe(sign('id', 'keyboard cat'));
    expect(sign('id', createSecretKey(Buffer.from('keyboard cat')))).toBe(sign('id', 'keyboard cat'));
  });
});
