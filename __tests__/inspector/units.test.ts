import { type Decision, Decisions } from '../../lib/decisions.js';
import { SteadyError } from '../../lib/errors.js';
import type { Sighting } from '../../lib/inspector/directory.js';
import { printable } from '../../lib/inspector/printable.js';
import { Ring } from '../../lib/inspector/ring.js';
import { rowOf } from '../../lib/inspector/session-row.js';
import { toldError } from '../../lib/inspector/told-error.js';
import { readOptions, type Settings } from '../../lib/read-options.js';
import { SECRET } from './support.js';

describe('printable()', () => {
  test.each([
    ['plain text', 'Zoë 名前 🎉 <b>"\'&', 'Zoë 名前 🎉 <b>"\'&'],
    ['a control character', 'a\u0000b\nc\u007f', 'a\\u{0}b\\u{a}c\\u{7f}'],
    ['what turns text around', '\u202eabc\u2066\u200f', '\\u{202e}abc\\u{2066}\\u{200f}'],
    ['what has no width', 'a\u200bb\ufeff', 'a\\u{200b}b\\u{feff}'],
    ['separators of lines', '\u2028\u2029', '\\u{2028}\\u{2029}'],
    ['half a character', '\ud83c', '\\u{d83c}'],
    ['a format character beyond 16 bits', '\u{e0041}', '\\u{e0041}'],
  ])('%s', (_, text, expected) => {
    expect(printable(text, 100)).toBe(expected);
  });

  test.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc…'],
    ['ab🎉', 3, 'ab\\u{d83c}…'],
  ])('%p, of which %i characters may be shown', (text, most, expected) => {
    expect(printable(text, most)).toBe(expected);
  });
});

test('a ring keeps the latest, in order', () => {
  const ring = new Ring<number>(3);
  for (const item of [1, 2, 3, 4, 5]) ring.add(item);
  expect(ring.items).toEqual([3, 4, 5]);
  ring.drop((item) => item === 4);
  ring.add(6);
  expect(ring.items).toEqual([3, 5, 6]);
});

test.each([
  ['an Error', new Error('an observer that is broken'), 'an observer that is broken'],
  ['anything else', 'an observer that is odd', 'an observer that is odd'],
])(
  'an observer of decisions that throws %s is warned of, and nobody else is the worse for it',
  (_, thrown, says) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const decisions = new Decisions();
    decisions.observe(() => {
      throw thrown;
    });
    decisions.tell({} as Decision);

    expect(warn.mock.calls).toEqual([
      [expect.stringContaining(says), { type: 'SteadySessionWarning', code: 'WARN_SESSION_ERROR' }],
    ]);
    warn.mockRestore();
  },
);

describe('of an error is told', () => {
  const cause = new Error('password=hunter2');
  const coded = Object.assign(new TypeError('hunter2'), { code: 'ECONNREFUSED' });
  const oddlyCoded = Object.assign(new Error('hunter2'), { code: 42 });
  test.each([
    [
      "this package's",
      new SteadyError('ERR_X', 'the store failed (again)'),
      'ERR_X: the store failed (again)',
    ],
    [
      "this package's, with what the database said",
      new SteadyError('ERR_X', 'RedisStore: it failed. (WRONGPASS (no) hunter2)', { cause }),
      'ERR_X: RedisStore: it failed.',
    ],
    ['the code and name of others', coded, 'ECONNREFUSED: TypeError'],
    ['the name only', cause, 'Error'],
    ['the name only, where the code is no text', oddlyCoded, 'Error'],
    ['nothing, of what is none', 'hunter2', 'an error that is no Error object'],
    ['the beginning of a long one', new SteadyError('E', 'x'.repeat(400)), `E: ${'x'.repeat(297)}…`],
  ])('%s', (_, error, expected) => {
    expect(toldError(error)).toBe(expected);
  });
});

