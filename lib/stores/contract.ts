import type { Store } from './connect-store.js';
import type { SessionStore } from './store.js';

/** Stores made for express-session take callbacks and make sessions; ours do neither. */
export function isCallbackStore(store: Store | SessionStore): store is Store {
  return typeof (store as Store).createSession === 'function' || store.get.length >= 2;
}
