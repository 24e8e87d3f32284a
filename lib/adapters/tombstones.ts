import type { SessionStore } from '../stores/store.js';

/** How long a destroyed session is remembered, in ms: longer than most requests that had loaded it before will run. */
const MEMORY = 60_000;

/** Ids of sessions that were destroyed a short while ago, each with the time (epoch ms) when it is forgotten. */
class Tombstones {
  readonly #forgottenAt = new Map<string, number>();

  has(id: string): boolean {
    this.#forget(Date.now());
    return this.#forgottenAt.has(id);
  }

  add(id: string): void {
    const now = Date.now();
    this.#forget(now);
    this.#forgottenAt.delete(id); // the oldest come first
    this.#forgottenAt.set(id, now + MEMORY);
  }

  remove(id: string): void {
    this.#forgottenAt.delete(id);
  }

  #forget(now: number): void {
    for (const [id, time] of this.#forgottenAt) {
      if (time > now) return;
      this.#forgottenAt.delete(id);
    }
  }
}

const tombstones = new WeakMap<object, Tombstones>();

/**
 * Keeps a session that was destroyed through this process from coming back for a minute, even if the back end still
 * reads it: from a replica that lags behind, from a cache, or since a write was on its way. A session that is made
 * anew under the same id (`expected: null`) is another one.
 */
export function withTombstones(backend: object, store: SessionStore): SessionStore {
  const dead = tombstones.get(backend) ?? new Tombstones();
  tombstones.set(backend, dead);
  return {
    ...store,
    get: async (id) => (dead.has(id) ? undefined : store.get(id)),
    async set(id, value, how) {
      if (!dead.has(id)) return store.set(id, value, how);
      if (how.expected !== null) return false;
      dead.remove(id);
      const { expected: _, ...anyway } = how;
      return store.set(id, value, anyway);
    },
    touch: async (id, expires, ...owner) => !dead.has(id) && store.touch(id, expires, ...owner),
    async destroy(id) {
      dead.add(id);
      try {
        await store.destroy(id);
      } catch (error) {
        dead.remove(id); // it may be there, and the app knows
        throw error;
      }
    },
  };
}
