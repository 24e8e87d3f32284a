import type { Core } from '../core.js';
import type { SessionContext } from './context.js';

const slot = Symbol('steady-session.visit');

interface WithSlot {
  [slot]?: Visit | undefined;
}

/** A request that a middleware serves: a context, or what becomes one when it is asked for. */
export interface Visit {
  readonly core: Core;
  readonly req: object;
  readonly context: SessionContext;
}

/** The latest middleware to serve a request is the one whose session `req.session` is. */
export function visitOf(req: object): Visit | undefined {
  return (req as WithSlot)[slot];
}

export function setVisit(req: object, visit: Visit): void {
  (req as WithSlot)[slot] = visit;
}

/** What the middleware knows of a request; `undefined` for one that it hasn't served, such as that of `store.load()`. */
export function contextOf(req: object): SessionContext | undefined {
  return visitOf(req)?.context;
}
