/** When every scenario begins. */
export const START = Date.UTC(2030, 0, 15, 12);

/**
 * Freezes the calendar (`Date`) for the tests of a file, so that both subjects write the same Expires; timers and I/O
 * stay real.
 */
export function useFrozenClock(): void {
  beforeAll(() => jest.useFakeTimers({ now: START, doNotFake: [...allButDate] }));
  afterAll(() => jest.useRealTimers());
}

export function resetClock(): void {
  jest.setSystemTime(START);
}

export function passTime(ms: number): void {
  jest.setSystemTime(Date.now() + ms);
}

const allButDate = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'requestAnimationFrame',
  'cancelAnimationFrame',
  'requestIdleCallback',
  'cancelIdleCallback',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;
