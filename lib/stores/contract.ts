import type { Store } from './connect-store.js';
import { MemoryStore } from './memory.js';
import type { SessionStore } from './store.js';

/**
 * Stores made for express-session take callbacks, and most make sessions; ours do neither. A `get` of ours may have a
 * second parameter of its own, but then `destroy` still has one, and it emits no events.
 */
export function isCallbackStore(store: Store | SessionStore): store is Store {
  const { createSession, on, get, destroy } = store as Store;
  if (typeof createSession === 'function') return true;
  return get.length >= 2 && (destroy.length !== 1 || typeof on === 'function');
}

/** Whether `store` is one of express-session's kind and no other. A `MemoryStore` speaks both contracts. */
export function isOnlyCallbackStore(store: Store | SessionStore): boolean {
  return isCallbackStore(store) && !(store instanceof MemoryStore);
}
