import { executionAsyncId } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import {
  mergeable,
  setCookie,
  setPrivateCache,
  withPrivateCache,
  withSetCookie,
} from '../cookies/set-cookie.js';
import { expectProperties } from '../many-properties.js';
import { nextTurn } from '../timers.js';
import { isChunk, isData, refuseEncoding } from './chunk.js';
import { allowClosing, appearUnreadable, postponeClosing } from './closing.js';
import { BothListeners, type EndListener, type HeldEnd } from './end-listener.js';
import {
  appearEnded,
  appearEndedNoMore,
  appearFinishedNoMore,
  type Freezable,
  freezeHeaders,
  type HeadState,
  refuse,
  slot,
  thawHeaders,
} from './frozen-head.js';
import { type Call, callAll, Postponed } from './postponed.js';
import { type PutOffHead, putOff } from './put-off-head.js';
import {
  type AnyFunction,
  callWith,
  cutOff,
  hasNoHeadOfItsOwn,
  isNearlyOver,
  isOfRealEnd,
  isStandIn,
  type Method,
  mayEndWithoutHead,
  methodsOf,
  type RealMethods,
  tellsOfItsEnd,
  undoUncorks,
} from './real-response.js';
import { forgetRepresentation, isHttp2, messageOf, readStatus, writeStatus } from './response-head.js';
import { afterUnwinding, type Unwinding } from './unwinding.js';

/**
 * Holds the end of a response until its listeners have done their work, and lets them add a cookie to its headers.
 *
 * To the app the response looks just as with plain node:http: once ended, it says so, and refuses what an ended
 * response refuses. On HTTP/1 an explicit `writeHead()` is put off too, to the first byte: it sends nothing by itself.
 */
export function holdEnd(res: ServerResponse, listener: EndListener): void {
  const held = (res as HeldResponse)[slot];
  if (held) held.listener = new BothListeners(held.listener, listener);
  else new Hold(res as HeldResponse, listener);
}

/**
 * - `open`: the app has sent nothing;
 * - `head`: it has called writeHead(), which has been put off;
 * - `streaming`: headers, and perhaps parts of the body, have left;
 * - `held`: it has ended the response, and the code that did so is running yet;
 * - `unwound`: that code has run;
 * - `released`: the end has gone out.
 */
type Phase = 'open' | 'head' | 'streaming' | 'held' | 'unwound' | 'released';

const NO_LINES: readonly string[] = [];

/** For how long the connection stays open for the store's sake though it is to be closed, in milliseconds. */
const LONGEST_WAIT = 1000;
/** The same for an error page in the response's place. */
const LONGEST_WAIT_FOR_PAGE = 5000;

type HeldResponse = Freezable<Hold>;

class Hold implements HeldEnd, Unwinding, HeadState {
  readonly res: HeldResponse;
  listener: EndListener;
  real: RealMethods;
  phase: Phase = 'open';
  head: PutOffHead | undefined;
  // What the end was called with. Not in an array, nor is the status in an object: that would take 60 bytes each.
  chunk: unknown;
  encoding: unknown;
  callback: unknown;
  /** The status at that time. */
  code = 0;
  message: string | undefined;
  /** The id of the asynchronous operation in which the app has ended it. */
  endedIn = 0;
  postponed: Postponed | undefined;
  /** `beforeEnd()` is running: if it calls `done()`, no code of the app's has run in between. */
  atOnce = false;
  over = false;
  headersHaveLeft: boolean;

  constructor(res: HeldResponse, listener: EndListener) {
    this.res = res;
    this.listener = listener;
    this.headersHaveLeft = res.headersSent;
    this.real = methodsOf(res);
    expectProperties(res);
    res[slot] = this;
    res.end = heldMethods.end as typeof res.end;
    res.write = heldMethods.write;
    res.writeHead = heldMethods.writeHead as typeof res.writeHead;
    res.flushHeaders = heldMethods.flushHeaders;
    if (tellsOfItsEnd(res)) res.on('close', closed);
  }

  hold(chunk: unknown, encoding: unknown, callback: unknown): void {
    this.chunk = chunk;
    this.encoding = encoding;
    this.callback = callback;
    this.code = this.res.statusCode;
    this.message = messageOf(this.res);
    this.phase = 'held';
    this.endedIn = executionAsyncId();
    freezeHeaders(this.res);
    appearEnded(this.res);
    postponeClosing(this.res, this, this.headersHaveLeft);
    afterUnwinding(this);
  }

  unwound(): void {
    appearFinishedNoMore(this.res);
    this.phase = 'unwound';
    this.atOnce = true;
    this.listener.beforeEnd(this);
    this.atOnce = false;
  }

