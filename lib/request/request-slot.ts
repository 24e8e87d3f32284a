import type { SessionContext } from './context.js';

const slot = Symbol('steady-session.context');

interface WithSlot {
  [slot]?: SessionContext | undefined;
}

/** What the middleware knows of a request; `undefined` for one that it hasn't served, such as that of `store.load()`. */
export function contextOf(req: object): SessionContext | undefined {
  return (req as WithSlot)[slot];
}

/** The latest middleware to serve a request is the one whose session `req.session` is. */
export function setContext(req: object, context: SessionContext): void {
  (req as WithSlot)[slot] = context;
}
