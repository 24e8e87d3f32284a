import fc from 'fast-check';
import { changedKeys, type MergeFunction, mergeRecords, type SessionRecord, takeMine } from '../lib/merge.js';

describe('changedKeys()', () => {
  test.each<[string, SessionRecord, SessionRecord, string[]]>([
    ['nothing', { a: 1 }, { a: 1 }, []],
    ['two empty records', {}, {}, []],
    ['another value', { a: 1, b: 1 }, { a: 2, b: 1 }, ['a']],
    ['a key that was added', { a: 1 }, { a: 1, b: 1 }, ['b']],
    ['a key that was removed', { a: 1, b: 1 }, { a: 1 }, ['b']],
    ['a change deep inside', { a: { b: [1, { c: 1 }] } }, { a: { b: [1, { c: 2 }] } }, ['a']],
    ['an equal value that is another object', { a: { b: [1] } }, { a: { b: [1] } }, []],
    ['null and absence', { a: null }, {}, ['a']],
    ['undefined and absence, which are the same in JSON', { a: undefined }, {}, []],
    ['a number and its text', { a: 1 }, { a: '1' }, ['a']],
    ['an object whose keys are in another order', { a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, ['a']],
    ['names that every object inherits', { toString: 1 }, { constructor: 2 }, ['toString', 'constructor']],
  ])('%s', (_name, before, after, changed) => {
    expect(changedKeys(before, after)).toEqual(changed);
  });
});

describe('mergeRecords()', () => {
  test.each<[string, SessionRecord, SessionRecord, SessionRecord, SessionRecord]>([
    ['nobody changed anything', { a: 1 }, { a: 1 }, { a: 1 }, { a: 1 }],
    ['only I changed', { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 1 }, { a: 2, b: 1 }],
    ['only they changed', { a: 1, b: 1 }, { a: 1, b: 1 }, { a: 1, b: 2 }, { a: 1, b: 2 }],
    ['different keys', { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 2 }, { a: 2, b: 2 }],
    ['different keys, added', {}, { a: 1 }, { b: 1 }, { b: 1, a: 1 }],
    ['the same key: mine is the later', { a: 1 }, { a: 2 }, { a: 3 }, { a: 2 }],
    ['the same key, added twice', {}, { a: 2 }, { a: 3 }, { a: 2 }],
    ['I removed a key', { a: 1, b: 1 }, { b: 1 }, { a: 1, b: 2 }, { b: 2 }],
    ['they removed a key', { a: 1, b: 1 }, { a: 1, b: 2 }, { b: 1 }, { b: 2 }],
    ['both removed a key', { a: 1, b: 1 }, { b: 1 }, { b: 1 }, { b: 1 }],
    ['I removed what they changed', { a: 1 }, {}, { a: 2 }, {}],
    ['they removed what I changed', { a: 1 }, { a: 2 }, {}, { a: 2 }],
    [
      'objects are replaced as a whole',
      { a: { x: 1 } },
      { a: { x: 1, y: 1 } },
      { a: { x: 1, z: 1 } },
      { a: { x: 1, y: 1 } },
    ],
    ['I set a key to null', { a: 1 }, { a: null }, { a: 1 }, { a: null }],
    ['I set a key to undefined', { a: 1 }, { a: undefined }, { a: 1 }, {}],
  ])('%s', (_name, base, mine, theirs, merged) => {
    expect(mergeRecords(base, mine, theirs)).toEqual(merged);
    expect(Object.keys(mergeRecords(base, mine, theirs))).toEqual(Object.keys(merged));
  });

  test('the cookie is merged by attribute', () => {
    const base = { cookie: { path: '/', expires: 'Monday', originalMaxAge: 1 } };
    const mine = { cookie: { path: '/', expires: 'Tuesday', originalMaxAge: 1 } };
    const theirs = { cookie: { path: '/', expires: 'Monday', originalMaxAge: 2, secure: true } };
    expect(mergeRecords(base, mine, theirs)).toEqual({
      cookie: { path: '/', expires: 'Tuesday', originalMaxAge: 2, secure: true },
    });
  });

  test('an attribute of the cookie that both changed is mine, whatever decides on data', () => {
    const decide: MergeFunction = () => 'decided';
    const until = (expires: string): SessionRecord => ({ cookie: { expires } });
    const merged = mergeRecords(until('Monday'), until('Tuesday'), until('Wednesday'), decide);
    expect(merged).toEqual(until('Tuesday'));
  });

  test.each([
    ['an array', [1]],
    ['null', null],
    ['text', 'Tuesday'],
    ['nothing', undefined],
  ])('a cookie that is %s is taken as it is', (_name, cookie) => {
    const merged = mergeRecords({ cookie: { a: 1 } }, { cookie: { a: 2 } }, { cookie });
    expect(merged).toEqual({ cookie: { a: 2 } });
    expect(mergeRecords({ cookie }, { cookie: { a: 2 } }, { cookie: { a: 3 } })).toEqual({
      cookie: { a: 2 },
    });
  });

  test('none of the records is changed', () => {
    const records = [
      { a: 1, b: { c: 1 } },
      { a: 2, b: { c: 1 } },
      { a: 1, b: { c: 2 } },
    ] as const;
    const before = structuredClone(records);
    mergeRecords(...records);
    expect(records).toEqual(before);
  });

  describe('the function that decides', () => {
    const calls: unknown[][] = [];
    const decide: MergeFunction = (...sides) => {
      calls.push(sides);
      return 'decided';
    };
    beforeEach(() => calls.splice(0));

    test('is asked about keys that both changed, and no others', () => {
      const base = { both: 1, mine: 1, theirs: 1, none: 1 };
      const mine = { both: 2, mine: 2, theirs: 1, none: 1 };
      const theirs = { both: 3, mine: 1, theirs: 3, none: 1 };
      const merged = mergeRecords(base, mine, theirs, decide);
      expect(calls).toEqual([[1, 2, 3, 'both']]);
      expect(merged).toEqual({ both: 'decided', mine: 2, theirs: 3, none: 1 });
    });

    test('is not asked where both came to the same', () => {
      expect(mergeRecords({ a: 1 }, { a: { b: 2 } }, { a: { b: 2 } }, decide)).toEqual({ a: { b: 2 } });
      expect(calls).toEqual([]);
    });

    test('sees undefined where a key is absent', () => {
      mergeRecords({ gone: 1 }, { added: 1 }, { gone: 2, added: 2 }, decide);
      expect(calls).toEqual([
        [1, undefined, 2, 'gone'],
        [undefined, 1, 2, 'added'],
      ]);
    });

    test('removes a key by undefined', () => {
      expect(mergeRecords({ a: 1 }, { a: 2 }, { a: 3, b: 1 }, () => undefined)).toEqual({ b: 1 });
    });

    test('may add up', () => {
      const add: MergeFunction = (base, mine, theirs) => mine + theirs - base;
      expect(mergeRecords({ views: 10 }, { views: 11 }, { views: 12 }, add)).toEqual({ views: 13 });
    });

    test('takeMine() takes mine', () => {
      expect(takeMine(1, 2, 3, 'a')).toBe(2);
    });
  });

  describe('hostile keys', () => {
    const hostile = (value: unknown): SessionRecord => JSON.parse(`{"__proto__":${JSON.stringify(value)}}`);

    test.each([
      ['mine', {}, hostile({ polluted: 1 }), {}],
      ['theirs', {}, {}, hostile({ polluted: 1 })],
      ['both', hostile({ a: 1 }), hostile({ polluted: 1 }), hostile({ a: 2 })],
    ])('__proto__, of %s, is data', (_name, base, mine, theirs) => {
      const merged = mergeRecords(base, mine, theirs);
      expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":1}}');
      expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
      expect(({} as SessionRecord)['polluted']).toBeUndefined();
    });

    test('what was merged can be changed and removed', () => {
      const merged = mergeRecords({}, { a: 1 }, {});
      expect(Object.getOwnPropertyDescriptor(merged, 'a')).toEqual({
        ...{ value: 1, writable: true, enumerable: true, configurable: true },
      });
    });

    test('__proto__ is removed as any other key', () => {
      const merged = mergeRecords(hostile(1), {}, { ...hostile(1), a: 1 });
      expect(JSON.stringify(merged)).toBe('{"a":1}');
    });

    test('constructor and prototype are data', () => {
      const merged = mergeRecords({}, { constructor: { prototype: { polluted: 1 } } }, { prototype: 1 });
      expect(JSON.stringify(merged)).toBe('{"prototype":1,"constructor":{"prototype":{"polluted":1}}}');
    });
  });

  describe('of any records', () => {
    const record = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', '__proto__', 'toString'),
      fc.jsonValue({ maxDepth: 1 }),
    );
    const json = (value: unknown) => JSON.stringify(value);
    /** In one order of keys. */
    const canonical = (value: SessionRecord) =>
      json(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

    test('only mine changed: mine', () => {
      fc.assert(
        fc.property(record, record, (base, mine) => {
          expect(canonical(mergeRecords(base, mine, base))).toBe(canonical(mine));
        }),
      );
    });

    test('only theirs changed: theirs', () => {
      fc.assert(
        fc.property(record, record, (base, theirs) => {
          expect(json(mergeRecords(base, base, theirs))).toBe(json(theirs));
        }),
      );
    });

    test('each key is as mine where I changed it, and as theirs elsewhere', () => {
      fc.assert(
        fc.property(record, record, record, (base, mine, theirs) => {
          const merged = mergeRecords(base, mine, theirs);
          const changed = new Set(changedKeys(base, mine));
          for (const key of new Set([base, mine, theirs, merged].flatMap(Object.keys))) {
            const source = changed.has(key) ? mine : theirs;
            expect(Object.hasOwn(merged, key)).toBe(Object.hasOwn(source, key));
            expect(json(Object.getOwnPropertyDescriptor(merged, key)?.value)).toBe(
              json(Object.getOwnPropertyDescriptor(source, key)?.value),
            );
          }
        }),
      );
    });
  });
});
