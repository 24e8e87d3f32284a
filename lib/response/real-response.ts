import { ServerResponse } from 'node:http';
import { isHttp2 } from './response-head.js';

// What a response is and does by itself, whoever made it: Node.js, a platform without connections, or a test.

export type AnyFunction = (this: unknown, ...args: any[]) => any;

export type Method = 'end' | 'write' | 'writeHead' | 'flushHeaders';
export type HeaderMethod = 'setHeader' | 'appendHeader' | 'removeHeader' | 'setHeaders';

export interface RealMethods extends Readonly<Record<Method, AnyFunction>> {
  /** What puts the head before the first bytes of the body; only on HTTP/1. */
  readonly _send?: AnyFunction | undefined;
  /** There once methods of ours stand in their place. */
  readonly ofHeaders?: Readonly<Record<HeaderMethod, AnyFunction | undefined>> | undefined;
}

const PLAIN_METHODS: RealMethods = ownMethodsOf(ServerResponse.prototype as Sending);

type Sending = ServerResponse & Pick<RealMethods, '_send'>;

/** Mostly those of every response: they need no object for each. */
export function methodsOf(res: Sending): RealMethods {
  const arePlain =
    res.end === PLAIN_METHODS.end &&
    res.write === PLAIN_METHODS.write &&
    res.writeHead === PLAIN_METHODS.writeHead &&
    res.flushHeaders === PLAIN_METHODS.flushHeaders &&
    res._send === PLAIN_METHODS._send;
  return arePlain ? PLAIN_METHODS : ownMethodsOf(res);
}

function ownMethodsOf({ end, write, writeHead, flushHeaders, _send }: Sending): RealMethods {
  return { end, write, writeHead, flushHeaders, _send };
}

/** Hands on just as many arguments as there were: a method that the app has wrapped may count them. */
export function callWith(
  method: AnyFunction,
  res: unknown,
  first: unknown,
  second: unknown,
  third: unknown,
): any {
  if (third !== undefined) return method.call(res, first, second, third);
  if (second !== undefined) return method.call(res, first, second);
  return first === undefined ? method.call(res) : method.call(res, first);
}

/** Test doubles and programs give `{}` in the place of a response that nobody will end. */
export function canBeHeld(res: ServerResponse): boolean {
  return typeof (res as Partial<ServerResponse> | undefined)?.end === 'function';
}

/** A test double may have no events. */
export function tellsOfItsEnd(res: ServerResponse): boolean {
  return typeof res.on === 'function';
}

/** Test doubles that Express makes responses of, such as those of node-mocks-http, don't call `writeHead()` when they end. */
export function hasNoHeadOfItsOwn(res: ServerResponse): boolean {
  const { _header, _implicitHeader } = res as { _header?: unknown; _implicitHeader?: unknown };
  return _header === undefined && _implicitHeader !== undefined;
}

/**
 * A response without a connection may have an `end()` of its own that calls no `writeHead()`, as that of in-process-request.
 * One that has what stands for a connection, as that of light-my-request, writes its head to that.
 */
export function mayEndWithoutHead(res: ServerResponse, { end }: RealMethods): boolean {
  return end !== PLAIN_METHODS.end && !res.socket && isNoStream(res.req?.socket);
}

/**
 * Platforms without connections, such as AWS Lambda, make responses of which some are collected as soon as they say that they
 * have ended. What stands for the socket is no stream then.
 */
export function isStandIn(res: ServerResponse): boolean {
  return isNoStream(res.socket) || isReadOnceSent(res);
}

function isNoStream(socket: unknown): boolean {
  return Boolean(socket) && typeof (socket as { pipe?: unknown }).pipe !== 'function';
}

/** srvx's adapter to the Response of the Web reads the head as soon as that looks sent. */
export function isReadOnceSent(res: ServerResponse): boolean {
  return (res as { toWebResponse?: unknown }).toWebResponse !== undefined;
}

/** It was ended, and the connection has taken all of it: a plain one would be over in a few ticks. */
export function isNearlyOver(res: ServerResponse): boolean {
  return !isHttp2(res) && res.finished === true && !res.socket?.writableNeedDrain;
}

/**
 * Whether a `writeHead()` is that of Node's own `end()`, which goes past us where code took it from the response before. It has
 * told the length of the body by then, and sends the body with the head: put off, that would have no Content-Length.
 */
export function isOfRealEnd(res: ServerResponse): boolean {
  return typeof (res as { _contentLength?: unknown })._contentLength === 'number';
}

/**
 * One `uncork()` too many after the end does nothing to a plain response. The count of a held one becomes negative, and
 * Node.js 22 and later then send the end before the data.
 */
export function undoUncorks(res: ServerResponse): void {
  while (res.writableCorked < 0) res.cork();
}

/** The client must see that something is missing; HTTP/2 ends a stream that is destroyed without an error as if it were whole. */
export function cutOff(res: ServerResponse, error: unknown): void {
  if (isHttp2(res)) res.destroy(error as Error);
  else res.destroy?.();
}
