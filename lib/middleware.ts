import type { ServerResponse } from 'node:http';
import parseUrl from 'parseurl';
import {
  adviseAtStart,
  adviseMountedTwice,
  adviseOnForeignPage,
  adviseOnParserSecret,
  adviseOnUnlistable,
  FOREIGN_PAGE,
} from './advice.js';
import type { Identity } from './cookies/identify.js';
import { Core } from './core.js';
import { SteadyError } from './errors.js';
import type { SessionEventListener, SessionEventName } from './events.js';
import { expectProperties } from './many-properties.js';
import type { SessionOptions } from './options.js';
import { exceptionOf, type OwnedSession, ownerText } from './owners.js';
import { readOptions } from './read-options.js';
import { type IncomingRequest, type Next, SessionContext } from './request/context.js';
import { loadSession } from './request/loading.js';
import { Newcomer } from './request/newcomer.js';
import { contextOf } from './request/request-slot.js';
import { canBeHeld } from './response/real-response.js';
import { holdEnd } from './response/response.js';
import { ignoreErrors } from './sockets/client-errors.js';
import {
  answerOnError,
  type HandshakeResponse,
  isHandshake,
  isUpgrade,
  joinHandshake,
  refuseOnError,
} from './sockets/handshake.js';
import { isAllowedByCors, isSameHost } from './sockets/origin.js';
import { isTaken, refuse } from './sockets/refuse.js';
import type { SocketOptions } from './sockets/socket-options.js';
import { type SocketIoServerLike, serveSocketIo } from './sockets/socketio.js';
import { serveWebSockets, type WebSocketOptions, type WebSocketServerLike } from './sockets/websocket.js';
import { warnOnce } from './warnings.js';

/** What `app.use()` takes, and where to learn what happens to sessions. */
export interface SessionHandler {
  (req: any, res: any, next: (error?: any) => void): void;
  /** Calls `listener` on each event of this name. @throws TypeError for an event that there is not */
  on(name: SessionEventName, listener: SessionEventListener): void;
  /** Ends that. @throws TypeError for an event that there is not */
  off(name: SessionEventName, listener: SessionEventListener): void;
  /**
   * A user's live sessions, by the option `owner`. To go through them fails with `ERR_SESSION_NO_OWNER` without that option, and with
   * `ERR_SESSION_NOT_LISTABLE` if the store can't list.
   * @throws TypeError, at once, for an owner that is neither a number nor a text that is not empty
   */
  of(owner: string | number): AsyncIterable<OwnedSession>;
  /**
   * Destroys a user's sessions, wherever they are used; `except` is the id of one to keep. Resolves to their number, and
   * rejects as `of()` does.
   * @throws TypeError, at once, as `of()`, and for a second argument that is no `{ except }`
   */
  revoke(owner: string | number, how?: { except?: string | undefined }): Promise<number>;
  /**
   * Gives the connections of a `ws` server sessions: their request has its session at the `connection` event.
   * @throws TypeError for something that is no such server, and for an option that could never work
   */
  websocket(server: WebSocketServerLike, options?: WebSocketOptions): void;
  /**
   * Gives the connections of a Socket.IO server sessions: `socket.request.session`.
   * @throws TypeError for something that is no such server, and for an option that could never work
   */
  socketio(io: SocketIoServerLike, options?: SocketOptions): void;
}

/** What `session(options)` returns. */
export function middleware(options: SessionOptions, deprecate: (message: string) => void): SessionHandler {
  const settings = readOptions(options, deprecate);
  const core = new Core(settings);
  adviseAtStart(settings, options);
  if (settings.owner !== undefined && !core.updater.canList) adviseOnUnlistable();

  function session(req: IncomingRequest, res: ServerResponse, next: Next): void {
    serve(core, req, res, next);
  }

  const handler: SessionHandler = Object.assign(session, {
    on: (name: SessionEventName, listener: SessionEventListener) => core.events.on(name, listener),
    off: (name: SessionEventName, listener: SessionEventListener) => core.events.off(name, listener),
    of: (owner: string | number) => core.updater.of(ownerText('of', owner)),
    revoke: (owner: string | number, how: { except?: string | undefined } = {}) =>
      core.updater.revoke(ownerText('revoke', owner), exceptionOf(how)),
    websocket: (server: WebSocketServerLike, how: WebSocketOptions = {}) =>
      serveWebSockets(core, serveWithoutResponse, server, how),
    socketio: (io: SocketIoServerLike, how: SocketOptions = {}) => serveSocketIo(core, openSocketIo, io, how),
  });
  cores.set(handler, core);
  return handler;
}

const cores = new WeakMap<object, Core>();

/** For this package's own tools, which look at what a handler works with. */
export function coreOf(handler: object): Core | undefined {
  return cores.get(handler);
}

/** The road of a request. */
function serve(core: Core, req: IncomingRequest, res: ServerResponse, next: Next): void {
  if (isHandshake(req, res)) return serveHandshake(core, req, res ?? {}, next);
  if (isUpgrade(req)) {
    if (!isWelcome(core, req, res)) return turnAway(req, next);
    ignoreErrors(req.socket);
  }
  if (!canBeHeld(res)) return void serveWithoutResponse(core, req, next);
  const identities = identitiesFor(core, req, next);
  if (!identities) return;
  if (identities.length === 0 && core.ignoresUnseen) {
    const newcomer = new Newcomer(core, req, next);
    holdEnd(res, newcomer);
    newcomer.begin();
  } else {
    const context = new SessionContext(core, req, next, identities);
    holdEnd(res, context);
    loadSession(context);
  }
}

