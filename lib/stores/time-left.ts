/** The last instant of a JavaScript `Date`. Databases can hold it, and not all hold more. */
export const END_OF_TIME = 8.64e15;

/** When a life of so many milliseconds ends that begins now, in epoch milliseconds. One without an end may not be `Infinity`: JSON has none. */
export function endOfLife(life: number): number {
  return Math.min(Date.now() + life, END_OF_TIME);
}

/**
 * For a store whose server counts the time that a record has left, so that its clock and the app's need not agree:
 * how much that is, in whole milliseconds, 0 if `expires` (epoch ms) is now or past. One is taken off for the way
 * there, and since a clock that shows milliseconds is late by up to one.
 */
export function millisecondsLeft(expires: number): number {
  return Math.max(0, Math.floor(Math.min(expires, END_OF_TIME) - Date.now()) - 1);
}
