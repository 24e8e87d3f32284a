import { fromMap } from '../../lib/adapters/map.js';
import { conformance } from '../../lib/conformance/index.js';
import { collect } from '../support/collect.js';

const MINUTE = 60_000;

describe('a Map keeps the contract', () => {
  let map: Map<string, unknown>;
  const store = () => {
    map = new Map();
    return fromMap(map);
  };
  conformance({ test, store, second: () => fromMap(map), separate: store });
});

describe('what is in the map', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: Date.UTC(2029, 0), doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('a text and its expiry', async () => {
    const map = new Map();
    const store = fromMap(map);
    await store.set('id', 'text', { expires: Date.now() + 5 });
    expect([...map]).toEqual([['id', { text: 'text', expires: Date.now() + 5 }]]);

    await store.touch('id', Date.now() + 9);
    expect([...map]).toEqual([['id', { text: 'text', expires: Date.now() + 9 }]]);
  });

  test('nothing that is set or touched with a time in the past', async () => {
    const map = new Map();
    const store = fromMap(map);
    expect(await store.set('id', 'text', { expires: Date.now() })).toBe(true);
    expect(map.size).toBe(0);

    await store.set('id', 'text', { expires: Date.now() + 1 });
    expect(await store.touch('id', Date.now())).toBe(true);
    expect(map.size).toBe(0);
  });

  test('records leave within about a minute of their expiry, and others stay', async () => {
    const map = new Map<string, unknown>([['theirs', 'value']]);
    const store = fromMap(map);
    await store.set('short', 'text', { expires: Date.now() + 1 });
    await store.set('long', 'text', { expires: Date.now() + 3 * MINUTE });

    jest.advanceTimersByTime(MINUTE - 1);
    expect([...map.keys()]).toEqual(['theirs', 'short', 'long']);
    jest.advanceTimersByTime(1);
    expect([...map.keys()]).toEqual(['theirs', 'long']);
    jest.advanceTimersByTime(2 * MINUTE);
    expect([...map.keys()]).toEqual(['theirs']);
    expect(jest.getTimerCount()).toBe(0);

    await store.set('next', 'text', { expires: Date.now() + 1 });
    jest.advanceTimersByTime(MINUTE);
    expect([...map.keys()]).toEqual(['theirs']);
  });

  test('many leave in slices of a thousand, a millisecond apart', async () => {
    const map = new Map();
    const store = fromMap(map);
    await store.set('long', 'text', { expires: Date.now() + 10 * MINUTE });
    for (let n = 0; n < 2500; n++) await store.set(`${n}`, 'text', { expires: Date.now() + 1 });

    const sizes = [MINUTE, 1, 1, 1].map((ms) => {
      jest.advanceTimersByTime(ms);
      return map.size;
    });
    expect(sizes).toEqual([1502, 502, 1, 1]);
    expect(jest.getTimerCount()).toBe(1); // for the one that is left
  });

  test('after close, nothing is swept', async () => {
    const map = new Map();
    const store = fromMap(map);
    await store.set('a', 'text', { expires: Date.now() + 1 });
    await store.close!();
    await store.set('b', 'text', { expires: Date.now() + 1 });
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(2 * MINUTE);

    expect(map.size).toBe(2);
  });

  test('what works like a Map but can not list its keys is not swept, and lists no ids', async () => {
    const rows = new Map<string, unknown>();
    const store = fromMap({
      get: (key) => rows.get(key),
      set: (key, value) => rows.set(key, value),
      delete: (key) => rows.delete(key),
    });
    await store.set('id', 'text', { expires: Date.now() + 1 });

    expect(jest.getTimerCount()).toBe(0);
    expect(store.ids).toBe(undefined);
    expect(await store.get('id')).toBe('text');
    jest.advanceTimersByTime(1);
    expect(await store.get('id')).toBe(undefined);
  });
});

test('what others have put into the map is no record', async () => {
  const map = new Map<string, unknown>([
    ['a', 'text'],
    ['b', null],
    ['c', { text: 'text' }],
  ]);
  const store = fromMap(map);

  expect([await store.get('a'), await store.get('b'), await store.get('c')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(await store.touch('c', Date.now() + 1000)).toBe(false);
  expect(await collect(store.ids!())).toEqual([]);
  expect(map.size).toBe(3);
});

test('its timer does not keep the process alive', async () => {
  const timers = jest.spyOn(globalThis, 'setTimeout');
  const store = fromMap(new Map());
  await store.set('id', 'text', { expires: Date.now() + 1000 });
  const [timer] = timers.mock.results.map(({ value }) => value as NodeJS.Timeout);
  timers.mockRestore();

  expect(timer!.hasRef()).toBe(false);
  await store.close!();
});

test('something else than a Map is refused', () => {
  expect(() => fromMap({} as any)).toThrow(
    new TypeError(
      'fromMap() needs an object with the methods get(), set(), delete(), but it has no get(); got an object (Object)',
    ),
  );
});
