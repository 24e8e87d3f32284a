/**
 * Calls `unwound()` when the code that is running now has unwound, promise continuations included: what follows
 * `next()` or `await next()` in earlier middleware has run by then. No timer: the tick queue is served only when the
 * microtask queue is empty.
 */
export function afterUnwinding(one: Unwinding): void {
  void soon.then(waitForTick); // `queueMicrotask()` would make an AsyncResource, for 1 us
  waiting.push(one);
}

/** What waits until the running code has unwound. */
export interface Unwinding {
  unwound(): void;
}

/**
 * In the order of their microtasks, and of the ticks that these ask for. Neither carries what it is for: a closure would
 * take 100 bytes, an argument of `nextTick()` 56.
 */
const waiting: Unwinding[] = [];

const soon = Promise.resolve();

/** The real one, also where tests put a fake one in its place later, which may lose ticks: no response has to wait for those. */
const { nextTick } = process;

function waitForTick(): void {
  nextTick(tellNext);
}

function tellNext(): void {
  waiting.shift()?.unwound();
}
