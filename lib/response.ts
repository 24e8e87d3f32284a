import { type IncomingMessage, ServerResponse } from 'node:http';
import { types } from 'node:util';
import {
  copyHeaders,
  forgetRepresentation,
  isHttp2,
  readStatus,
  type Status,
  writeStatus,
} from './response-head.js';
import { withPrivateCache, withSetCookie } from './set-cookie.js';

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
  setCookies(unwatched: boolean): string[];
  /** Whether a response that sets a cookie, and says nothing of caching, is to be kept out of shared caches. */
  readonly cachePrivate: boolean;
  /** `beforeEnd` failed. The response is as if not ended, or cut off if the app had streamed a part of it. */
  takenBack(error: unknown): void;
  /** The response is over: all of it has left, or the client has. May come before `beforeEnd`. Other listeners may still be called. */
  closed(): void;
}

/** What waits for a listener. */
export interface HeldEnd {
  done(error?: unknown): void;
}

/**
 * Holds the end of a response until its listeners have done their work, and lets them add a cookie to its headers.
 *
 * To the app the response looks just as with plain node:http: once ended, it says so, and refuses what an ended
 * response refuses. On HTTP/1 an explicit `writeHead()` is put off too, to the first byte: it sends nothing by itself.
 */
export function holdEnd(res: ServerResponse, listener: EndListener): void {
  const held = (res as HeldResponse)[slot];
  if (held) held.listeners.push(listener);
  else new Hold(res as HeldResponse, listener);
}

/**
 * - `open`: the app has sent nothing;
 * - `head`: it has called writeHead(), which has been put off;
 * - `streaming`: headers, and perhaps parts of the body, have left;
 * - `held`: it has ended the response;
 * - `released`: the end has gone out.
 */
type Phase = 'open' | 'head' | 'streaming' | 'held' | 'released';

type Method = 'end' | 'write' | 'writeHead' | 'flushHeaders';
type HeaderMethod = 'setHeader' | 'appendHeader' | 'removeHeader' | 'setHeaders';
type AnyFunction = (this: unknown, ...args: any[]) => any;
type Call = [Method, unknown[]];

/** A writeHead() that has been put off: its arguments, and the status message that the response had before. */
interface Head {
  args: unknown[];
  statusMessage: string;
}

const slot = Symbol('steady-session.hold');

type HeldResponse = ServerResponse & { [slot]: Hold; _header?: string | null };

/** Stands for the head that a plain response would have sent by now. */
const HELD = 'held';

class Hold implements HeldEnd, Unwinding {
  readonly res: HeldResponse;
  readonly listeners: EndListener[];
  readonly real: Record<Method, AnyFunction>;
  /** There once the headers have been frozen by methods. */
  realHeaderMethods: Record<HeaderMethod, AnyFunction | undefined> | undefined;
  phase: Phase = 'open';
  head: Head | undefined;
  endArguments: unknown[] = [];
  /** Calls that came right after the end. They are made after the real end, to fail as they would have. */
  late: Call[] | undefined;
  /** Calls that came when a plain response would have been over by then. They are made when this one is. */
  tardy: Call[] | undefined;
  isUnwound = false;
  /** How many listeners have not done their work yet, and what went wrong with one. */
  awaited = 0;
  failure: unknown;
  over = false;
  status: Status | undefined;
  headersHaveLeft: boolean;

  constructor(res: HeldResponse, listener: EndListener) {
    this.res = res;
    this.listeners = [listener];
    this.headersHaveLeft = res.headersSent;
    this.real = { end: res.end, write: res.write, writeHead: res.writeHead, flushHeaders: res.flushHeaders };
    res[slot] = this;
    res.end = heldMethods.end as typeof res.end;
    res.write = heldMethods.write;
    res.writeHead = heldMethods.writeHead as typeof res.writeHead;
    res.flushHeaders = heldMethods.flushHeaders;
    res.on('close', closed);
  }

  hold(args: unknown[]): void {
    this.endArguments = args;
    this.status = readStatus(this.res);
    this.phase = 'held';
    this.freezeHeaders();
    afterUnwinding(this);
  }

  unwound(): void {
    this.isUnwound = true;
    this.awaited = this.listeners.length;
    for (const listener of this.listeners) listener.beforeEnd(this);
  }

  done(error?: unknown): void {
    this.failure ??= error;
    if (--this.awaited !== 0) return;
    if (this.failure) this.takeBack(this.failure);
    else this.release();
  }