  get isFailure(): boolean {
    return this.code >= 500;
  }

  done(error?: unknown): void {
    if (error) this.takeBack(error);
    else this.release();
  }

  release(): void {
    const { res, code, message } = this;
    const isSame = this.head === undefined && res.statusCode === code && messageOf(res) === message;
    const later = isSame ? undefined : readStatus(res);
    if (later) writeStatus(res, { code, message }); // what the app has set since its end() must not show
    allowClosing(res, this, this.headersHaveLeft);
    this.phase = 'released';
    thawHeaders(res);
    try {
      if (this.head) this.sendHead();
      if (!this.headersHaveLeft) this.prepareEnd();
      undoUncorks(res);
      callWith(this.real.end, res, this.chunk, this.encoding, this.callback);
    } catch (error) {
      appearEndedNoMore(res);
      this.closeAfterErrorPage();
      this.listener.takenBack(error);
      return;
    }
    this.forgetBody();
    if (later && !isStandIn(res)) writeStatus(res, later); // what stands for a response may be read only now
    callAll(this.postponed?.afterEnd);
    // what came later than right after the end would have found all of a plain response on its way
    if (this.postponed?.closings.areLimited) this.whenOver(() => this.close());
    else this.close();
    if (this.over) callAll(this.postponed?.afterClose);
    if (!tellsOfItsEnd(res)) closed.call(res);
  }

  /** The connection may go on for long, and with it all that leads here. */
  forgetBody(): void {
    this.chunk = undefined;
    this.encoding = undefined;
    this.callback = undefined;
  }

  /** While the end is held, and for the few ticks until all is over, when a plain response would have been over already. */
  get isPostponing(): boolean {
    return this.isHeld || (this.phase === 'released' && !this.over && isNearlyOver(this.res));
  }

  postpone(method: Method, args: unknown[]): void {
    this.postponed ??= new Postponed();
    const isSameOperation = this.isRightAfter && executionAsyncId() === this.endedIn;
    const calls = isSameOperation ? this.postponed.afterEnd : this.postponed.afterClose;
    calls.push(() => this.real[method].apply(this.res, args));
  }

  get isRightAfter(): boolean {
    return this.phase === 'held';
  }

  closeLater(close: Call, isRightAfter: boolean): void {
    this.postponed ??= new Postponed();
    const { closings } = this.postponed;
    closings.add(close);
    // it may be a server that shuts down, or a timeout, while the store is silent
    if (!isRightAfter && !closings.areLimited) closings.limit(LONGEST_WAIT, () => this.closeNow());
  }

  /** What closes a connection may do so by other methods of it, which are not to wait again. */
  closeNow(): void {
    allowClosing(this.res, this, this.headersHaveLeft);
    this.close();
  }

  close(): void {
    this.postponed?.closings.makeAll();
  }

  /** Nobody is sure to send one: the app may wait for the end of an upload that is read no further. */
  closeAfterErrorPage(): void {
    const { closings } = this.postponed ?? {};
    if (!closings?.areDue) return;
    closings.add(appearUnreadable(this.res));
    closings.limit(LONGEST_WAIT_FOR_PAGE, () => this.close());
    this.whenOver(() => this.close());
  }

  whenOver(call: Call): void {
    const { socket, req } = this.res;
    const wasCutOff = !socket && req?.socket?.destroyed === true; // before its turn came
    if (this.over || wasCutOff || isStandIn(this.res)) return void nextTurn(call);
    this.postponed ??= new Postponed();
    this.postponed.afterClose.push(() => nextTurn(call));
  }

  takeBack(error: unknown): void {
    const { res } = this;
    allowClosing(res, this, this.headersHaveLeft);
    this.phase = this.headersHaveLeft ? 'streaming' : 'open';
    thawHeaders(res);
    appearEndedNoMore(res);
    this.head = undefined;
    this.postponed?.takeBack();
    if (this.headersHaveLeft) cutOff(res, error);
    else forgetRepresentation(res);
    this.closeAfterErrorPage();
    tellOfFailure([this.chunk, this.encoding, this.callback], error);
    this.forgetBody();
    this.listener.takenBack(error);
  }

  /** Does the writeHead() that was put off. */
  sendHead(): void {
    const { args, statusMessage } = this.head as PutOffHead;
    this.head = undefined;
    thawHeaders(this.res);
    this.res.statusMessage = statusMessage;
    this.writeHead(...args);
  }

  /** Most responses send their head when they end, and their cookie with it. */
  prepareEnd(): void {
    const { res } = this;
    if (hasNoHeadOfItsOwn(res)) this.sendHeadNow();
    else if (mayEndWithoutHead(res, this.real)) this.addToHeaders(this.lastCookies());
  }

