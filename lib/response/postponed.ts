import { unref } from '../timers.js';

export type Call = () => void;

/** What is done with a response once it has been ended, and so has to wait. Most responses have nothing of the kind. */
export class Postponed {
  readonly closings: Closings = new Closings();
  /** Calls that came right after the end. They are made after the real end, to fail as they would have. */
  afterEnd: Call[] = [];
  /** Calls that are made when the response is over: those that came when a plain one would have been over already. */
  afterClose: Call[] = [];

  /** The response that they were about was taken back: they are not to fail as if they came after the end of the error page. */
  takeBack(): void {
    this.afterClose = [...this.afterEnd, ...this.afterClose];
    this.afterEnd = [];
  }
}

/** Calls that would have closed the connection before the response had left. If it is taken back, they wait for the error page. */
class Closings {
  #calls: Call[] = [];
  #timer: NodeJS.Timeout | undefined;

  add(call: Call): void {
    this.#calls.push(call);
  }

  get areDue(): boolean {
    return this.#calls.length > 0;
  }

  /** They don't wait for ever: `close()` is called when `longest` milliseconds have gone by. */
  limit(longest: number, close: Call): void {
    clearTimeout(this.#timer);
    this.#timer = unref(setTimeout(close, longest));
  }

  /** Whether there is such a limit. */
  get areLimited(): boolean {
    return this.#timer !== undefined;
  }

  makeAll(): void {
    clearTimeout(this.#timer);
    const due = this.#calls;
    this.#calls = [];
    callAll(due);
  }
}

export function callAll(calls: readonly Call[] | undefined): void {
  if (!calls) return;
  for (const call of calls) call();
}
