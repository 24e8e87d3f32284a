import fc from 'fast-check';
import { ExpiringMap } from '../lib/stores/expiring-map.js';
import { IdIndex, NONE, tableHashOf } from '../lib/stores/id-index.js';

describe('touching again and again', () => {
  test('leaves one entry for each record', () => {
    const map = new ExpiringMap(false);
    for (const id of ['a', 'b', 'c']) map.set(id, 'x', 5000, false);
    for (let i = 0; i < 100_000; i++) map.prolong('b', (i * 7919) % 5000);
    expect(map.size).toBe(3);
    expect(map.removeExpired(5000, 10)).toBe(3);
    expect(map.soonest).toBe(Infinity);
  });
});

describe('ExpiringMap', () => {
  interface Model {
    text: string;
    expires: number;
    marked: boolean;
  }
  const id = fc.oneof(fc.nat(5), fc.nat(60)).map((n) => `id-${n}`);
  const time = fc.integer({ min: 0, max: 40 });
  const step = fc.oneof(
    { weight: 60, arbitrary: fc.record({ do: fc.constant('set' as const), id, time, marked: fc.boolean() }) },
    { weight: 20, arbitrary: fc.record({ do: fc.constant('prolong' as const), id, time }) },
    { weight: 20, arbitrary: fc.record({ do: fc.constant('delete' as const), id }) },
    { weight: 20, arbitrary: fc.record({ do: fc.constant('get' as const), id, time }) },
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('expire' as const),
        time,
        limit: fc.integer({ min: 0, max: 9 }),
      }),
    },
    { weight: 10, arbitrary: fc.record({ do: fc.constant('deleteSoonest' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  );

  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  const steps = fc.array(step, { maxLength: 250, size: 'max' });

  test('does what a simple map does, and knows at any time what expires first', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const map = new ExpiringMap(true);
        const model = new Map<string, Model>();
        for (const [i, each] of all.entries()) {
          const [actual, expected] = perform(each, `text ${i}`, map, model);
          expect([actual, map.size, map.soonest]).toEqual([expected, model.size, soonestOf(model)]);
        }
        expectSameContents(map, model);
      }),
      { numRuns: 150 },
    );
  });

  test('does so where it needs not know, and then removes what has expired, and nothing else', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const map = new ExpiringMap(false);
        const model = new Map<string, Model>();
        for (const [i, each] of all.entries()) {
          if (each.do === 'deleteSoonest') continue;
          if (each.do === 'expire') expectExpiry(map, model, each.time, each.limit);
          else {
            const [actual, expected] = perform(each, `text ${i}`, map, model);
            expect([actual, map.size]).toEqual([expected, model.size]);
          }
          expect(map.soonest).toBeLessThanOrEqual(soonestOf(model));
          expect(map.soonest === Infinity).toBe(model.size === 0);
        }
        expectSameContents(map, model);
      }),
      { numRuns: 150 },
    );
  });

  function expectExpiry(map: ExpiringMap, model: Map<string, Model>, time: number, limit: number): void {
    const seen = map.removeExpired(time, limit);
    const gone = [...model].filter(([key]) => !map.has(key));
    for (const [key] of gone) model.delete(key);
    const left = [...model.values()].filter(({ expires }) => expires <= time);
    expect(gone.filter(([, { expires }]) => expires > time)).toEqual([]);
    expect(gone.length).toBeLessThanOrEqual(seen);
    expect(seen).toBeLessThanOrEqual(limit);
    if (seen < limit) expect(left).toEqual([]);
  }

  function expectSameContents(map: ExpiringMap, model: Map<string, Model>): void {
    const contentOf = (key: string) => [key, [map.get(key, -1), map.isMarked(key), map.has(key)]] as const;
    const expected = [...model].map(([key, { text, marked }]) => [key, [text, marked, true]] as const);
    expect(new Map(map.keys().map(contentOf))).toEqual(new Map(expected));
    expect(map.keys()).toHaveLength(model.size);
  }

  test('a record that gets more time is not looked at before its first turn, and once then', () => {
    const map = new ExpiringMap(false);
    map.set('a', 'x', 10, false);
    for (let time = 20; time <= 100; time++) map.prolong('a', time);
    expect([map.soonest, map.removeExpired(9, 10)]).toEqual([10, 0]);
    expect([map.removeExpired(10, 10), map.soonest, map.size]).toEqual([1, 100, 1]);
    expect([map.removeExpired(99, 10), map.removeExpired(100, 10), map.size]).toEqual([0, 1, 0]);
  });

  test('a record that gets less time has its turn at once', () => {
    const map = new ExpiringMap(false);
    for (const id of ['a', 'b', 'c']) map.set(id, 'x', 50, false);
    map.prolong('b', 100);
    map.prolong('b', 20);
    expect([map.soonest, map.removeExpired(20, 10), map.has('b')]).toEqual([20, 1, false]);
  });

  test('looks no further than its last record for the one that expires first', () => {
    const map = new ExpiringMap(true);
    for (const [id, expires] of Object.entries({ a: 10, b: 20, c: 15 })) map.set(id, 'x', expires, false);
    map.delete('c');
    map.prolong('a', 40);
    expect(map.soonest).toBe(20);
  });

  /** Does the step on both, and returns what each answers. */
  function perform(
    step: Step,
    text: string,
    map: ExpiringMap,
    model: Map<string, Model>,
  ): [unknown, unknown] {
    switch (step.do) {
      case 'set':
        model.set(step.id, { text, expires: step.time, marked: step.marked });
        return [map.set(step.id, text, step.time, step.marked), undefined];
      case 'prolong': {
        const record = model.get(step.id);
        if (!record) return [map.has(step.id), false];
        record.expires = step.time;
        return [map.prolong(step.id, step.time), undefined];
      }
      case 'delete':
        model.delete(step.id);
        return [map.delete(step.id), undefined];
      case 'get': {
        const record = model.get(step.id);
        if (record && record.expires > step.time) return [map.get(step.id, step.time), record.text];
        model.delete(step.id);
        return [map.get(step.id, step.time), undefined];
      }
      case 'expire': {
        const expired = [...model.values()].filter(({ expires }) => expires <= step.time).length;
        const removed = map.removeExpired(step.time, step.limit);
        for (let i = 0; i < removed; i++) forgetSoonest(map, model);
        return [removed, Math.min(expired, step.limit)];
      }
      case 'deleteSoonest':
        if (map.size > 0) map.deleteSoonest();
        if (model.size > 0) forgetSoonest(map, model);
        return [undefined, undefined];
      case 'clear':
        model.clear();
        return [map.clear(), undefined];
    }
  }

  /** Nobody says which of several that expire at the same time goes first, so the model follows. */
  function forgetSoonest(map: ExpiringMap, model: Map<string, Model>): void {
    const first = soonestOf(model);
    const gone = [...model].find(([key, { expires }]) => expires === first && !map.has(key));
    model.delete(gone?.[0] ?? 'none of the soonest is gone');
  }

  function soonestOf(model: Map<string, Model>): number {
    return Math.min(Infinity, ...[...model.values()].map(({ expires }) => expires));
  }

  test('keeps thousands apart while it grows and shrinks', () => {
    const map = new ExpiringMap(false);
    for (let i = 0; i < 5000; i++) map.set(`id-${i}`, `text ${i}`, i, i % 2 === 0);
    const contents = () =>
      Array.from({ length: 5000 }, (_, i) => [map.get(`id-${i}`, -1), map.isMarked(`id-${i}`)]);
    const expectedFrom = (first: number) =>
      Array.from({ length: 5000 }, (_, i) => (i < first ? [undefined, false] : [`text ${i}`, i % 2 === 0]));
    expect(contents()).toEqual(expectedFrom(0));
    expect(map.removeExpired(4899, 10_000)).toBe(4900);
    expect(map.size).toBe(100);
    expect(contents()).toEqual(expectedFrom(4900));
  });
});

