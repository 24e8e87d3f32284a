import { inspect } from 'node:util';
import fc from 'fast-check';
import { Snapshot } from '../lib/snapshot.js';

type Data = Record<string, unknown>;

const json = (object: object) => JSON.stringify({ ...object, cookie: undefined });
const take = (object: object) => Snapshot.of(object, 'cookie', 'its text') as Snapshot;
const isStill = (snapshot: Snapshot, object: object) => snapshot.textOf(object, 'cookie') === 'its text';

/** As the parser makes them, or an app: some values are no JSON. */
const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(undefined, Number.NaN, -0, 'x', 'y'));
const record = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'x', 'y', 'cookie'), value, {
  maxKeys: 5,
  noNullPrototype: true,
});

function putLast(object: { a?: number }): void {
  delete object.a;
  object.a = 1;
}

describe('a snapshot', () => {
  test('never takes one object for another', () => {
    fc.assert(
      fc.property(record, record, (one, other) => {
        expect(isStill(take(one), other) && json(one) !== json(other)).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });

  test('knows the object again, unless there is something in it that is no number', () => {
    fc.assert(
      fc.property(record, (data) => {
        expect(isStill(take(data), data)).toBe(
          !/NaN/.test(inspect({ ...data, cookie: undefined }, { depth: 9 })),
        );
      }),
      { numRuns: 3000 },
    );
  });

  test.each<[string, object, (object: any) => void]>([
    ['a value', { a: 1 }, (object) => object.a++],
    ['a value deep inside', { a: [{ b: 'x' }] }, (object) => (object.a[0].b = 'y')],
    ['a key more', { a: 1 }, (object) => (object.b = 2)],
    ['a key less', { a: 1, b: 2 }, (object) => delete object.b],
    ['another key', { a: { b: 1 } }, (object) => (object.a = { c: 1 })],
    ['another order', { a: 1, b: 2 }, putLast],
    ['an item more', { a: [1] }, (object) => object.a.push(2)],
    ['an item less', { a: [1, 2] }, (object) => object.a.pop()],
    ['a list for an object', { a: { b: 1 } }, (object) => (object.a = ['b', 1])],
    ['an object for a list', { a: ['b', 1] }, (object) => (object.a = { b: 1 })],
    ['an item that moves out of its list', { a: [[1], 2] }, (object) => (object.a = [[1, 2]])],
    ['a string for a number', { a: 1 }, (object) => (object.a = '1')],
    ['null for an object', { a: {} }, (object) => (object.a = null)],
    ['an object for null', { a: null }, (object) => (object.a = {})],
    ['a date for what it was', { a: {} }, (object) => (object.a = new Date(0))],
    [
      'a boxed value for nothing',
      { a: {} },
      (object) => (object.a = Object.setPrototypeOf(Object(true), Object.prototype)),
    ],
    ['JSON of its own', { a: 1 }, (object) => Object.defineProperty(object, 'toJSON', { value: () => 2 })],
    ['JSON of its own deep inside', { a: [1] }, (object) => (object.a.toJSON = () => 2)],
  ])('sees %s', (_, object, change) => {
    const snapshot = take(object);
    expect(isStill(snapshot, object)).toBe(true);
    change(object);
    expect(isStill(snapshot, object)).toBe(false);
  });

  test('does not see the cookie, or what has no part in JSON', () => {
    const object: Data = { cookie: { path: '/' }, a: [1] };
    const snapshot = take(object);
    object['cookie'] = { path: '/other' };
    Object.assign(object['a'] as object, { extra: 1 });
    Object.defineProperty(object, 'hidden', { value: 1 });

    expect(isStill(snapshot, object)).toBe(true);
  });

  const circle: Data = {};
  circle['a'] = circle;
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  test.each<[string, object]>([
    ['a date', { a: new Date(0) }],
    ['a map', { a: new Map() }],
    ['an instance', { a: new (class Point {})() }],
    ['an object without a prototype', { a: Object.create(null) }],
    ['a boxed value', { a: Object(1) }],
    ['a function', { a: () => 1 }],
    ['a symbol', { a: Symbol('a') }],
    ['a big integer', { a: 1n }],
    ['its own JSON', { toJSON: () => 1 }],
    ['its own JSON inside', { a: { toJSON: () => 1 } }],
    ['a list with its own JSON', { a: Object.assign([], { toJSON: () => [] }) }],
    ['what is inherited', Object.create({ a: 1 })],
    ['a circle', circle],
    ['a list that is very long', { a: Array.from({ length: 200 }, () => 1) }],
    [
      'an object that is very long',
      Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`k${at}`, at])),
    ],
    ['what is nested very deep', { a: nested(200) }],
  ])('is not taken of %s', (_, object) => {
    expect(Snapshot.of(object, 'cookie', '')).toBeUndefined();
  });

  test('is taken of an object that is not quite so long', () => {
    const object = { a: Array.from({ length: 190 }, (_, at) => at) };
    expect(isStill(take(object), object)).toBe(true);
  });

  test('holds nothing once it was released, and then may be another', () => {
    const object = { a: { secret: 'x' } };
    const snapshot = take(object);
    snapshot.release();
    expect(JSON.stringify(snapshot)).not.toMatch(/secret|its text/);
    const next = take({ b: 1 });

    expect(next).toBe(snapshot);
    expect(isStill(next, { b: 1 })).toBe(true);
    expect(isStill(next, object)).toBe(false);
  });

  test('that could not be taken leaves nothing behind', () => {
    const kept = take({ a: 1 });
    kept.release();
    expect(Snapshot.of({ a: 'x', b: 'y', c: new Date(0) }, 'cookie', '')).toBeUndefined();
    const next = take({ b: 1 });

    expect(next).toBe(kept);
    expect(isStill(next, { b: 1 })).toBe(true);
  });

  test('is not kept for later where there are enough', () => {
    const many = Array.from({ length: 101 }, () => take({ a: 1 }));
    for (const each of many) each.release();
    const again = Array.from({ length: 101 }, () => take({ a: 1 }));

    expect(again.filter((each) => many.includes(each))).toHaveLength(100);
  });
});
