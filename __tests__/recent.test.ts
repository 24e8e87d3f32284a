import { Recent } from '../lib/recent.js';

test('the latest entries are kept, and twice as many at most', () => {
  const recent = new Recent<number>(2);
  for (const n of [1, 2, 3, 4, 5]) recent.set(`${n}`, n);

  expect(['1', '2', '3', '4', '5'].map((key) => recent.get(key))).toEqual([undefined, undefined, 3, 4, 5]);
});

test('what is asked for counts as learned anew', () => {
  const recent = new Recent<number>(1);
  recent.set('a', 1);
  for (const n of [2, 3, 4]) {
    recent.set('b', n);
    expect(recent.get('a')).toBe(1);
  }
});

test('a value takes the place of the one before', () => {
  const recent = new Recent<number>(9);
  for (const n of [1, 2]) recent.set('a', n);
  expect(recent.get('a')).toBe(2);
});

test('keys that end alike are told apart, whatever their length', () => {
  const recent = new Recent<string>(100);
  const keys = [
    '',
    'x',
    'tail',
    'the tail',
    ' the tail',
    ...Array.from({ length: 50 }, (_, n) => `${n} of the same tail`),
  ];
  for (const key of keys) recent.set(key, `value of ${key}`);

  expect(keys.map((key) => recent.get(key))).toEqual(keys.map((key) => `value of ${key}`));
  expect(recent.get('51 of the same tail')).toBeUndefined();
});
