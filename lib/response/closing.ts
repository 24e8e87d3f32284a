import type { ServerResponse } from 'node:http';
import { isHttp2 } from './response-head.js';

// Code that has ended a response may close its connection in the same breath, as in `res.end('too large'); req.destroy()`.
// With plain node:http all of the response has been handed to the operating system by then; a held one must not be lost.

/** What ends a socket, or a stream of HTTP/2. */
const CLOSERS = ['end', 'destroy', 'destroySoon', 'close'] as const;

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** Is told of what is to be done once its response has left. */
interface Postponing {
  closeLater(close: () => void): void;
}

const slot = Symbol('steady-session.closing');

type Connection = Partial<Record<(typeof CLOSERS)[number], AnyFunction>> & {
  [slot]?: Postponing | undefined;
  readonly destroyed?: boolean;
};

/** From here on `hold` is told of what would close the connection, in place of its being done. */
export function postponeClosing(res: ServerResponse, hold: Postponing): void {
  const connection = connectionOf(res);
  if (!connection) return;
  if (!(slot in connection)) watch(connection);
  connection[slot] = hold;
}

/** From here on the connection may be closed. The response is as if `destroy()` had not been called yet. */
export function allowClosing(res: ServerResponse): void {
  const connection = connectionOf(res);
  if (!connection) return;
  connection[slot] = undefined;
  if (res.destroyed && !connection.destroyed) res.destroyed = false;
}

/** None yet if an earlier response of the connection is to be sent first. */
function connectionOf(res: ServerResponse): Connection | null | undefined {
  return isHttp2(res) ? (res as unknown as { stream: Connection }).stream : (res.socket as Connection | null);
}

/** Done once: a connection has many responses. */
function watch(connection: Connection): void {
  for (const name of CLOSERS) {
    const close = connection[name];
    if (typeof close === 'function') connection[name] = postponable(close);
  }
}

function postponable(close: AnyFunction): AnyFunction {
  return function (this: unknown, ...args) {
    const hold = (this as Connection)[slot];
    if (!hold) return close.apply(this, args);
    hold.closeLater(() => close.apply(this, args));
    return this;
  };
}
