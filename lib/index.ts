import depd from 'depd';

import api = require('./api.js');

import type {
  Callback,
  CookieData,
  CookieOptions,
  SessionCallback,
  SessionData,
  SessionHandler,
  SessionOptions,
  SessionRequest,
  SessionStore,
  SetOptions,
} from './api.js';
import { Cookie, MemoryStore, recommended, Session, SteadyError, Store } from './api.js';
import { middleware } from './middleware.js';

/** Of the namespace that apps may have silenced (`NO_DEPRECATION`). Made here, it points at the caller of `session()`. */
const deprecate = depd('express-session');

/**
 * Sessions for Express, connect, or plain node:http: each request gets its `req.session`, and what the app puts in
 * is stored when the response ends.
 *
 * @throws TypeError for options that could never work; the message says what is allowed.
 */
function session(options?: SessionOptions): SessionHandler {
  return middleware(options ?? {}, deprecate);
}

declare namespace session {
  export type {
    Callback,
    CookieData,
    CookieOptions,
    SessionCallback,
    SessionData,
    SessionHandler,
    SessionOptions,
    SessionRequest,
    SessionStore,
    SetOptions,
  };
  export { Cookie, MemoryStore, recommended, Session, SteadyError, Store };
}

Object.assign(session, api);

export = session;
