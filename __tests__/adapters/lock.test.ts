import { IdLock, lockOf } from '../../lib/adapters/lock.js';

/** An operation that ends when it is told to. */
function gate<T>() {
  let open!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('operations on one id run one after the other, in order', async () => {
  const lock = new IdLock();
  const log: string[] = [];
  const gates = [gate<void>(), gate<void>(), gate<void>()];
  const runs = gates.map(({ promise }, n) =>
    lock.run('id', async () => {
      log.push(`${n} starts`);
      await promise;
      log.push(`${n} ends`);
      return n;
    }),
  );
  for (const { open } of gates.toReversed()) {
    open();
    await settle();
  }

  expect(await Promise.all(runs)).toEqual([0, 1, 2]);
  expect(log).toEqual(['0 starts', '0 ends', '1 starts', '1 ends', '2 starts', '2 ends']);
});

test('operations on different ids run at the same time', async () => {
  const lock = new IdLock();
  const first = gate<string>();
  const held = lock.run('a', () => first.promise);

  expect(await lock.run('b', async () => 'b')).toBe('b');
  first.open('a');
  expect(await held).toBe('a');
});

test('the next one starts after a failure, which only its own caller sees', async () => {
  const lock = new IdLock();
  const failed = lock.run('id', async () => {
    throw new Error('failed');
  });
  const thrown = lock.run('id', () => {
    throw new Error('thrown');
  });
  const next = lock.run('id', async () => 'next');

  await expect(failed).rejects.toThrow('failed');
  await expect(thrown).rejects.toThrow('thrown');
  expect(await next).toBe('next');
});

test('nothing is remembered of an id whose operations have ended', async () => {
  const lock = new IdLock();
  const waiting = [gate<void>(), gate<void>()];
  const runs = waiting.map(({ promise }) => lock.run('id', () => promise));
  const other = lock.run('other', async () => {}).then(() => lock.size);

  expect(lock.size).toBe(2);
  expect(await other).toBe(1);
  waiting[0]!.open();
  await runs[0];
  expect(lock.size).toBe(1);
  waiting[1]!.open();
  await runs[1];
  expect(lock.size).toBe(0);
});

describe('an operation that never ends', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('blocks the next one for 30 seconds, and the one after that no longer than needed', async () => {
    const lock = new IdLock();
    const log: string[] = [];
    const second = gate<void>();
    const lost = gate<void>();
    const first = lock.run('id', () => lost.promise);
    void lock.run('id', () => {
      log.push('second');
      return second.promise;
    });
    void lock.run('id', async () => {
      log.push('third');
    });

    await jest.advanceTimersByTimeAsync(29_999);
    expect(log).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(log).toEqual(['second']);
    await jest.advanceTimersByTimeAsync(29_999);
    expect(log).toEqual(['second']); // it has its own 30 seconds
    second.open();
    await settle();
    expect(log).toEqual(['second', 'third']);
    expect(lock.size).toBe(0);

    lost.open();
    await first;
    expect(lock.size).toBe(0);
  });

  test('one that ends in time leaves no timer behind', async () => {
    await new IdLock().run('id', async () => {});

    expect(jest.getTimerCount()).toBe(0);
  });
});

test('all adapters over one back end share a lock', () => {
  const backend = {};

  expect(lockOf(backend)).toBe(lockOf(backend));
  expect(lockOf({})).not.toBe(lockOf(backend));
});

test('an operation that need not wait for long runs before the one in front of it has ended', async () => {
  const lock = new IdLock();
  const first = gate<string>();
  const held = lock.run('id', () => first.promise);

  expect(await lock.run('id', async () => 'second', 10)).toBe('second');
  first.open('first');
  expect(await held).toBe('first');
  expect(lock.size).toBe(0);
});

test('one that may wait for long runs as soon as the one in front of it has ended', async () => {
  const lock = new IdLock();
  const first = gate<void>();
  const held = lock.run('id', () => first.promise);
  const second = lock.run('id', async () => 'second', 2 ** 30);
  first.open();
  await held;

  expect(await second).toBe('second');
});
