// Where each public name comes from. `index.ts` repeats the names in the forms that TypeScript and Node.js read; a test
// compares them. Those of the stores and the conformance kit have entry points of their own.

export { type ConnectStoreLike, type ConnectStoreOptions, fromConnectStore } from './adapters/connect.js';
export { fromCacheManager, fromKeyv, fromUnstorage } from './adapters/key-value.js';
export { fromLoadSave } from './adapters/load-save.js';
export { fromMap } from './adapters/map.js';
export { toConnectStore } from './adapters/to-connect.js';
export { Cookie, type CookieData, type CookieOptions } from './cookies/cookie.js';
export { SteadyError } from './errors.js';
export type { SessionEvent, SessionEventListener, SessionEventName } from './events.js';
export type { SessionHandler } from './middleware.js';
export type { SessionOptions } from './options.js';
export type { OwnedSession, OwnerOption } from './owners.js';
export { recommended } from './recommended.js';
export { type Callback, Session, type SessionData, type SessionRequest } from './session.js';
export type { OriginFunction, Origins } from './sockets/origin.js';
export type { SocketOptions } from './sockets/socket-options.js';
export type { WebSocketOptions } from './sockets/websocket.js';
export { type SessionCallback, Store } from './stores/connect-store.js';
export { encrypt } from './stores/encrypt.js';
export { hashIds } from './stores/hash-ids.js';
export { MemoryStore } from './stores/memory.js';
export type { Serializer } from './stores/serialized.js';
export type { OwnedRecord, SessionStore, SetOptions } from './stores/store.js';
export type {
  TypedSession,
  TypedSessionHandler,
  TypedSessionOptions,
  TypedSessionRequest,
} from './typed-session.js';
