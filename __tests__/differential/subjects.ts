import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request as the handlers of these tests see it: what a session middleware may have put on it is untyped. */
export type Request = IncomingMessage & Record<string, any>;
export type Next = (error?: unknown) => void;
export type Middleware = (req: Request, res: ServerResponse, next: Next) => void;

/**
 * The public face that both packages have. Deliberately loose: what is compared here is behaviour, and both
 * packages must be given the same wrong arguments too. That our types are right is checked elsewhere.
 */
export interface Subject {
  (options?: unknown): Middleware;
  Store: new () => EventEmitter & Record<string, any>;
  MemoryStore: new () => EventEmitter & Record<string, any>;
  Cookie: new (options?: unknown) => Record<string, any>;
  Session: new (req: unknown, data?: unknown) => Record<string, any>;
}

export const real = require('express-session') as Subject;

export const ours = require('../../lib/index.js') as Subject;

/** No sessions at all: what a response looks like when nobody holds its end. */
export const plain: Subject = Object.assign(
  () => (_req: Request, _res: ServerResponse, next: Next) => next(),
  {
    Store: real.Store,
    MemoryStore: real.MemoryStore,
    Cookie: real.Cookie,
    Session: real.Session,
  },
);