  sendHeadNow(): void {
    if (this.head) this.sendHead();
    else this.writeHead(this.res.statusCode);
  }

  /** The headers leave. */
  writeHead(code?: unknown, second?: unknown, third?: unknown): unknown {
    const cookies = this.headersHaveLeft ? NO_LINES : this.lastCookies();
    const hasMore = second !== undefined || third !== undefined;
    if (hasMore && cookies.length > 0) return this.writeWithHeaders([code, second, third], cookies);
    this.addToHeaders(cookies);
    return callWith(this.real.writeHead, this.res, code, second, third);
  }

  /** What is to be added to the headers: nothing can be after this. */
  lastCookies(): readonly string[] {
    const cookies = this.listener.setCookies(this.isUnwatched);
    this.headersHaveLeft = true;
    return cookies;
  }

  addToHeaders(cookies: readonly string[]): void {
    if (cookies.length === 0) return;
    setCookie(this.res, cookies);
    if (this.listener.cachePrivate) setPrivateCache(this.res);
  }

  /** The head brings a message or headers of its own, which the cookie must get along with. */
  writeWithHeaders(head: unknown[], cookies: readonly string[]): unknown {
    const args = withSetCookie(this.res, head, cookies);
    const cached = this.listener.cachePrivate ? withPrivateCache(this.res, args) : args;
    return this.real.writeHead.apply(this.res, cached);
  }

  get isUnwatched(): boolean {
    return this.atOnce && this.res.writeHead === heldMethods.writeHead;
  }

  get isHeld(): boolean {
    return this.phase === 'held' || this.phase === 'unwound';
  }

  get frozen(): boolean {
    return this.phase === 'head' || this.isHeld;
  }
}

// `end` and `writeHead`, which all responses come by, name their arguments: a rest parameter would take 56 bytes each time.
const heldMethods = {
  end(this: HeldResponse, chunk?: unknown, encoding?: unknown, callback?: unknown): HeldResponse {
    const hold = this[slot];
    if (hold.isPostponing) hold.postpone('end', [chunk, encoding, callback]);
    else if (hold.phase === 'released' || this.finished || !isChunk(chunk))
      // it has ended, maybe past us, or will fail
      return callWith(hold.real.end, this, chunk, encoding, callback);
    else {
      refuseEncoding(this, chunk, encoding);
      hold.hold(chunk, encoding, callback);
    }
    return this;
  },

  write(this: HeldResponse, ...args: unknown[]): boolean {
    const hold = this[slot];
    if (!isHttp2(this) && !isData(args[0])) return hold.real.write.apply(this, args); // throws at once
    if (hold.isPostponing) {
      hold.postpone('write', args);
      return false;
    }
    startStreaming(hold);
    return hold.real.write.apply(this, args);
  },

  flushHeaders(this: HeldResponse): void {
    const hold = this[slot];
    if (hold.isHeld) return;
    startStreaming(hold);
    hold.real.flushHeaders.call(this);
  },

  writeHead(this: HeldResponse, code?: unknown, second?: unknown, third?: unknown): unknown {
    if (Array.isArray(second) || Array.isArray(third))
      return writeHead(this, code, mergeable(this, second), mergeable(this, third));
    return writeHead(this, code, second, third);
  },
};

function writeHead(res: HeldResponse, code: unknown, second: unknown, third: unknown): unknown {
  const hold = res[slot];
  if (hold.frozen) return refuse(res, 'writeHead', [code, second, third]);
  const isDue = hold.phase !== 'open' || isHttp2(res) || res.headersSent || isOfRealEnd(res);
  if (isDue) return hold.writeHead(code, second, third);
  putOffHead(hold, [code, second, third]);
  return res;
}

/** Who waits for the end is told that there was none. */
function tellOfFailure(args: readonly unknown[], error: unknown): void {
  const callback = args.find((each) => typeof each === 'function');
  if (callback) process.nextTick(callback as AnyFunction, error);
}

function startStreaming(hold: Hold): void {
  if (hold.phase === 'released') return;
  const wasPutOff = hold.phase === 'head';
  hold.phase = 'streaming';
  if (wasPutOff) hold.sendHead();
}

function putOffHead(hold: Hold, args: unknown[]): void {
  hold.head = putOff(hold.res, args);
  hold.phase = 'head';
  freezeHeaders(hold.res);
}

function closed(this: ServerResponse): void {
  const hold = (this as HeldResponse)[slot];
  hold.over = true;
  if (hold.phase === 'released') callAll(hold.postponed?.afterClose);
  hold.listener.closed();
}
