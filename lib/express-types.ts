// How this package meets the types of Express and those of express-session. Either may be installed beside it, or
// not, and an app must compile in each case, `skipLibCheck` off. So their names stand under `@ts-ignore`, which
// TypeScript keeps in the published declarations: a name that can't be resolved is `any`, and an interface that
// extends `any` inherits nothing.

import type { IncomingMessage } from 'node:http';
import type { Session as OwnSession, SessionData as OwnSessionData } from './session.js';
import type { Store } from './stores/connect-store.js';

// biome-ignore lint/suspicious/noTsIgnore: whether there is an error depends on what the app has installed
/** @ts-ignore: Express's request, where Express's types are installed. */
type MaybeExpressRequest = import('express').Request;

interface ExpressRequest extends MaybeExpressRequest {}

/** The request that functions among the options get: Express's where Express's types are installed, else Node's. */
export type AppRequest = IncomingMessage & Express.Request & ExpressRequest;

// biome-ignore lint/suspicious/noTsIgnore: whether there is an error depends on what the app has installed
/** @ts-ignore: where `@types/express-session` is installed, it declares this name. */
type TheirStore = Express.SessionStore;

/** Whether `@types/express-session` is absent, and `TheirStore` therefore `any`. */
type Alone = string extends keyof TheirStore ? true : false;

interface SessionProperties {
  /** This client's session. There only behind the session middleware. */
  session: Alone extends true ? OwnSession & Partial<OwnSessionData> : unknown;
  /** The id of the session. */
  sessionID: string;
  /** The store, as express-session's stores look. */
  sessionStore: Alone extends true ? Store : unknown;
}

declare global {
  namespace Express {
    // Inherited, not declared here: `@types/express-session` declares the same properties, and a second declaration
    // of another type is an error. Where it is installed, its own hold.
    interface Request extends SessionProperties {}
  }
}

// biome-ignore lint/suspicious/noTsIgnore: whether there is an error depends on what the app has installed
/** @ts-ignore: gives its `req.session` the methods that only this package has, and the data declared for this package. */
declare module '@types/express-session' {
  interface SessionData extends Omit<OwnSessionData, 'cookie'> {}
  interface Session extends Omit<OwnSession, TheirMethods | 'id' | 'cookie'> {}
}

type TheirMethods = 'regenerate' | 'destroy' | 'reload' | 'resetMaxAge' | 'save' | 'touch';
