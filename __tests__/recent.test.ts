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