  release(): void {
    const { res, status } = this;
    const later = readStatus(res);
    if (status) writeStatus(res, status); // what the app has set since its end() must not show
    this.phase = 'released';
    this.thawHeaders();
    try {
      if (this.head) this.sendHead();
      this.real.end.apply(res, this.endArguments);
    } catch (error) {
      this.listeners[0]?.takenBack(error);
      return;
    }
    writeStatus(res, later);
    this.replay('late');
    if (this.over) this.replay('tardy');
  }

  postpone(method: Method, args: unknown[]): void {
    const calls = this.isUnwound ? 'tardy' : 'late';
    this[calls] ??= [];
    this[calls].push([method, args]);
  }

  replay(calls: 'late' | 'tardy'): void {
    for (const [method, args] of this[calls]?.splice(0) ?? []) this.real[method].apply(this.res, args);
  }

  takeBack(error: unknown): void {
    const { res } = this;
    this.phase = this.headersHaveLeft ? 'streaming' : 'open';
    this.thawHeaders();
    this.head = undefined;
    this.late = undefined;
    this.tardy = undefined;
    this.isUnwound = false;
    this.failure = undefined;
    if (this.headersHaveLeft) cutOff(res, error);
    else forgetRepresentation(res);
    this.listeners[0]?.takenBack(error);
  }

  /** Does the writeHead() that was put off. */
  sendHead(): void {
    const { args, statusMessage } = this.head as Head;
    this.head = undefined;
    this.thawHeaders();
    this.res.statusMessage = statusMessage;
    this.writeHead(args);
  }

  /** The headers leave: nothing can be added after this. */
  writeHead(args: unknown[]): unknown {
    if (!this.headersHaveLeft) {
      const unwatched = this.phase === 'released' && this.res.writeHead === heldMethods.writeHead;
      const cookies = this.setCookies(unwatched);
      this.headersHaveLeft = true;
      if (cookies.length > 0) {
        args = withSetCookie(this.res, args, cookies);
        if (this.listeners.some(({ cachePrivate }) => cachePrivate)) args = withPrivateCache(this.res, args);
      }
    }
    return this.real.writeHead.apply(this.res, args);
  }

  setCookies(unwatched: boolean): readonly string[] {
    const [first, ...others] = this.listeners;
    const lines = (first as EndListener).setCookies(unwatched);
    return others.length === 0 ? lines : [lines, ...others.map((each) => each.setCookies(unwatched))].flat();
  }

  /**
   * From here on the response says that its headers are sent, and refuses changes to them. On HTTP/1 by the field that
   * Node.js itself goes by, and that middleware has always read: methods of ours would cost 0.3 us and 400 bytes.
   */
  freezeHeaders(): void {
    const { res } = this;
    if (res._header === null) res._header = HELD;
    else if (!res.headersSent) this.freezeByMethods();
    Object.defineProperty(res, 'writableEnded', writableEnded);
  }

  thawHeaders(): void {
    if (this.res._header === HELD) this.res._header = null;
  }

  freezeByMethods(): void {
    if (this.realHeaderMethods) return;
    const res = this.res as unknown as Record<HeaderMethod, AnyFunction>;
    const { setHeader, removeHeader } = res;
    const { appendHeader, setHeaders } = res as Partial<typeof res>;
    this.realHeaderMethods = { setHeader, appendHeader, removeHeader, setHeaders };
    res.setHeader = frozenMethods.setHeader;
    res.removeHeader = frozenMethods.removeHeader;
    if (appendHeader) res.appendHeader = frozenMethods.appendHeader; // HTTP/2 and older Node versions lack some
    if (setHeaders) res.setHeaders = frozenMethods.setHeaders;
    Object.defineProperty(res, 'headersSent', headersSent);
  }

  get frozen(): boolean {
    return this.phase === 'held' || this.phase === 'head';
  }
}

const heldMethods = {
  end(this: HeldResponse, ...args: unknown[]): HeldResponse {
    const hold = this[slot];
    if (hold.phase === 'held') hold.postpone('end', args);
    else if (hold.phase === 'released' || !isChunk(args[0])) return hold.real.end.apply(this, args);
    else hold.hold(args);
    return this;
  },

  write(this: HeldResponse, ...args: unknown[]): boolean {
    const hold = this[slot];
    if (!isHttp2(this) && !isData(args[0])) return hold.real.write.apply(this, args); // throws at once
    if (hold.phase === 'held') {
      hold.postpone('write', args);
      return false;
    }
    startStreaming(hold);
    return hold.real.write.apply(this, args);
  },

  flushHeaders(this: HeldResponse): void {
    const hold = this[slot];
    if (hold.phase === 'held') return;
    startStreaming(hold);
    hold.real.flushHeaders.call(this);
  },

  writeHead(this: HeldResponse, ...args: unknown[]): unknown {
    const hold = this[slot];
    if (hold.phase === 'held') return refuse(this, 'writeHead', args);
    if (hold.phase === 'head') return refuse(this, 'writeHead', args);
    if (hold.phase !== 'open' || isHttp2(this) || this.headersSent) return hold.writeHead(args);
    putOffHead(hold, args);
    return this;
  },
};

