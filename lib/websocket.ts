import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { IncomingRequest, SessionContext } from './context.js';
import type { Core } from './core.js';
import { badOption } from './option-checks.js';
import { isAllowedOrigin, type Origins } from './origin.js';
import { contextOf } from './request-slot.js';
import { type OpenSocket, POLICY_VIOLATION } from './sockets.js';

/** How sockets are tied to sessions. */
export interface WebSocketOptions {
  /** Origins whose pages may connect besides those of the same host, such as `['https://app.example.com']`, or a function that decides on all. */
  origins?: Origins | undefined;
  /** Called with the request before the handshake is answered: what it changes in `req.session` is stored, and its cookie sent, with the answer. */
  upgrade?: ((req: any) => void | Promise<void>) | undefined;
  /** How often sessions with open sockets are looked up, for what other processes did to them, in milliseconds. Default 30 seconds. */
  checkInterval?: number | undefined;
}

/** What is used of a `ws` server. */
export interface WebSocketServerLike {
  handleUpgrade(req: any, socket: any, head: any, callback: (client: any, req: any) => void): void;
  on(event: 'headers', listener: (headers: string[], req: any) => void): unknown;
}

/** What is used of a Socket.IO server. */
export interface SocketIoServerLike {
  engine: { use(middleware: (req: any, res: any, next: (error?: any) => void) => void): unknown };
  on(event: 'connection', listener: (socket: any) => void): unknown;
}

interface WebSocketLike {
  on(event: 'message' | 'close', listener: () => void): unknown;
  close(code: number, reason: string): void;
}

type LoadContext = (req: IncomingRequest, next: (error?: unknown) => void) => SessionContext | undefined;

/**
 * Gives the connections of a `ws` server sessions, by taking over its `handleUpgrade`: the request is loaded before the
 * `connection` event, and committed after the app's `close` handlers.
 */
export function serveWebSockets(
  core: Core,
  load: LoadContext,
  server: WebSocketServerLike,
  options: WebSocketOptions,
): void {
  checkServer(server, 'handleUpgrade', 'a server of the package ws');
  useInterval(core, options);
  const cookies = new WeakMap<IncomingMessage, string[]>();
  const handleUpgrade = server.handleUpgrade.bind(server);
  server.on('headers', (headers, req) => {
    for (const line of cookies.get(req) ?? []) headers.push(`Set-Cookie: ${line}`);
  });
  server.handleUpgrade = (req: IncomingRequest, socket: Duplex, head, callback) => {
    if (!isAllowedOrigin(req, options.origins)) return refuse(socket, '403 Forbidden');
    admit(req, load, options).then(
      (context) => {
        if (socket.destroyed) return context?.closed();
        if (context) cookies.set(req, context.setCookies());
        handleUpgrade(req, socket, head, (client, request) => {
          if (context?.req.session) keepAlong(core, context, client);
          callback(client, request);
        });
      },
      (error: unknown) => {
        core.events.report(req.sessionID ?? '', req, error);
        refuse(socket, '503 Service Unavailable');
      },
    );
  };
}

/** Gives the connections of a Socket.IO server sessions, whatever their transport: `socket.request.session`. */
export function serveSocketIo(
  core: Core,
  handler: (req: any, res: any, next: (error?: any) => void) => void,
  io: SocketIoServerLike,
  options: WebSocketOptions,
): void {
  checkServer(io.engine, 'use', 'a Socket.IO server that is attached to an HTTP server');
  useInterval(core, options);
  io.engine.use((req, res, next) => {
    if (isAllowedOrigin(req, options.origins)) handler(req, res, next);
    else next(new Error('origin not allowed'));
  });
  io.on('connection', (socket) => {
    const context = contextOf(socket.request);
    if (!context) return;
    const client: WebSocketLike = {
      on: (event, listener) =>
        event === 'message' ? socket.onAny(listener) : socket.on('disconnect', listener),
      close: () => socket.disconnect(true),
    };
    keepAlong(core, context, client);
  });
}

/** The request gets its session by the HTTP road, up to where the handshake can be answered. */
async function admit(
  req: IncomingRequest,
  load: LoadContext,
  options: WebSocketOptions,
): Promise<SessionContext | undefined> {
  let context: SessionContext | undefined;
  await new Promise<void>((resolve, reject) => {
    context = load(req, (error) => (error ? reject(error) : resolve()));
  });
  await options.upgrade?.(req);
  await context?.beforeEnd();
  return context;
}

/** The socket lives as long as its session, keeps it alive, and leaves its changes when it closes. */
function keepAlong(core: Core, context: SessionContext, client: WebSocketLike): void {
  const socket: OpenSocket = { context, end: (reason) => client.close(POLICY_VIOLATION, reason) };
  core.sockets.add(socket);
  client.on('message', () => context.keepAlive());
  client.on('close', () => {
    core.sockets.remove(socket);
    context.closedAfterUnwinding();
  });
}

function useInterval(core: Core, { checkInterval }: WebSocketOptions): void {
  if (checkInterval === undefined) return;
  if (!(checkInterval > 0))
    throw badOption('checkInterval', checkInterval, 'a positive number of milliseconds');
  core.sockets.interval = checkInterval;
}

function refuse(socket: Duplex, status: string): void {
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function checkServer(server: unknown, method: string, what: string): void {
  const found = (server as Record<string, unknown> | undefined)?.[method];
  if (typeof found !== 'function') throw badOption('server', server, what);
}
