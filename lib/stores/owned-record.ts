import type { OwnedRecord, SessionStore } from './store.js';

/** A record that the store keeps under the session's id. */
export function ownedRecord(store: Pick<SessionStore, 'destroy'>, id: string, value: string): OwnedRecord {
  return {
    key: id,
    value,
    matches: (other) => other === id,
    destroy: (...owner) => store.destroy(id, ...owner),
  };
}
