import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Core } from '../core.js';
import { badOption } from '../option-checks.js';
import type { IncomingRequest, SessionContext } from '../request/context.js';
import { nextTurn } from '../timers.js';
import { ignoreErrors } from './client-errors.js';
import { keepAlong } from './keep-along.js';
import { isAllowed, type Origins } from './origin.js';
import { refuse } from './refuse.js';
import { badServer, readSocketOptions, SOCKET_OPTIONS, type SocketOptions } from './socket-options.js';

export interface WebSocketOptions extends SocketOptions {
  /**
   * Called with the request when its session is there, before the handshake is answered: what it changes in
   * `req.session` is stored, and its cookie sent, with the answer. If it fails, the client gets a 500.
   */
  upgrade?: ((req: any) => void | Promise<void>) | undefined;
}

/** What is used of a `ws` server. */
export interface WebSocketServerLike {
  handleUpgrade(req: any, socket: any, head: any, callback: (client: any, req: any) => void): void;
  shouldHandle?(req: any): boolean | Promise<boolean>;
  on(event: 'headers', listener: (headers: string[], req: any) => void): unknown;
}

type LoadContext = (
  core: Core,
  req: IncomingRequest,
  next: (error?: unknown) => void,
) => SessionContext | undefined;

/**
 * Gives the connections of a `ws` server sessions, by taking over its `handleUpgrade`: the request is loaded before the
 * `connection` event, and committed after the app's `close` handlers. A handler that waits for something, such as a timer
 * or a database, stores what it changes after that by `await req.session.save()`.
 */
export function serveWebSockets(
  core: Core,
  load: LoadContext,
  server: WebSocketServerLike,
  options: WebSocketOptions,
): void {
  if (typeof (server as WebSocketServerLike | undefined)?.handleUpgrade !== 'function')
    throw badServer('websocket', 'a WebSocketServer of the package ws', server);
  const origins = readSocketOptions(core, 'websocket()', options, [...SOCKET_OPTIONS, 'upgrade']);
  const { upgrade } = options;
  if (upgrade !== undefined && typeof upgrade !== 'function')
    throw badOption('upgrade', upgrade, 'a function (req) => void');
  const cookies = new WeakMap<IncomingMessage, readonly string[]>();
  const handleUpgrade = server.handleUpgrade.bind(server);
  server.on('headers', (headers, req) => {
    for (const line of cookies.get(req) ?? []) headers.push(`Set-Cookie: ${line}`);
  });

  server.handleUpgrade = (req: IncomingRequest, socket: Duplex, head, callback) => {
    if (server.shouldHandle?.(req) === false) return handleUpgrade(req, socket, head, callback); // which refuses
    const answer = (context: SessionContext | undefined) => {
      if (context) cookies.set(req, context.setCookies(false));
      handleUpgrade(req, socket, head, (client, request) => {
        if (context) keepAlong(context, client);
        callback(client, request);
      });
    };
    ignoreErrors(socket);
    void admit(core, req, { load, origins, upgrade }).then((admitted) => {
      if (typeof admitted === 'number') refuse(socket, admitted);
      else if (!socket.destroyed) answer(admitted.context);
    });
  };
}

type Admission = 403 | 500 | 503 | { context: SessionContext | undefined };

/** The request gets its session by the HTTP road, up to where the handshake can be answered; or the status to refuse by. */
async function admit(
  core: Core,
  req: IncomingRequest,
  how: { load: LoadContext; origins: Origins; upgrade: WebSocketOptions['upgrade'] },
): Promise<Admission> {
  const report = (error: unknown) => core.events.report(req.sessionID ?? '', req, error);
  const orElse = (status: 500 | 503) => (error: unknown) => {
    report(error);
    return status;
  };
  if (!(await isAllowed(core, req, how.origins))) return 403;
  const loaded = await loading(core, req, how.load, report).catch(orElse(503));
  if (loaded === 503) return 503;
  const { context } = loaded as { context: SessionContext | undefined };
  const upgraded = await Promise.resolve(req).then(how.upgrade).catch(orElse(500));
  if (upgraded === 500) return 500;
  const stored = await committed(context).catch(orElse(503));
  return stored === 503 ? 503 : { context };
}

function committed(context: SessionContext | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!context) return resolve();
    const done = (error?: unknown) => (error ? reject(error) : resolve());
    context.beforeEnd({ isFailure: false, whenOver: nextTurn, done });
  });
}

function loading(
  core: Core,
  req: IncomingRequest,
  load: LoadContext,
  reportLater: (error: unknown) => void,
): Promise<{ context: SessionContext | undefined }> {
  return new Promise((resolve, reject) => {
    let loaded = false;
    let context: SessionContext | undefined;
    const done = (error?: unknown) => {
      if (loaded) return error ? reportLater(error) : undefined; // as a response's, it has failed to be stored
      loaded = true;
      if (error) reject(error);
      else queueMicrotask(() => resolve({ context })); // `load` may call back before it returns
    };
    context = load(core, req, done);
  });
}
