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

/** In the order of their microtasks, which need not carry what they are for: a closure less, of 100 bytes. */
const waiting: Unwinding[] = [];

const soon = Promise.resolve();

/** The real one, also where tests put a fake one in its place later: no response has to wait for those. */
const { nextTick } = process;

function waitForTick(): void {
  nextTick(tell, waiting.shift()); // should a tick get lost, only what it carries is lost with it
}

function tell(one: Unwinding): void {
  one.unwound();
}