function startStreaming(hold: Hold): void {
  if (hold.phase === 'released') return;
  const wasPutOff = hold.phase === 'head';
  hold.phase = 'streaming';
  if (wasPutOff) hold.sendHead();
}

function putOffHead(hold: Hold, args: unknown[]): void {
  const { res } = hold;
  const { statusMessage } = res;
  const trial = new ServerResponse(res.req);
  for (const [name, value] of Object.entries(res.getHeaders())) trial.setHeader(name, value as string);
  (trial.writeHead as AnyFunction)(...args); // throws what the real one would throw
  res.statusCode = trial.statusCode;
  res.statusMessage = trial.statusMessage;
  hold.head = { args: args.map(copyHeaders), statusMessage };
  hold.phase = 'head';
  hold.freezeHeaders();
}

function closed(this: ServerResponse): void {
  const hold = (this as HeldResponse)[slot];
  hold.over = true;
  if (hold.phase === 'released') hold.replay('tardy');
  for (const listener of hold.listeners) listener.closed();
}

/**
 * Calls `unwound()` when the code that is running now has unwound, promise continuations included: what follows
 * `next()` or `await next()` in earlier middleware has run by then. No timer: the tick queue is served only when the
 * microtask queue is empty.
 */
export function afterUnwinding(waiting: Unwinding): void {
  soon.then(() => process.nextTick(tell, waiting)); // `queueMicrotask()` would make an AsyncResource, for 1 us
}

/** What waits until the running code has unwound. An object, not a function: a closure less for each request. */
export interface Unwinding {
  unwound(): void;
}

const soon = Promise.resolve();

function tell(waiting: Unwinding): void {
  waiting.unwound();
}

/** Whether node:http takes this as the first argument of `end`; it throws at once for anything else. */
function isChunk(chunk: unknown): boolean {
  return !chunk || typeof chunk === 'function' || isData(chunk);
}

function isData(chunk: unknown): boolean {
  return typeof chunk === 'string' || types.isUint8Array(chunk);
}

const headersSent: PropertyDescriptor & ThisType<HeldResponse> = {
  configurable: true,
  get() {
    return this[slot].frozen || inherited(this, 'headersSent');
  },
};

const writableEnded: PropertyDescriptor & ThisType<HeldResponse> = {
  configurable: true,
  get() {
    return this[slot].phase === 'held' || inherited(this, 'writableEnded');
  },
};

function inherited(res: ServerResponse, property: 'headersSent' | 'writableEnded'): unknown {
  return Reflect.get(Object.getPrototypeOf(res), property, res);
}

const frozenMethods: Record<HeaderMethod, AnyFunction> = {
  setHeader: frozenMethod('setHeader'),
  appendHeader: frozenMethod('appendHeader'),
  removeHeader: frozenMethod('removeHeader'),
  setHeaders: frozenMethod('setHeaders'),
};

function frozenMethod(name: HeaderMethod): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const res = this as HeldResponse;
    if (res[slot].frozen) return refuse(res, name, args);
    return ((res[slot].realHeaderMethods as Hold['realHeaderMethods'] & object)[name] as AnyFunction).apply(
      res,
      args,
    );
  };
}

let spent: ServerResponse | undefined;

/** Throws the very error of a response whose headers have left. */
function refuse(res: ServerResponse, method: HeaderMethod | 'writeHead', args: unknown[]): never {
  if (isHttp2(res)) {
    throw Object.assign(new Error('Response has already been initiated.'), {
      code: 'ERR_HTTP2_HEADERS_SENT',
    });
  }
  spent ??= new ServerResponse({ method: 'GET' } as IncomingMessage).writeHead(200);
  (spent[method] as AnyFunction).apply(spent, args);
  throw new Error('unreachable: a spent response refuses every header');
}

/** The client must see that something is missing; HTTP/2 ends a stream that is destroyed without an error as if it were whole. */
function cutOff(res: ServerResponse, error: unknown): void {
  if (isHttp2(res)) res.destroy(error as Error);
  else res.destroy();
}
