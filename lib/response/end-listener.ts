/** What is told about a response whose end is held, and may act on it. */
export interface EndListener {
  /**
   * The app has ended the response and the code that did so has unwound. The end waits for `end.done()`.
   * An error takes the response back: nothing of it leaves, and `takenBack` is called.
   */
  beforeEnd(end: HeldEnd): void;
  /**
   * The headers are about to leave: the Set-Cookie lines to add.
   * @param unwatched no code of the app's has run since `beforeEnd` was done, as far as the response can tell
   */
  setCookies(unwatched: boolean): readonly string[];
  /** Whether a response that sets a cookie, and says nothing of caching, is to be kept out of shared caches. */
  readonly cachePrivate: boolean;
  /** `beforeEnd` failed, or the real `end()` threw. The response is as if not ended, or cut off if the app had streamed a part of it. */
  takenBack(error: unknown): void;
  /** The response is over: all of it has left, or the client has. May come before `beforeEnd`. Other listeners may still be called. */
  closed(): void;
}

/** What waits for a listener. */
export interface HeldEnd {
  /** The response tells of a failure already (status 500 and above): it isn't taken back for another. */
  readonly isFailure: boolean;
  /** The end may go on; with an error, the response is taken back. */
  done(error?: unknown): void;
  /** Calls back when the response has left, or the client has. */
  whenOver(call: () => void): void;
}

/**
 * Two that are one to the response: both are told of everything, and the end waits for both. Only the first is told that the
 * response was taken back: the error handler is to answer once.
 */
export class BothListeners implements EndListener {
  readonly #first: EndListener;
  readonly #second: EndListener;

  constructor(first: EndListener, second: EndListener) {
    this.#first = first;
    this.#second = second;
  }

  beforeEnd(end: HeldEnd): void {
    const both = new BothDone(end);
    this.#first.beforeEnd(both);
    this.#second.beforeEnd(both);
  }

  setCookies(unwatched: boolean): readonly string[] {
    return [...this.#first.setCookies(unwatched), ...this.#second.setCookies(unwatched)];
  }

  get cachePrivate(): boolean {
    return this.#first.cachePrivate || this.#second.cachePrivate;
  }

  takenBack(error: unknown): void {
    this.#first.takenBack(error);
  }

  closed(): void {
    this.#first.closed();
    this.#second.closed();
  }
}

class BothDone implements HeldEnd {
  readonly #end: HeldEnd;
  #awaited = 2;
  #failure: unknown;

  constructor(end: HeldEnd) {
    this.#end = end;
  }

  get isFailure(): boolean {
    return this.#end.isFailure;
  }

  whenOver(call: () => void): void {
    this.#end.whenOver(call);
  }

  done(error?: unknown): void {
    this.#failure ??= error;
    if (--this.#awaited === 0) this.#end.done(this.#failure);
  }
}
