import depd from 'depd';

import type {
  Callback,
  ConnectStoreLike,
  ConnectStoreOptions,
  CookieData,
  CookieOptions,
  OriginFunction,
  Origins,
  OwnedRecord,
  OwnedSession,
  OwnerOption,
  Serializer,
  SessionCallback,
  SessionData,
  SessionEvent,
  SessionEventListener,
  SessionEventName,
  SessionHandler,
  SessionOptions,
  SessionRequest,
  SessionStore,
  SetOptions,
  SocketOptions,
  WebSocketOptions,
} from './api.js';
import {
  Cookie,
  encrypt,
  fromCacheManager,
  fromConnectStore,
  fromKeyv,
  fromLoadSave,
  fromMap,
  fromUnstorage,
  hashIds,
  MemoryStore,
  recommended,
  Session,
  SteadyError,
  Store,
  toConnectStore,
} from './api.js';
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
    ConnectStoreLike,
    ConnectStoreOptions,
    CookieData,
    CookieOptions,
    OriginFunction,
    Origins,
    OwnedRecord,
    OwnedSession,
    OwnerOption,
    Serializer,
    SessionCallback,
    SessionData,
    SessionEvent,
    SessionEventListener,
    SessionEventName,
    SessionHandler,
    SessionOptions,
    SessionRequest,
    SessionStore,
    SetOptions,
    SocketOptions,
    WebSocketOptions,
  };
  export {
    Cookie,
    encrypt,
    fromCacheManager,
    fromConnectStore,
    fromKeyv,
    fromLoadSave,
    fromMap,
    fromUnstorage,
    hashIds,
    MemoryStore,
    recommended,
    Session,
    SteadyError,
    Store,
    toConnectStore,
  };
}

// One face for require and import: Node reads off these very lines which names `import { Store } from` may ask for.
module.exports = session;
module.exports.Cookie = Cookie;
module.exports.encrypt = encrypt;
module.exports.fromCacheManager = fromCacheManager;
module.exports.fromConnectStore = fromConnectStore;
module.exports.fromKeyv = fromKeyv;
module.exports.fromLoadSave = fromLoadSave;
module.exports.fromMap = fromMap;
module.exports.fromUnstorage = fromUnstorage;
module.exports.hashIds = hashIds;
module.exports.MemoryStore = MemoryStore;
module.exports.recommended = recommended;
module.exports.Session = Session;
module.exports.SteadyError = SteadyError;
module.exports.Store = Store;
module.exports.toConnectStore = toConnectStore;

export = session;
