import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { adviseOnForeignOrigin } from '../advice.js';
import type { Core } from '../core.js';
import { badOption, describe, oneOf } from '../option-checks.js';
import type { IncomingRequest, SessionContext } from '../request/context.js';
import { checkOptions } from '../stores/store-options.js';
import { nextTurn } from '../timers.js';
import { ignoreErrors } from './client-errors.js';
import { keepAlong } from './keep-along.js';
import { checkOrigins, isAllowedOrigin, type Origins } from './origin.js';
import { refuse } from './refuse.js';

/** How sockets are tied to sessions. */
export interface SocketOptions {
  /**
   * Origins whose pages may connect besides those of the same host, such as `['https://app.example.com']`; or a
   * function that decides on all, which gets the origin (`undefined`: no browser) and the request. Others get a 403.
   * Needed behind a proxy that changes the Host header.
   */
  origins?: Origins | undefined;
  /**
   * How often all sessions with open sockets are looked up, for what other processes did to them, in milliseconds.
   * Default 30 seconds. It holds for all servers of these sessions; the last one to say it wins.
   */
  checkInterval?: number | undefined;
  /**
   * What becomes of sockets when `regenerate()` replaces their session. `'follow'` (default): they go on with the new
   * one. `'close'`: they are closed; for apps that log out by `regenerate()`, as passport does, or whose sockets
   * remember who their user was. In other processes they are closed in any case, since nothing that is stored leads
   * from the old id to the new one. It holds for all servers of these sessions, as `checkInterval` does.
   */
  onRegenerate?: 'follow' | 'close' | undefined;
}

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

const SOCKET_OPTIONS: readonly string[] = ['origins', 'checkInterval', 'onRegenerate'];

/** The longest that a timer can wait, in milliseconds. */
const LONGEST_INTERVAL = 2 ** 31 - 1;

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
  const { upgrade } = options;
  const origins = readSocketOptions(core, 'websocket()', options, [...SOCKET_OPTIONS, 'upgrade']);
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

/** @param method which was called with something else than it needs */
export function badServer(method: 'websocket' | 'socketio', needs: string, given: unknown): TypeError {
  const { engine, handleUpgrade } = (given ?? {}) as { engine?: unknown; handleUpgrade?: unknown };
  const other = method === 'websocket' ? engine && 'socketio' : handleUpgrade && 'websocket';
  const hint = other ? `; did you mean ${other}()?` : '';
  return new TypeError(`${method}() needs ${needs}; got ${describe(given)}${hint}`);
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

/** A function that fails has not allowed anything. The developer is told of what a list refuses: a function of theirs knows why. */
export async function isAllowed(core: Core, req: IncomingRequest, origins: Origins): Promise<boolean> {
  try {
    const allowed = await isAllowedOrigin(req, origins);
    if (!allowed && typeof origins !== 'function') adviseOnForeignOrigin(req.headers.origin as string);
    return allowed;
  } catch (error) {
    core.events.report('', req, error);
    return false;
  }
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

/** @throws TypeError for options that could never work */
export function readSocketOptions(
  core: Core,
  what: string,
  options: SocketOptions,
  allowed: readonly string[] = SOCKET_OPTIONS,
): Origins {
  checkOptions(what, options, allowed);
  const { origins = [], checkInterval, onRegenerate } = options;
  const { sockets } = core;
  if (checkInterval !== undefined) {
    if (!(checkInterval > 0 && checkInterval <= LONGEST_INTERVAL))
      throw badOption('checkInterval', checkInterval, 'a positive number of milliseconds, 24 days at most');
    sockets.interval = checkInterval;
  }
  if (onRegenerate !== undefined)
    sockets.onRegenerate = oneOf('onRegenerate', onRegenerate, ['follow', 'close']);
  return checkOrigins(origins);
}
