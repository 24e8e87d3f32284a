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
  TypedSession,
  TypedSessionHandler,
  TypedSessionOptions,
  TypedSessionRequest,
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
import type { CookieForName } from './cookies/cookie-prefix.js';
import { middleware } from './middleware.js';

/** Of the namespace that apps may have silenced (`NO_DEPRECATION`). Made here, it points at the caller of `session()`. */
const deprecate = depd('express-session');

/**
 * Sessions for Express, connect, or plain node:http: each request gets its `req.session`, and what the app puts in
 * is stored when the response ends.
 *
 * `session<MySession>()` says what these sessions hold: to the options `owner` and `merge`, to `of()`, and by
 * {@link TypedSessionRequest} to handlers. Without a type argument, the compiler sees to it that a cookie keeps the
 * promise of a name such as `__Host-id`.
 *
 * @throws TypeError for options that could never work; the message says what is allowed.
 */
function session<
  Data extends object = any,
  const Name = string,
  const Domain = unknown,
  const Path = unknown,
  const Secure = unknown,
>(
  options?: TypedSessionOptions<NoInfer<Data>> &
    Inferred<Name, Domain, Path, Secure> &
    CookieForName<NoInfer<Name>, NoInfer<Domain>, NoInfer<Path>, NoInfer<Secure>>,
): TypedSessionHandler<Data> {
  return middleware((options || {}) as SessionOptions, deprecate) as TypedSessionHandler<Data>;
}

/** Lets the compiler infer the literal types of the cookie's name and attributes. */
interface Inferred<Name, Domain, Path, Secure> {
  name?: Name | undefined;
  cookie?: { domain?: Domain; path?: Path; secure?: Secure } | undefined;
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
    TypedSession,
    TypedSessionHandler,
    TypedSessionOptions,
    TypedSessionRequest,
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
