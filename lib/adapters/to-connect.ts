import type { Store } from '../stores/connect-store.js';
import type { SessionStore } from '../stores/store.js';

// placeholder by the lead, to be replaced by the adapter's author
export function toConnectStore(_store: SessionStore, _options?: { ttl?: number }): Store {
  throw new Error('not there yet');
}
