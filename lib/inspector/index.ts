import type { ServerResponse } from 'node:http';
import type { AppRequest } from '../express-types.js';
import { coreOf, type SessionHandler } from '../middleware.js';
import { describe } from '../option-checks.js';
import { Inspector } from './inspector.js';
import { type InspectorOptions, readOptions } from './options.js';

export type { InspectorOptions } from './options.js';

/** What `app.use()` takes. */
export interface InspectorHandler {
  (req: any, res: any, next?: (error?: any) => void): void;
  /** Ends the streams of open pages and looks on no longer: for the end of the process. */
  close(): void;
}

/**
 * A page that shows live sessions, what happens to them, and why each response had a cookie or none; and that can revoke
 * a session.
 *
 * It remembers a bounded number of events and requests, whether or not a page is open; so create it at start, once.
 *
 * @example
 * const sessions = session({ ...recommended, secret });
 * app.use(sessions);
 * app.use('/sessions', inspector(sessions, { guard: (req) => req.session.user?.admin === true }));
 *
 * @param sessions what `session()` returned
 * @throws TypeError if there is no guard, an option makes no sense, or `NODE_ENV` is `production` and the option
 *   `production` is not `true`
 */
export function inspector(sessions: SessionHandler, options: InspectorOptions): InspectorHandler {
  const core = typeof sessions === 'function' ? coreOf(sessions) : undefined;
  if (!core)
    throw new TypeError(
      `inspector() needs what session() of this package has returned; got ${describe(sessions)}`,
    );
  const inside = new Inspector(core, readOptions(options));
  const handler = (req: AppRequest, res: ServerResponse, next?: (error?: unknown) => void) => {
    inside.serve(req, res).then(
      (served) => served || (next ? next() : respond404(res)),
      (error: unknown) => (next ? next(error) : respond500(res)),
    );
  };
  return Object.assign(handler, { close: () => inside.close() });
}

function respond404(res: ServerResponse): void {
  res.writeHead(404).end('Not found');
}

function respond500(res: ServerResponse): void {
  res.writeHead(500).end('Internal server error');
}
