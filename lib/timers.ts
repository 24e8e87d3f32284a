import { setImmediate } from 'node:timers';

/** The real `setImmediate`, also where tests put a fake one in its place later, which no response is to wait for, or have none (jsdom). */
export const nextTurn: typeof setImmediate = setImmediate;

/** A timer that keeps no process alive. Those of jsdom are numbers, and keep none anyway. */
export function unref(timer: NodeJS.Timeout): NodeJS.Timeout {
  (timer as Partial<NodeJS.Timeout>).unref?.();
  return timer;
}
