/** Holds `Date` at a time of its own, and nothing else: timers and the network go on as they are. */
export function stopClock(start: number = Date.UTC(2030, 0, 1)): { pass(ms: number): void; now(): number } {
  jest.useFakeTimers({
    now: start,
    doNotFake: [
      ...(['nextTick', 'queueMicrotask', 'performance', 'hrtime'] as const),
      ...([
        'setImmediate',
        'clearImmediate',
        'setTimeout',
        'clearTimeout',
        'setInterval',
        'clearInterval',
      ] as const),
    ],
  });
  return {
    pass: (ms) => jest.setSystemTime(Date.now() + ms),
    now: () => Date.now(),
  };
}