/**
 * The ids that its cookies name, if it has what leads to a session: the right path, a store, a secret. Such a request gets its
 * `sessionStore`. For any other one, `next` has been called.
 */
function identitiesFor(core: Core, req: IncomingRequest, next: Next): readonly Identity[] | undefined {
  const { settings } = core;
  const served = contextOf(req);
  if (served ? served.isServing : req.session) {
    adviseMountedTwice(served?.core, core);
    return pass(next);
  }
  if (settings.skip(req)) return pass(next);
  if (!core.storeReady) return pass(next, withoutStore(core));
  if (!isOnPath(req, core)) return pass(next);
  const secrets = settings.secrets ?? (req.secret ? [req.secret] : undefined);
  if (!secrets) return pass(next, new Error('secret option required for sessions'));
  if (settings.secrets) adviseOnParserSecret(req, secrets);
  expectProperties(req);
  req.sessionStore = core.store;
  return core.identifier.identify(req, secrets);
}

function pass(next: Next, error?: unknown): undefined {
  if (error) next(error);
  else next();
}

/** As express-session, the app does without sessions while the store is disconnected, unless it says otherwise. */
function withoutStore({ settings }: Core): SteadyError | undefined {
  const text =
    'the session store is disconnected, so that requests have no session; check the connection to it';
  if (settings.onStoreDown === 'error') return new SteadyError('ERR_SESSION_STORE_DOWN', text);
  warnOnce('WARN_SESSION_STORE_DOWN', `${text}, or set onStoreDown: 'error' to have such requests fail`);
  return undefined;
}

/** Only paths that get the cookie have sessions. `/app` has those of `/application` too, as in express-session. */
function isOnPath(req: IncomingRequest, core: Core): boolean {
  const { path } = core.settings.cookieOptions(req);
  const { originalUrl, url } = req as { originalUrl?: unknown; url?: string };
  const target = typeof originalUrl === 'string' ? originalUrl : url;
  if ((path ?? '/') === '/' && target?.[0] === '/') return true; // to parse it would take 0.2 us, and 250 bytes
  return pathnameOf(req)?.startsWith(path || '/') ?? false;
}

/** A request target may be anything: one that is no URL is on no path. */
function pathnameOf(req: IncomingRequest): string | undefined {
  try {
    return parseUrl.original(req)?.pathname || '/';
  } catch {
    return undefined;
  }
}

// ---- Requests without a response that could be held: handshakes

/** A WebSocket handshake that runs HTTP middleware. */
function serveHandshake(core: Core, req: IncomingRequest, res: HandshakeResponse, next: Next): void {
  if (hasSession(core, req)) return next(); // by `sessions.websocket()`, say
  if (isWelcome(core, req, res)) accept(core, req, res, next, true);
  else turnAway(req, next);
}

/** A page of another host must not come by a session; it is welcome to a socket without one. */
function isWelcome(core: Core, req: IncomingRequest, res: HandshakeResponse): boolean {
  if (isSameHost(req) || isAllowedByCors(req, res)) return true;
  return hasSession(core, req) || core.settings.skip(req) || !isOnPath(req, core);
}

function turnAway(req: IncomingRequest, next: Next): void {
  adviseOnForeignPage();
  if (isTaken(req.socket)) next(new SteadyError('ERR_SESSION_ORIGIN', FOREIGN_PAGE));
  else refuse(req.socket, 403);
}

/** @param keep whether the socket is tied to its session here; that of Socket.IO is at its `connection` event */
function accept(core: Core, req: IncomingRequest, res: HandshakeResponse, next: Next, keep: boolean): void {
  ignoreErrors(req.socket);
  const answer = refuseOnError(req, res, reporter(core, req), next);
  const context = contextFor(core, req, answer);
  if (!context) return;
  joinHandshake(context, res, keep);
  loadSession(context);
}

/** The road of Socket.IO's first request, whatever its transport, of a page that may connect. */
function openSocketIo(core: Core, req: IncomingRequest, res: ServerResponse, next: Next): void {
  if (isHandshake(req, res)) accept(core, req, res, next, false);
  else serve(core, req, res, answerOnError(res, reporter(core, req), next));
}

function reporter(core: Core, req: IncomingRequest): (error: unknown) => void {
  return (error) => core.events.report(req.sessionID ?? '', req, error);
}

function hasSession(core: Core, req: IncomingRequest): boolean {
  return contextOf(req)?.core === core && Boolean(req.session);
}

/** The road of such a request: a `ws` server's handshake, or one with a stand-in for a response. The middleware may have served it already. */
function serveWithoutResponse(core: Core, req: IncomingRequest, next: Next): SessionContext | undefined {
  if (hasSession(core, req)) {
    next();
    return contextOf(req);
  }
  const context = contextFor(core, req, next);
  if (context) loadSession(context);
  return context;
}

function contextFor(core: Core, req: IncomingRequest, next: Next): SessionContext | undefined {
  const identities = identitiesFor(core, req, next);
  return identities && new SessionContext(core, req, next, identities);
}
