import type { ServerResponse } from 'node:http';
import type { Call } from './postponed.js';
import type { AnyFunction } from './real-response.js';
import { isHttp2 } from './response-head.js';

// Code that has ended a response may close its connection in the same breath, as in `res.end('too large'); req.destroy()`, or
// a little later, as Express does after an error. With plain node:http all of the response has been handed to the operating
// system by then; a held one must not be lost.

/** What ends a socket, or a stream of HTTP/2. */
const CLOSERS = ['end', 'destroy', 'destroySoon', 'close'] as const;

type Closer = (typeof CLOSERS)[number];

/** Is told of what is to be done once its response has left. */
interface Postponing {
  /** The code that ended the response is running yet: whatever closes the connection is its doing. */
  readonly isRightAfter: boolean;
  /** @param isRightAfter as it was when the connection was to be closed */
  closeLater(close: Call, isRightAfter: boolean): void;
}

const slot = Symbol('steady-session.closing');

type Closable = Partial<Record<Closer, AnyFunction>> & {
  [slot]?: Postponing | undefined;
  readonly destroyed?: boolean;
  readonly readable?: boolean;
  readonly writable?: boolean;
};

type Response = ServerResponse & {
  _headerSent?: boolean;
  outputSize?: number;
  stream?: Closable & { readonly session?: Closable };
};

/** From here on `hold` is told of what would close the connection, in place of its being done. */
export function postponeClosing(res: ServerResponse, hold: Postponing, headersHaveLeft: boolean): void {
  if (isHttp2(res)) {
    tellOf(res as Closable, hold, ['destroy']);
    const { session } = (res as Response).stream ?? {};
    if (session) tellOf(session, hold, ['destroy']);
  }
  const connection = connectionOf(res);
  if (!connection) return;
  tellOf(connection, hold, CLOSERS);
  if (!headersHaveLeft) appearUnderWay(res);
}

/** From here on the connection may be closed. The response is as if `destroy()` had not been called yet. */
export function allowClosing(res: ServerResponse, hold: Postponing, headersHaveLeft: boolean): void {
  if (isHttp2(res)) {
    tellNoMore(res as Closable);
    const { session } = (res as Response).stream ?? {};
    if (session?.[slot] === hold) tellNoMore(session); // else another response of the connection is held
  }
  const connection = connectionOf(res);
  if (!connection) return;
  tellNoMore(connection);
  if (!headersHaveLeft) appearUnderWayNoMore(res);
  if (res.destroyed && !connection.destroyed) appearAlive(res, hold);
}

function appearAlive(res: ServerResponse, hold: Postponing): void {
  const look = (destroyed: boolean) => Reflect.set(res, 'destroyed', destroyed);
  look(false);
  hold.closeLater(() => look(true), true); // what comes too late then fails as silently as with plain node:http
}

/**
 * Node.js answers what it can't parse with a 400, unless a response is under way already. An `end()` that goes past us has
 * something to send nevertheless.
 */
function appearUnderWay(res: Response): void {
  if (res._headerSent !== false) return;
  res._headerSent = true;
  res.outputSize = 1;
}

function appearUnderWayNoMore(res: Response): void {
  if (!res._headerSent) return;
  res._headerSent = false;
  res.outputSize = 0;
}

/**
 * The response was taken back before its connection was closed, and more of the request would have come. To who waits for the
 * end of the request, as Express does before it sends an error page, the connection looks closed. Nothing of the request is
 * read any more, not even that the client has left.
 *
 * @returns what undoes it
 */
export function appearUnreadable(res: ServerResponse): Call {
  const socket = isHttp2(res) || res.req?.complete !== false ? undefined : res.req.socket;
  if (!socket) return () => {};
  Object.defineProperty(socket, 'readable', { value: false, configurable: true });
  return () => Reflect.deleteProperty(socket, 'readable');
}

/** None yet if an earlier response of the connection is to be sent first. */
function connectionOf(res: Response): Closable | null | undefined {
  return isHttp2(res) ? res.stream : (res.socket as Closable | null);
}

/** Its methods are replaced once: a connection has many responses. */
function tellOf(closable: Closable, hold: Postponing, closers: readonly Closer[]): void {
  if (!(slot in closable)) {
    if (!Object.isExtensible(closable)) return;
    for (const name of closers) {
      const close = closable[name];
      if (typeof close === 'function') closable[name] = postponable(close, name);
    }
  }
  closable[slot] = hold;
}

function tellNoMore(closable: Closable): void {
  if (slot in closable) closable[slot] = undefined;
}

function postponable(close: AnyFunction, name: Closer): AnyFunction {
  return function (this: unknown, ...args) {
    const closable = this as Closable;
    const hold = closable[slot];
    if (!hold || !(hold.isRightAfter || isAbandoned(closable, name, args))) return close.apply(this, args);
    hold.closeLater(() => close.apply(this, args), hold.isRightAfter);
    return this;
  };
}

/**
 * Whether it is somebody on this side who gives up a connection that works: not so if the client has left, or its system says
 * so; or if Node.js itself calls `destroySoon()`, when a response has been sent past us.
 */
function isAbandoned(connection: Closable, name: Closer, [error]: readonly unknown[]): boolean {
  const works = connection.readable === true && connection.writable === true;
  const { syscall, code } = (error ?? {}) as NodeJS.ErrnoException;
  const isLost = syscall !== undefined || code?.includes('_SSL_');
  return works && name !== 'destroySoon' && !isLost && 'remoteAddress' in connection;
}