describe('the row of a session', () => {
  const MINUTE = 60_000;
  const now = 1_800_000_000_000;
  beforeEach(() => {
    jest.useFakeTimers({ now });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const settingsWith = (options: object): Settings =>
    readOptions({ secret: SECRET, resave: false, saveUninitialized: false, ...options }, () => {});

  function row(record: object, sighting?: Omit<Sighting, 'id'>, options: object = {}) {
    return rowOf('hash', record, sighting && { id: 'id', ...sighting }, settingsWith(options));
  }

  const iso = (time: number) => new Date(time).toISOString();

  test('has the names of its keys, and its size in bytes', () => {
    const record = { cookie: {}, 'ключ\u202e': 1, b: { c: 2 } };

    expect(row(record)).toEqual({
      session: 'hash',
      owner: undefined,
      size: Buffer.byteLength(JSON.stringify(record)),
      keys: ['ключ\\u{202e}', 'b'],
      keyCount: 2,
      createdAt: undefined,
      expires: undefined,
      lifetime: 86_400_000,
    });
  });

  test('has the first thirty of many keys', () => {
    const record = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`k${at}`, at]));
    const { keys, keyCount } = row({ cookie: {}, ...record })!;

    expect([keys.length, keys[29], keyCount]).toEqual([30, 'k29', 40]);
  });

  test.each([
    ['a key of the data', 'user', { user: 'ada' }, 'ada'],
    ['a number', 'user', { user: 7 }, '7'],
    ['the work of a function', (data: any) => data.user.name, { user: { name: 'ada' } }, 'ada'],
    ['not known to a function that fails', (data: any) => data.user.name, {}, undefined],
    ['spelled out', 'user', { user: '\u202eada' }, '\\u{202e}ada'],
    ['unknown without the option', undefined, { user: 'ada' }, undefined],
  ])('has an owner, who is %s', (_, owner, data, expected) => {
    expect(row({ cookie: {}, ...data }, undefined, { owner })!.owner).toBe(expected);
  });

  test.each([
    ['what the record says', { createdAt: now - 5 }, { createdAt: now - 3 }, now - 5],
    ['what this process has seen', {}, { createdAt: now - 3 }, now - 3],
    ['unknown, of a time that is none', { createdAt: 'x' }, undefined, undefined],
    ['unknown, of a time that no clock will show', { createdAt: 8.64e15 + 1 }, undefined, undefined],
    ['the last that a clock will show', { createdAt: 8.64e15 }, undefined, 8.64e15],
  ])('began at a time that is %s', (_, cookie, sighting, expected) => {
    expect(row({ cookie }, sighting)!.createdAt).toBe(expected);
  });

  const ending = { originalMaxAge: 10 * MINUTE, expires: iso(now + MINUTE) };
  const ended = { originalMaxAge: 10 * MINUTE, expires: iso(now - MINUTE) };
  const endless = { originalMaxAge: null, expires: null };
  test.each([
    ['as the record says', ending, undefined, now + MINUTE],
    ['as the record says, whenever it was written', ending, { savedAt: now }, now + MINUTE],
    ['later than that, when it was touched', ending, { touchedAt: now - 1 }, now + 10 * MINUTE - 1],
    ['as the record says, if the touch was before', ending, { touchedAt: now - 9.5 * MINUTE }, now + MINUTE],
    ['unknown, when the record is behind', ended, undefined, undefined],
    ['by the last touch, when the record is behind', ended, { touchedAt: now }, now + 10 * MINUTE],
    ['unknown, when the touch is behind too', ended, { touchedAt: now - 10 * MINUTE }, undefined],
    ['unknown, when it ends with the browser', endless, undefined, undefined],
    ['by the last write and ttl, when it ends with the browser', endless, { savedAt: now - 5 }, now + 3595],
    ['by the last touch and ttl, when it ends with the browser', endless, { touchedAt: now - 4 }, now + 3596],
    ['unknown, when the record tells no time', { expires: 'x' }, undefined, undefined],
  ])('ends %s', (_, cookie, sighting, expected) => {
    expect(row({ cookie }, sighting, { ttl: 3600 })!.expires).toBe(expected);
  });

  test.each([
    [
      'at its absolute end, if that comes first',
      { createdAt: now - 5 * MINUTE },
      5.5 * MINUTE,
      now + MINUTE / 2,
    ],
    ['as any other, if its beginning is unknown', {}, 1, now + MINUTE],
    ['as any other, with no such end', { createdAt: now - 5 * MINUTE }, undefined, now + MINUTE],
  ])('ends %s', (_, times, absoluteTimeout, expected) => {
    expect(row({ cookie: { ...ending, ...times } }, undefined, { absoluteTimeout })!.expires).toBe(expected);
  });

  test.each([
    ["the cookie's", { originalMaxAge: 5 }, 5],
    ['ttl, of a cookie without', { originalMaxAge: null }, 3600],
    ['ttl, of a record that tells nonsense', { originalMaxAge: 'x' }, 3600],
  ])('has a lifetime, which is %s', (_, cookie, expected) => {
    expect(row({ cookie }, undefined, { ttl: 3600 })!.lifetime).toBe(expected);
  });

  test.each([
    ['leads on to another id', { movedUnder: 'x', movedAt: 1 }],
    ['leads on to another id, as those of former versions do', { movedTo: 'x', movedAt: 1 }],
    ['is about to be deleted', { movedTo: null }],
  ])('is none, if the record %s', (_, cookie) => {
    expect(row({ cookie })).toBe(undefined);
  });

  test.each([null, 'x', 1])('takes a cookie that is %p for an empty one', (cookie) => {
    expect(row({ cookie, a: 1 })).toMatchObject({ keys: ['a'], expires: undefined });
  });
});
