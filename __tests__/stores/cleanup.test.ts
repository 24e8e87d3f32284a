import { Cleanup, SLICE } from '../../lib/stores/cleanup.js';

describe('Cleanup', () => {
  const noRows = () => 0;

  beforeEach(() => jest.useFakeTimers());
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  test.each([
    [0, 500],
    [0.25, 750],
    [0.999, 1499],
  ])('comes after half to one and a half intervals, by chance (%d)', async (chance, after) => {
    jest.spyOn(Math, 'random').mockReturnValue(chance);
    const removeSlice = jest.fn(noRows);
    const cleanup = new Cleanup('TestStore', 1000, removeSlice);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(removeSlice).not.toHaveBeenCalled(); // not before it is started

    cleanup.start();
    await jest.advanceTimersByTimeAsync(after - 1);
    expect(removeSlice).toHaveBeenCalledTimes(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(removeSlice).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(after);
    expect(removeSlice).toHaveBeenCalledTimes(2);
    cleanup.stop();
  });

  test('does not keep the process alive', () => {
    const setTimer = jest.spyOn(globalThis, 'setTimeout');
    const cleanup = new Cleanup('TestStore', 1000, noRows);
    cleanup.start();
    expect((setTimer.mock.results[0]!.value as NodeJS.Timeout).hasRef()).toBe(false);
    cleanup.stop();
  });

  test('never comes with an interval of 0, nor once it is stopped', () => {
    new Cleanup('TestStore', 0, noRows).start();
    expect(jest.getTimerCount()).toBe(0);

    const stopped = new Cleanup('TestStore', 1000, noRows);
    stopped.start();
    expect(jest.getTimerCount()).toBe(1);
    stopped.stop();
    expect(jest.getTimerCount()).toBe(0);
    stopped.start();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('has no timer of its own while it runs', async () => {
    let finish: (removed: number) => void = () => {};
    const cleanup = new Cleanup('TestStore', 1000, () => new Promise((resolve) => (finish = resolve)));
    cleanup.start();
    await jest.advanceTimersByTimeAsync(1500);
    expect(jest.getTimerCount()).toBe(0);
    finish(0);
    await jest.advanceTimersByTimeAsync(0);
    expect(jest.getTimerCount()).toBe(1);
    cleanup.stop();
  });

  describe('run', () => {
    beforeEach(() => jest.useRealTimers());

    test.each([
      [[0], 0],
      [[7], 7],
      [[SLICE - 1], SLICE - 1],
      [[SLICE, 0], SLICE],
      [[SLICE, SLICE, 3], 2 * SLICE + 3],
    ])('removes slices until one is not full: %p', async (slices, total) => {
      const left = [...slices];
      const cleanup = new Cleanup('TestStore', 0, () => left.shift()!);
      expect(await cleanup.run()).toBe(total);
      expect(left).toEqual([]);
    });

    test('lets other work run between two slices', async () => {
      const order: string[] = [];
      const slices = [SLICE, SLICE, 0];
      const cleanup = new Cleanup('TestStore', 0, () => {
        order.push('slice');
        setImmediate(() => order.push('other'));
        return slices.shift()!;
      });
      await cleanup.run();
      expect(order).toEqual(['slice', 'other', 'slice', 'other', 'slice']);
    });

    test('ends after a slice once it is stopped', async () => {
      const removeSlice = jest.fn(() => SLICE);
      const cleanup = new Cleanup('TestStore', 0, removeSlice);
      cleanup.stop();
      expect(await cleanup.run()).toBe(SLICE);
      expect(removeSlice).toHaveBeenCalledTimes(1);
    });

    test('rejects with what went wrong', async () => {
      const error = new Error('broken');
      const cleanup = new Cleanup('TestStore', 0, () => Promise.reject(error));
      await expect(cleanup.run()).rejects.toBe(error);
    });
  });

  test('a failure is a warning, once, and the next round comes all the same', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    let failures = 0;
    const removeSlice = jest.fn(() => Promise.reject(new Error(`TestStore: failure ${++failures}.`)));
    const cleanup = new Cleanup('TestStore', 1000, removeSlice);
    cleanup.start();
    await jest.advanceTimersByTimeAsync(1500);
    await jest.advanceTimersByTimeAsync(1500);
    expect(removeSlice.mock.calls.length).toBeGreaterThanOrEqual(2);
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(
          /^Expired sessions could not be removed, which will be tried again\. TestStore: failure 1\. \(http/,
        ),
        { type: 'SteadySessionWarning', code: 'WARN_SESSION_STORE_CLEANUP' },
      ],
    ]);
    cleanup.stop();
  });

  test.each([0, 0.5, 1_000_000_000])('takes an interval of %d ms', (interval) => {
    expect(new Cleanup('TestStore', interval, noRows)).toBeInstanceOf(Cleanup);
  });

  test.each([-1, Number.NaN, Infinity, 1_000_000_001, '1000', null])('refuses %p', (interval) => {
    expect(() => new Cleanup('TestStore', interval as number, noRows)).toThrow(
      /^TestStore: cleanupInterval option must be a number of milliseconds from 0 \(never\) to 1000000000; got /,
    );
  });
});
