/**
 * Calls `unwound()` when the code that is running now has unwound, promise continuations included: what follows
 * `next()` or `await next()` in earlier middleware has run by then. No timer: the tick queue is served only when the
 * microtask queue is empty.
 */
export function afterUnwinding(one: Unwinding): void {
  waiting.push(one);
  void soon.then(waitForTick); // `queueMicrotask()` would make an AsyncResource, for 1 us
}

/** What waits until the running code has unwound. */
export interface Unwinding {
  unwound(): void;
}

/** In the order of their microtasks, and so of their ticks: neither has to carry what it is for (100 bytes less for each). */
const waiting: Unwinding[] = [];

const soon = Promise.resolve();

function waitForTick(): void {
  process.nextTick(tellNext);
}

function tellNext(): void {
  waiting.shift()?.unwound();
}
