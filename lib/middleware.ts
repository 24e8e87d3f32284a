import type { ServerResponse } from 'node:http';
import parseUrl from 'parseurl';
import { type IncomingRequest, type Next, SessionContext } from './context.js';
import { Core } from './core.js';
import { SteadyError } from './errors.js';
import type { SessionEventListener, SessionEventName } from './events.js';
import { identify } from './identify.js';
import { readOptions, type SessionOptions } from './options.js';
import { holdEnd } from './response.js';
import { MemoryStore } from './stores/memory.js';
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
  warnOfMemoryStore(core);

  function session(req: IncomingRequest, res: ServerResponse, next: Next): void {
    if (req.session) return next(); // mounted twice: the first one serves
    if (settings.skip?.(req)) return next();
    if (!core.storeReady) return withoutStore(core, next);
    if (!isOnPath(req, core)) return next();
    const secrets = settings.secrets ?? (req.secret ? [req.secret] : undefined);
    if (!secrets) return next(new Error('secret option required for sessions'));

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

function warnOfMemoryStore({ settings }: Core): void {
  if (process.env['NODE_ENV'] !== 'production' || !(settings.store instanceof MemoryStore)) return;
  warnOnce(
    'WARN_SESSION_MEMORY_STORE',
    'MemoryStore is for development: it loses all sessions at a restart and serves one process only. ' +
      'Give session() a store that lasts, such as RedisStore, PostgresStore or SqliteStore.',
  );
}
