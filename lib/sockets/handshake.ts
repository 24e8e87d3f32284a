import { type IncomingMessage, ServerResponse } from 'node:http';
import type { IncomingRequest, SessionContext } from '../request/context.js';
import { afterUnwinding } from '../response/unwinding.js';
import { nextTurn } from '../timers.js';
import { keepAlong, type WebSocketLike } from './keep-along.js';
import { isTaken, refuse } from './refuse.js';

/**
 * Stands for a response where a WebSocket handshake runs HTTP middleware. Engine.IO's (Socket.IO) has a `writeHead()`,
 * called before the answer, but never ends. The usual `sessions(req, {}, next)` in an upgrade handler has nothing.
 */
export type HandshakeResponse = Partial<
  Pick<ServerResponse, 'writeHead' | 'getHeader' | 'setHeader' | 'once'>
>;

/** Node.js has left the connection to who listens for upgrades, whatever that makes of it. */
export function isUpgrade(req: IncomingMessage): boolean {
  return (req as { upgrade?: boolean }).upgrade === true;
}

/**
 * Whether this is a handshake: the client asks for another protocol, whichever (Engine.IO's middleware runs before anybody
 * looks at that), and what stands for a response has no end or no status, is none of Node.js', or, as that of express-ws,
 * is one without a connection.
 */
export function isHandshake(req: IncomingMessage, res: Partial<ServerResponse> | undefined): boolean {
  if (req.headers.upgrade === undefined) return false;
  if (typeof res?.end !== 'function' || res.statusCode === undefined) return true;
  return isUpgrade(req) && (!(res instanceof ServerResponse) || !res.socket);
}

/**
 * The cookie goes into the handshake's answer, which waits until the changes made up to then are stored. Then the
 * socket keeps along with its session, unless that is done elsewhere.
 */
export function joinHandshake(context: SessionContext, res: HandshakeResponse, keep: boolean): void {
  const { writeHead } = res;
  if (!writeHead) return;
  const { socket } = context.req;
  let joined = false;
  res.writeHead = ((...args: unknown[]) => {
    addCookies(res, context.setCookies(false));
    socket.cork();
    context.beforeEnd({
      isFailure: false,
      whenOver: nextTurn,
      done(error) {
        if (!error) return socket.uncork();
        context.report(error);
        socket.destroy();
      },
    });
    afterUnwinding({
      unwound() {
        const { websocket } = context.req as { websocket?: WebSocketLike };
        if (!keep || !websocket) return;
        joined = true;
        keepAlong(context, websocket, isEngineMessage);
      },
    });
    return (writeHead as (...args: unknown[]) => unknown).apply(res, args);
  }) as ServerResponse['writeHead'];
  res.once?.('close', () => {
    if (keep && !joined) context.closed();
  });
}

/** What a handshake answers if its session cannot be loaded; a program that has asked by itself is told by `next`. */
export function refuseOnError(
  req: IncomingRequest,
  res: HandshakeResponse,
  report: (error: unknown) => void,
  next: (error?: unknown) => void,
): (error?: unknown) => void {
  let answered = false;
  return (error) => {
    if (answered) return error ? report(error) : undefined;
    answered = true;
    if (!error || !res.writeHead || isTaken(req.socket)) return error ? next(error) : next();
    report(error);
    refuse(req.socket, 503);
  };
}

/** The same for Socket.IO's first poll, also if its session cannot be stored. Engine.IO would call the request a bad one. */
export function answerOnError(
  res: ServerResponse,
  report: (error: unknown) => void,
  next: (error?: unknown) => void,
): (error?: unknown) => void {
  return (error) => {
    if (!error) return next();
    report(error);
    if (!res.headersSent) res.writeHead(503).end();
  };
}

/** Engine.IO writes `name: value` for each header, and so would join several cookies by a comma. */
function addCookies(res: HandshakeResponse, lines: readonly string[]): void {
  if (lines.length === 0) return;
  const all = [res.getHeader?.('Set-Cookie') ?? [], lines].flat() as string[];
  res.setHeader?.('Set-Cookie', res instanceof ServerResponse ? all : all.join('\r\nSet-Cookie: '));
}

/** Engine.IO's heartbeats are messages, too: one letter each. */
function isEngineMessage(data: unknown): boolean {
  return (data as { length?: number } | undefined)?.length !== 1;
}
