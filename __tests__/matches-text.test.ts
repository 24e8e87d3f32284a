import fc from 'fast-check';
import { changedText, matchesText } from '../lib/matches-text.js';

/** What `matchesText` answers without making a text. */
function stringify(object: object): string {
  return JSON.stringify({ ...object, cookie: undefined }).slice(1);
}

const changed = (now: object, before: object) => changedText(now, stringify(before), 'cookie');
const matches = (object: object, text = stringify(object)) => matchesText(object, text, 'cookie');

/** As the parser makes them: plain objects, and what JSON can hold. */
const record = fc
  .dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 })
  .map((data) => JSON.parse(JSON.stringify(data)) as Record<string, unknown>);

describe('matchesText', () => {
  test('never takes one record for another', () => {
    fc.assert(
      fc.property(record, record, (one, other) => {
        expect(matches(one, stringify(other)) && stringify(one) !== stringify(other)).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });

  test('never overlooks a change', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.jsonValue({ maxDepth: 1 }), (before, choice, value) => {
        const text = stringify(before);
        changeSomewhere(before, choice, value);
        expect(matches(before, text) && stringify(before) !== text).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });

  test('knows a record without anything escaped', () => {
    fc.assert(
      fc.property(record, (data) => {
        const text = stringify(data);
        expect(matches(data, text)).toBe(!text.includes('\\') && !Object.hasOwn(data, 'cookie'));
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    {},
    { cookie: { path: '/' } },
    { a: '', b: 'x', c: 'sixteen letters!', d: 'seventeen letters' },
    { cookie: {}, a: 1, b: -0, c: 1.5, d: 1e300, e: true, f: false, g: null },
    { cookie: {}, list: [], object: {}, lists: [[], [{}], [1, [2]]], objects: { a: { b: { c: [] } } } },
    { a: 'é€😀\u2028', 'k€y': 1 },
    { 10: 'ten', 2: 'two', b: 1, a: 2 },
  ])('%j is what it was', (data) => {
    expect(matches(data)).toBe(true);
  });

  test.each([
    ['a key more', { a: 1, b: 2 }, { a: 1 }],
    ['a key less', { a: 1 }, { a: 1, b: 2 }],
    ['another key', { a: 1 }, { b: 1 }],
    ['another order', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['a longer number', { a: 12 }, { a: 1 }],
    ['a shorter number', { a: 1 }, { a: 12 }],
    ['a number for a string', { a: 1 }, { a: '1' }],
    ['a string for a number', { a: '1' }, { a: 1 }],
    ['an object for a list', { a: {} }, { a: [] }],
    ['a list for an object', { a: [] }, { a: {} }],
    ['an item more', { a: [1, 2] }, { a: [1] }],
    ['an item less', { a: [1] }, { a: [1, 2] }],
    ['a longer string', { a: 'ab' }, { a: 'a' }],
    ['another short string', { a: 'ab' }, { a: 'ac' }],
    ['another long string', { a: 'seventeen letters' }, { a: 'seventeen lettorz' }],
    ['true for false', { a: true }, { a: false }],
    ['null for an object', { a: null }, { a: {} }],
    ['null for a list with nothing', { a: [null] }, { a: [] }],
    ['a deeper change', { a: [{ b: { c: 1 } }] }, { a: [{ b: { c: 2 } }] }],
    ['a string that looks like what follows it', { a: '1","b":"2' }, { a: '1', b: '2' }],
    [
      'a long string that looks like it',
      { a: 'seventeen letters","b":"2' },
      { a: 'seventeen letters', b: '2' },
    ],
    [
      'another long string, which another key has, too',
      { a: 'seventeen lettorz', b: 'seventeen lettorz' },
      { a: 'seventeen letters', b: 'seventeen lettorz' },
    ],
    ['a backslash more', { a: 'b\\\\' }, { a: 'b\\' }],
    ['a key that looks like a member', { 'a":1,"b': 2 }, { a: 1, b: 2 }],
  ])('sees %s', (_, now, before) => {
    expect(matches(now, stringify(before))).toBe(false);
  });

  describe('leaves to JSON.stringify', () => {
    const inherited = Object.create({ a: 1 });
    const sparse: unknown[] = [1];
    sparse.length = 2;
    class Point {
      x = 1;
    }
    const withToJson = Object.assign([], { toJSON: () => [] });
    const nested = (depth: number): unknown[] => (depth === 0 ? [] : [nested(depth - 1)]);
    test.each([
      ['what is escaped', { a: 'say "yes"' }],
      ['undefined', { a: undefined }],
      ['a function', { a: () => 1 }],
      ['not a number', { a: Number.NaN }],
      ['a date', { a: new Date(0) }],
      ['an instance', { a: new Point() }],
      ['a boxed value, whatever its prototype', { a: Object.setPrototypeOf(Object(true), Object.prototype) }],
      ['an object without a prototype', { a: Object.create(null) }],
      ['a map', { a: new Map() }],
      ['a list with a gap', { a: sparse }],
      ['a list with its own JSON', { a: withToJson }],
      ['an object with its own JSON', { a: { toJSON: () => ({}) } }],
      ['its own JSON', { a: 1, toJSON: () => ({ a: 1 }) }],
      ['what is nested deeper than 200 levels', { a: nested(200) }],
    ])('%s', (_, object) => {
      expect(matches(object)).toBe(false);
    });

    test('and no less', () => {
      expect(matches({ a: nested(199) })).toBe(true);
    });

    test('undefined, though the text may look as if it were there', () => {
      expect(matches({ a: undefined }, '"a":}')).toBe(false);
    });

    test('what is inherited', () => {
      expect(matches(inherited, '"a":1}')).toBe(false);
    });

    test('an object in a circle', () => {
      const circle: Record<string, unknown> = {};
      circle['a'] = circle;
      expect(matches(circle, `${'"a":{'.repeat(1000)}`)).toBe(false);
    });

    test('an Infinity, for which the text has null', () => {
      expect(matches({ a: Number.POSITIVE_INFINITY })).toBe(false);
    });
  });

  test.each([
    '',
    '}',
    '"a":1',
    '"a":1}}',
    '"a":1},',
    ' "a":1}',
    '"a": 1}',
    '"a":1.0}',
    '"a":1e0}',
    '"a"}',
    '"a"',
    '"a";1}',
    'xa":1}',
    '"ax:1}',
    ':1}',
  ])('is not misled by %j', (text) => {
    expect(matches({ a: 1 }, text)).toBe(false);
  });
});

test.each(['"a":1;"b":2}', '"a":1"b":2}', '"a":1,,"b":2}'])(
  'is not misled by %j between two keys',
  (text) => {
    expect(matches({ a: 1, b: 2 }, text)).toBe(false);
  },
);

describe('changedText', () => {
  /** Whether it is what `JSON.stringify` would have given, if it is anything. */
  function isRight(now: object, before: object): boolean {
    const text = changed(now, before);
    if (text === undefined) return true;
    return (text === '' ? stringify(before) : text) === stringify(now);
  }

  test('never makes one record of another that is not it', () => {
    fc.assert(
      fc.property(record, record, (now, before) => {
        expect(isRight(now, before)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('is right about every change', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.jsonValue({ maxDepth: 1 }), (before, choice, value) => {
        const now = JSON.parse(JSON.stringify(before));
        changeSomewhere(now, choice, value);
        expect(isRight(now, before)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test.each<[string, object, object]>([
    ['a number', { a: 1, b: 'x' }, { a: 2, b: 'x' }],
    ['a longer number', { a: 99, b: [1] }, { a: 100, b: [1] }],
    ['the last value', { a: [{}], b: 'x' }, { a: [{}], b: 'y' }],
    ['several values', { a: 1, b: 2, c: {}, d: 3 }, { a: 0, b: 2, c: {}, d: -1.5 }],
    ['a string for a string', { a: 'x' }, { a: 'seventeen letters' }],
    ['what has to be escaped', { a: 'x' }, { a: '"\\\n\u2028\ud800' }],
    ['a number for a string', { a: 'x,y}' }, { a: 1 }],
    ['a string for a number', { a: 1 }, { a: 'x' }],
    ['null', { a: 1, b: 2 }, { a: null, b: 2 }],
    ['a value for null', { a: null }, { a: 'x' }],
    ['true', { a: false }, { a: true }],
    ['no number', { a: 1 }, { a: Number.NaN }],
    ['minus nothing', { a: 1 }, { a: -0 }],
    ['beside a cookie', { cookie: {}, a: 1 }, { cookie: { path: '/' }, a: 2 }],
  ])('puts in %s', (_, before, now) => {
    expect(changed(now, before)).toBe(stringify(now));
  });

  test('in a longer text, too, of which the result has as much as is asked for', () => {
    const changes = fc.oneof(record, fc.constant({ a: 1 }), fc.constant({ a: 2 }), fc.constant({}));
    fc.assert(
      fc.property(changes, changes, fc.string(), (now, before, front) => {
        const expected = changed(now, before);
        const text = front + stringify(before);
        const whole = expected ? front + expected : expected;
        expect(changedText(now, text, 'cookie', front.length)).toBe(expected);
        expect(changedText(now, text, 'cookie', front.length, 0)).toBe(whole);
        expect(matchesText(now, text, 'cookie', front.length)).toBe(matches(now, stringify(before)));
      }),
      { numRuns: 2000 },
    );
  });

  describe('in a text that begins before it', () => {
    const head = '{"cookie":{"path":"/\\\\"},'; // with a backslash
    const text = `${head}"a":1,"b":"x"}`;
    const now = { cookie: {}, a: 2, b: 'x' };

    test('gives what changes from there on, or all of it', () => {
      expect(changedText(now, text, 'cookie', head.length)).toBe('"a":2,"b":"x"}');
      expect(changedText(now, text, 'cookie', head.length, 0)).toBe(`${head}"a":2,"b":"x"}`);
    });

    test('is empty if nothing has changed', () => {
      expect(changedText({ a: 1, b: 'x' }, text, 'cookie', head.length, 0)).toBe('');
    });

    test('matchesText knows it', () => {
      expect(matchesText({ a: 1, b: 'x' }, text, 'cookie', head.length)).toBe(true);
      expect(matchesText(now, text, 'cookie', head.length)).toBe(false);
    });
  });

  test.each([{}, { a: 1 }, { a: { b: [1] }, c: 'x' }])('is empty if %j is what it was', (data) => {
    expect(changed(data, data)).toBe('');
  });

  test.each<[string, object, object]>([
    ['a key more', { a: 1 }, { a: 1, b: 2 }],
    ['a key less', { a: 1, b: 2 }, { a: 1 }],
    ['another key', { a: 1 }, { b: 1 }],
    ['another order', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['a deeper change', { a: { b: 1 } }, { a: { b: 2 } }],
    ['an object for a value', { a: 1 }, { a: {} }],
    ['a value for an object', { a: {} }, { a: 1 }],
    ['a value for a list', { a: [] }, { a: 1 }],
    ['undefined', { a: 1 }, { a: undefined }],
    ['a big number', { a: 1 }, { a: 1n }],
    ['its own JSON', { a: 1 }, { a: 1, toJSON: () => ({ a: 2 }) }],
    ['a text with what is escaped', { a: '\n', b: 1 }, { a: '\n', b: 2 }],
    ['a key that is inherited', { a: 1 }, Object.create({ a: 2 })],
  ])('leaves to JSON.stringify %s', (_, before, now) => {
    expect(changed(now, before)).toBeUndefined();
  });

  test.each(['', '}', '"a":1', '"a":"1}', '"a":1}}', '"a":1},', ' "a":1}', '"a";1}', '"a":'])(
    'is not misled by %j',
    (text) => {
      expect(changedText({ a: 2 }, text, 'cookie')).toBeUndefined();
    },
  );
});

/** Puts `value` in place of one of the values in `object`, at any depth. */
function changeSomewhere(object: Record<string, unknown>, choice: number, value: unknown): void {
  const keys = Object.keys(object);
  const key = keys[choice % (keys.length + 1)];
  if (key === undefined) {
    object[`new${choice}`] = value;
    return;
  }
  const inner = object[key];
  const goesDown = typeof inner === 'object' && inner !== null && choice % 3 > 0;
  if (goesDown) changeSomewhere(inner as Record<string, unknown>, Math.floor(choice / 2), value);
  else object[key] = value;
}
