import type { ServerResponse } from 'node:http';
import parseUrl from 'parseurl';
import { adviseAtStart, adviseMountedTwice, adviseOnParserSecret } from './advice.js';
import { type IncomingRequest, type Next, SessionContext } from './context.js';
import { Core } from './core.js';
import { SteadyError } from './errors.js';
import type { SessionEventListener, SessionEventName } from './events.js';
import { identify } from './identify.js';
import { readOptions, type SessionOptions } from './options.js';
import { contextOf } from './request-slot.js';
import { holdEnd } from './response.js';
import { warnOnce } from './warnings.js';

/** What `app.use()` takes, and where to learn what happens to sessions. */
export interface SessionHandler {
  (req: any, res: any, next: (error?: any) => void): void;
  on(name: SessionEventName, listener: SessionEventListener): void;
  off(name: SessionEventName, listener: SessionEventListener): void;
}

/** The road of a request. */
export function middleware(options: SessionOptions, deprecate: (message: string) => void): SessionHandler {
  const settings = readOptions(options, deprecate);
  const core = new Core(settings);
  adviseAtStart(settings, typeof options.cookie === 'object' ? options.cookie : undefined);

  function session(req: IncomingRequest, res: ServerResponse, next: Next): void {
    if (req.session) return alreadyServed(core, req, next);
    if (settings.skip?.(req)) return next();
    if (!core.storeReady) return withoutStore(core, next);
    if (!isOnPath(req, core)) return next();
    const secrets = settings.secrets ?? (req.secret ? [req.secret] : undefined);
    if (!secrets) return next(new Error('secret option required for sessions'));

    if (settings.secrets) adviseOnParserSecret(req, secrets);

    req.sessionStore = core.store;
    const identities = identify(req, settings.name, secrets);
    const context = new SessionContext(core, req, res, next, identities);
    holdEnd(res, context);
    context.load(next);
  }

  return Object.assign(session, {
    on: (name: SessionEventName, listener: SessionEventListener) => core.events.on(name, listener),
    off: (name: SessionEventName, listener: SessionEventListener) => core.events.off(name, listener),
  });
}

/** Mounted twice: the first one serves. */
function alreadyServed(core: Core, req: IncomingRequest, next: Next): void {
  adviseMountedTwice(contextOf(req)?.core, core);
  next();
}

/** As express-session, the app does without sessions while the store is disconnected, unless it says otherwise. */
function withoutStore({ settings }: Core, next: Next): void {
  const text =
    'the session store is disconnected, so that requests have no session; check the connection to it';
  if (settings.onStoreDown === 'error') return next(new SteadyError('ERR_SESSION_STORE_DOWN', text));
  warnOnce('WARN_SESSION_STORE_DOWN', `${text}, or set onStoreDown: 'error' to have such requests fail`);
  next();
}

/** Only paths that get the cookie have sessions. `/app` has those of `/application` too, as in express-session. */
function isOnPath(req: IncomingRequest, core: Core): boolean {
  const { path } = core.settings.cookieOptions(req);
  const pathname = parseUrl.original(req)?.pathname || '/';
  return pathname.startsWith(path || '/');
}
