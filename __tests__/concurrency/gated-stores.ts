import session from '../../lib/index.js';
import type { Scheduler } from './scheduler.js';

type AnyRecord = Record<string, any>;

/** A store that the scheduler controls, and what is in it. */
export interface GatedStore {
  store: any;
  /** All live records by id, read past the gates. */
  live(): Map<string, AnyRecord>;
  /** How many records are in memory, live or expired. */
  size(): number;
}

/** A `SessionStore` every step of which waits to be chosen, and is then done at once. */
export function gated(store: session.SessionStore, scheduler: Scheduler): session.SessionStore {
  const pass = (operation: string, id: string) => scheduler.pass(`${operation} ${id}`);
  return {
    async get(id) {
      await pass('get', id);
      return store.get(id);
    },
    async set(id, value, how) {
      const mode = how.expected === undefined ? 'set' : how.expected === null ? 'create' : 'replace';
      await pass(mode, id);
      return store.set(id, value, how);
    },
    async touch(id, expires) {
      await pass('touch', id);
      return store.touch(id, expires);
    },
    async destroy(id) {
      await pass('destroy', id);
      return store.destroy(id);
    },
  };
}

/** The shortest store that keeps the contract. */
export function mapStore(scheduler: Scheduler): GatedStore {
  const records = new Map<string, { value: string; expires: number }>();
  const read = (id: string) => {
    const record = records.get(id);
    return record && record.expires > Date.now() ? record : undefined;
  };
  const store: session.SessionStore = {
    get: async (id) => read(id)?.value,
    async set(id, value, { expires, expected }) {
      if (expected !== undefined && expected !== (read(id)?.value ?? null)) return false;
      records.set(id, { value, expires });
      return true;
    },
    async touch(id, expires) {
      const record = read(id);
      if (record) record.expires = expires;
      return record !== undefined;
    },
    async destroy(id) {
      records.delete(id);
    },
  };
  return {
    store: gated(store, scheduler),
    live: () => parsed([...records.keys()].map((id) => [id, read(id)?.value])),
    size: () => 0, // it has no sweep: only what is live counts
  };
}

/** The package's own memory store, behind gates. */
export function gatedMemoryStore(scheduler: Scheduler): GatedStore {
  const memory = plainMemoryStore();
  return { ...memory, store: gated(memory.store, scheduler) };
}

/** The package's own memory store as it is: its steps are done at once. */
export function plainMemoryStore(): GatedStore {
  const store = new session.MemoryStore();
  return {
    store,
    live: () => parsed(Object.entries(store.sessions)),
    size: () => store.records['records'].size,
  };
}

/** A store made for express-session, that expires sessions as its MemoryStore does. */
export function callbackStore(scheduler: Scheduler, Store: new () => object): GatedStore {
  const records = new Map<string, string>();
  const read = (id: string): AnyRecord | undefined => {
    const text = records.get(id);
    const data = text === undefined ? undefined : JSON.parse(text);
    const expires = data?.cookie.expires;
    return expires && new Date(expires).getTime() <= Date.now() ? undefined : data;
  };
  class CallbackStore extends Store {
    get(id: string, done: (error: unknown, data?: unknown) => void): void {
      void scheduler.pass(`get ${id}`).then(() => done(null, read(id)));
    }
    set(id: string, data: object, done: () => void): void {
      const text = JSON.stringify(data);
      void scheduler.pass(`set ${id}`).then(() => {
        records.set(id, text);
        done();
      });
    }
    touch(id: string, data: AnyRecord, done: () => void): void {
      const cookie = JSON.parse(JSON.stringify(data['cookie']));
      void scheduler.pass(`touch ${id}`).then(() => {
        const stored = read(id);
        if (stored) records.set(id, JSON.stringify({ ...stored, cookie }));
        done();
      });
    }
    destroy(id: string, done: () => void): void {
      void scheduler.pass(`destroy ${id}`).then(() => {
        records.delete(id);
        done();
      });
    }
  }
  return {
    store: new CallbackStore(),
    live: () => new Map([...records.keys()].flatMap((id) => (read(id) ? [[id, read(id)!]] : []))),
    size: () => 0,
  };
}

function parsed(entries: [string, string | undefined][]): Map<string, AnyRecord> {
  return new Map(entries.flatMap(([id, text]) => (text === undefined ? [] : [[id, JSON.parse(text)]])));
}
