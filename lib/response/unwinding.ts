/**
 * Calls `unwound()` when the code that is running now has unwound, promise continuations included: what follows
 * `next()` or `await next()` in earlier middleware has run by then. No timer: the tick queue is served only when the
 * microtask queue is empty.
 */
export function afterUnwinding(waiting: Unwinding): void {
  void soon.then(() => process.nextTick(tell, waiting)); // `queueMicrotask()` would make an AsyncResource, for 1 us
}

/** What waits until the running code has unwound. An object, not a function: a closure less for each request. */
export interface Unwinding {
  unwound(): void;
}

const soon = Promise.resolve();

function tell(waiting: Unwinding): void {
  waiting.unwound();
}
