import { setImmediate } from 'node:timers';

/** The most milliseconds that a timer of Node.js can wait: with more it goes off after one. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/** Node.js' own `setImmediate`: a fake one that a test installs later is not to hold up a response, and jsdom has none. */
export const nextTurn: typeof setImmediate = setImmediate;

/** A timer that keeps no process alive. Those of jsdom are numbers, and keep none anyway. */
export function unref(timer: NodeJS.Timeout): NodeJS.Timeout {
  (timer as Partial<NodeJS.Timeout>).unref?.();
  return timer;
}