describe('IdIndex', () => {
  test('finds each id though all have one hash, or hashes that lie next to one another', () => {
    for (const hash of [() => 15, (i: number) => i % 3, (i: number) => (i % 7) * 0x10000 + 13]) {
      const index = new IdIndex();
      const ids = Array.from({ length: 40 }, (_, i) => `${i}`);
      const records = ids.flatMap((id) => [id, 'text']);
      for (const i of ids.keys()) index.add(hash(i), i);
      const gone = new Set<number>();
      for (let n = 0; n < 40; n++) {
        const i = (n * 11) % 40;
        index.remove(hash(i), i);
        gone.add(i);
        const found = ids.map((id, j) => index.find(id, hash(j), records));
        expect(found).toEqual(ids.map((_, j) => (gone.has(j) ? NONE : j)));
      }
    }
  });

  test('does not take an id for another of the same hash', () => {
    const index = new IdIndex();
    index.add(5, 0);
    expect(index.find('a', 5, ['a'])).toBe(0);
    expect(index.find('b', 5, ['a'])).toBe(NONE);
  });

  test('its hashes spread ids of all kinds evenly over the shards', () => {
    const kinds: ((i: number) => string)[] = [
      (i) => `user-${i}`,
      (i) => `${i}-some.host.example`,
      (i) => String.fromCharCode(i, 0x3b1),
      (i) => Buffer.from(`${i * i}`).toString('base64url'),
    ];
    for (const kind of kinds) {
      const counts = Array.from({ length: 64 }, () => 0);
      for (let i = 0; i < 6400; i++) counts[tableHashOf(kind(i)) >>> 26]!++;
      expect(Math.min(...counts)).toBeGreaterThan(50);
      expect(Math.max(...counts)).toBeLessThan(150);
    }
  });
});
