import type { ServerResponse } from 'node:http';
import type { Core } from '../core.js';
import type { IncomingRequest, Next } from '../request/context.js';
import { contextOf } from '../request/request-slot.js';
import { ignoreErrors } from './client-errors.js';
import { isHandshake } from './handshake.js';
import { keepAlong, type WebSocketLike } from './keep-along.js';
import { isAllowed } from './origin.js';
import { refuse } from './refuse.js';
import { badServer, readSocketOptions, type SocketOptions } from './socket-options.js';

/** What is used of a Socket.IO server. */
export interface SocketIoServerLike {
  engine: {
    use(middleware: (req: any, res: any, next: (error?: any) => void) => void): unknown;
    on(event: any, listener: (connection: any) => void): unknown;
  };
  on(event: any, listener: (argument: any) => void): unknown;
}

/** Engine.IO has read the query before it calls its middleware. */
type EngineRequest = IncomingRequest & { readonly _query?: Readonly<Record<string, unknown>> };

/** What is used of an Engine.IO connection: the one under all namespaces of a client, whatever its transport. */
interface Connection {
  readonly request: IncomingRequest;
  readonly transport: { name: string; socket?: { close(code?: number, reason?: string): void } };
  on(event: 'message' | 'close', listener: (data?: unknown) => void): unknown;
  removeAllListeners(event: 'message'): unknown;
  close(): void;
}

/** What is used of a Socket.IO socket: a client's part in one namespace. */
interface NamespaceSocket {
  readonly conn: Connection;
  /** @param close the connection, too */
  disconnect(close: boolean): void;
}

interface Namespace {
  on(event: 'connection', listener: (socket: NamespaceSocket) => void): unknown;
}

type Road = (core: Core, req: IncomingRequest, res: ServerResponse, next: Next) => void;

/** Gives the connections of a Socket.IO server sessions, whatever their transport: `socket.request.session`. */
export function serveSocketIo(core: Core, road: Road, io: SocketIoServerLike, options: SocketOptions): void {
  if (typeof (io as SocketIoServerLike | undefined)?.engine?.use !== 'function')
    throw badServer('socketio', 'a Socket.IO server that is attached to an HTTP server', io);
  const origins = readSocketOptions(core, 'socketio()', options);
  io.engine.use(async (req: EngineRequest, res: ServerResponse, next: Next) => {
    if (isHandshake(req, res)) ignoreErrors(req.socket);
    if (!(await isAllowed(core, req, origins))) forbid(req, res);
    else if (isFirst(req)) road(core, req, res, next);
    else next(); // a poll, or the change of transport, of a connection that has its session
  });
  const sockets = socketsByConnection(io);
  io.engine.on('connection', (connection: Connection) => {
    const context = contextOf(connection.request);
    if (context) keepAlong(context, clientOf(connection, sockets));
  });
}

/** Engine.IO's own reading of the query counts: where it finds no `sid`, or an empty one, it makes a new connection. */
function isFirst({ _query }: EngineRequest): boolean {
  return !_query?.['sid'];
}

function forbid(req: IncomingRequest, res: ServerResponse): void {
  if (isHandshake(req, res)) refuse(req.socket, 403);
  else res.writeHead(403).end();
}

/** A Socket.IO socket of each connection, whichever namespace it is in. */
function socketsByConnection(io: SocketIoServerLike): WeakMap<Connection, NamespaceSocket> {
  const sockets = new WeakMap<Connection, NamespaceSocket>();
  const watch = (namespace: Namespace) =>
    namespace.on('connection', (socket) => sockets.set(socket.conn, socket));
  const { _nsps: namespaces } = io as { _nsps?: Map<string, Namespace> };
  for (const namespace of namespaces?.values() ?? [io as Namespace]) watch(namespace);
  io.on('new_namespace', watch);
  return sockets;
}

/**
 * Closing tells the client by Socket.IO's own packet, "io server disconnect", upon which it doesn't connect again by
 * itself; and over a WebSocket by code and reason.
 */
function clientOf(connection: Connection, sockets: WeakMap<Connection, NamespaceSocket>): WebSocketLike {
  return {
    on: (event, listener) => connection.on(event, listener),
    removeAllListeners: () => {}, // a Socket.IO socket that is disconnected gets no more messages
    close(code, reason) {
      const { name, socket } = connection.transport;
      if (name === 'websocket' && socket) {
        const close = socket.close.bind(socket);
        socket.close = () => close(code, reason); // Engine.IO closes it without a code
      }
      const part = sockets.get(connection);
      if (part) part.disconnect(true);
      else connection.close();
    },
  };
}
